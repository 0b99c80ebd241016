/* SPDX-License-Identifier: MIT */
/* From a call to tasks: what apply, map and imap share, and apply. All is encoded by the caller's thread, so that its
 * errors go to the caller. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "pool/pool.h"
#include "pool/submit.h"
#include "spawn/preparation.h"
#include "spawn/runtime.h"
#include "value/cbor.h"
#include "value/value.h"

/* Python's: so many chunks for each worker. */
#define CHUNKS_PER_WORKER 4

/* What most tasks have room in. */
#define BODY_GUESS 256

const mproc_target *submit_target(mproc_pool *pool, const char *function, mproc_fn fn) {
    if (runtime_check(function) != 0) {
        return NULL;
    }
    if (pool == NULL || fn == NULL) {
        (void)error_null(function, pool == NULL ? "pool" : "fn");
        return NULL;
    }
    const mproc_target *target = runtime_target_of(fn);
    if (target == NULL) {
        (void)error_set(MPROC_ETARGET, 0,
                        "%s: the function is not in the table given to mproc_init; add MPROC_TARGET(its name) to it",
                        function);
    }
    return target;
}

/* Bodies ------------------------------------------------------------------------------------------------------- */

int submit_begin_body(struct message *body, const mproc_target *target, enum task_form form, uint32_t count) {
    struct task_head head;
    memset(&head, 0, sizeof head);
    head.form = (uint8_t)form;
    head.name_size = (uint32_t)strlen(target->name);
    head.count = count;
    int status = buffer_reserve(&body->bytes, BODY_GUESS);
    if (status == 0) {
        status = buffer_append(&body->bytes, &head, sizeof head);
    }
    return status == 0 ? buffer_append(&body->bytes, target->name, head.name_size) : status;
}

int submit_append_padding(struct message *body) {
    static const uint8_t zeros[TASK_ALIGNMENT];
    return buffer_append(&body->bytes, zeros, (TASK_ALIGNMENT - body->bytes.size % TASK_ALIGNMENT) % TASK_ALIGNMENT);
}

int submit_append_item(struct message *body, const cJSON *item) {
    uint32_t size = 0;
    size_t place = body->bytes.size;
    int status = buffer_append(&body->bytes, &size, sizeof size);
    if (status == 0) {
        status = cbor_encode(item, body);
    }
    if (status == 0) {
        size = (uint32_t)(body->bytes.size - place - sizeof size);
        memcpy(body->bytes.data + place, &size, sizeof size);
    } else {
        body->bytes.size = place;
    }
    return status;
}

/* The body of an apply. args and kwargs are taken. */
static int encode_call(struct message *body, const char *function, const mproc_target *target, cJSON *args,
                       const mproc_apply_options *options) {
    struct task_call sizes = {0, options->size};
    int status = submit_begin_body(body, target, TASK_APPLY, 1);
    size_t place = body->bytes.size;
    if (status == 0) {
        status = buffer_append(&body->bytes, &sizes, sizeof sizes);
    }
    if (status != 0) {
        value_delete(args);
        value_delete(options->kwargs);
        return status;
    }
    status = arguments_encode(body, function, args, options->kwargs);
    if (status == 0) {
        sizes.values_size = body->bytes.size - place - sizeof sizes;
        memcpy(body->bytes.data + place, &sizes, sizeof sizes);
        status = arguments_check_data(function, options->size);
    }
    if (status == 0 && options->size > 0) {
        status = submit_append_padding(body);
    }
    return status == 0 ? buffer_append(&body->bytes, options->data, options->size) : status;
}

int submit_set_body(struct pool_task *task, struct message *body) {
    if (body->handle_count > 0) {
        task->handles = memory_allocate(sizeof *task->handles);
        if (task->handles == NULL) {
            return MPROC_ENOMEM;
        }
        *task->handles = *body;
        memset(&task->handles->bytes, 0, sizeof task->handles->bytes);
        body->handles = NULL;
        body->handle_count = body->handle_capacity = 0;
    }
    task->body_size = body->bytes.size;
    if (body->bytes.size < BODY_GUESS) {
        /* It may wait for long among many: it moves where it has what it needs, and what it was written in is used for the
         * next one. Cutting it off in place would leave holes too small for that. */
        task->body = memory_resize(NULL, body->bytes.size);
        if (task->body == NULL) {
            return MPROC_ENOMEM;
        }
        memcpy(task->body, body->bytes.data, body->bytes.size);
        return 0;
    }
    task->body = body->bytes.data;
    memset(&body->bytes, 0, sizeof body->bytes);
    return 0;
}

/* Submitting --------------------------------------------------------------------------------------------------- */

static bool has_room(const struct mproc_pool *pool) {
    return pool->options.max_pending == 0 || pool->state != POOL_RUNNING || pool->breakage != NULL ||
           pool->unfinished < pool->options.max_pending + pool->limit;
}

int submit_task(struct mproc_pool *pool, const char *function, struct pool_task *task) {
    int status = pool_check_running(pool, function);
    while (status == 0 && !has_room(pool)) {
        if (callbacks_is_this_thread(pool)) {
            break; /* it must not wait for what may wait for it */
        }
        uv_cond_wait(&pool->progressed, &pool->mutex);
        status = pool_check_running(pool, function);
    }
    if (status == 0) {
        tasks_submit(pool, task);
    }
    return status;
}

void submit_hand_over(struct mproc_async_result *job, mproc_async_result **result) {
    if (result != NULL) {
        *result = job;
    } else {
        job->is_wanted = job_has_callback(job);
        job_unuse(job);
    }
}

size_t submit_chunk_size(const struct mproc_pool *pool, size_t count, size_t wanted) {
    size_t chunks = (size_t)pool->limit * CHUNKS_PER_WORKER;
    size_t chosen = wanted > 0 ? wanted : (count + chunks - 1) / chunks;
    return chosen > 0 ? chosen : 1;
}

/* Apply -------------------------------------------------------------------------------------------------------- */

static int check_apply(const char *function, const mproc_apply_options *options) {
    if (options->data == NULL && options->size > 0) {
        return error_null(function, "options.data");
    }
    return options->timeout_ms < 0
               ? error_set(MPROC_EINVAL, 0, "%s: options.timeout_ms is %lld", function, (long long)options->timeout_ms)
               : 0;
}

static int submit_apply(mproc_pool *pool, const char *function, const mproc_target *target, struct message *body,
                        const mproc_apply_options *options, mproc_async_result **result) {
    bool has_callback = options->callback != NULL || options->error_callback != NULL;
    uv_mutex_lock(&pool->mutex);
    struct mproc_async_result *job = job_create(pool, target, TASK_APPLY, has_callback);
    int status = job != NULL ? 0 : MPROC_ENOMEM;
    if (status == 0) {
        job->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : pool->options.task_timeout_ms;
        job->task_count = 1;
        job->item_count = job->single.count = 1;
        job->single.job = job;
        if (has_callback) {
            job->extras->callback = options->callback;
            job->extras->error_callback = options->error_callback;
            job->extras->user = options->user;
        }
        status = submit_set_body(&job->single, body);
    }
    if (status == 0) {
        job->is_wanted = result != NULL || job_has_callback(job);
        job_use(job); /* the pool's, while it is unfinished */
        status = submit_task(pool, function, &job->single);
        if (status != 0) {
            job_unuse(job);
        }
    }
    if (status == 0) {
        submit_hand_over(job, result);
    } else if (job != NULL) {
        job_unuse(job);
    }
    uv_mutex_unlock(&pool->mutex);
    return status;
}

static int apply_async(mproc_pool *pool, const char *function, mproc_fn fn, cJSON *args,
                       const mproc_apply_options *options, mproc_async_result **result) {
    static const mproc_apply_options defaults;
    const mproc_apply_options *used = options != NULL ? options : &defaults;
    struct message body;
    memset(&body, 0, sizeof body);
    const mproc_target *target = submit_target(pool, function, fn);
    int status = target != NULL ? 0 : mproc_last_error()->code;
    if (status == 0 && (args == NULL || used->kwargs == NULL)) {
        status = value_pending_error();
    }
    if (status == 0) {
        status = check_apply(function, used);
    }
    if (status != 0) {
        value_delete(args);
        value_delete(used->kwargs);
        return status;
    }
    status = encode_call(&body, function, target, args, used);
    if (status == 0) {
        status = submit_apply(pool, function, target, &body, used, result);
    }
    message_clear(&body);
    return status;
}

int mproc_pool_apply_async(mproc_pool *pool, mproc_fn fn, cJSON *args, const mproc_apply_options *options,
                           mproc_async_result **result) {
    return apply_async(pool, "mproc_pool_apply_async", fn, args, options, result);
}

int submit_wait(mproc_async_result *result, cJSON **value) {
    int status = mproc_async_result_get(result, value, MPROC_FOREVER);
    mproc_async_result_destroy(result);
    return status;
}

int mproc_pool_apply(mproc_pool *pool, mproc_fn fn, cJSON *args, const mproc_apply_options *options, cJSON **value) {
    mproc_async_result *result = NULL;
    int status = apply_async(pool, "mproc_pool_apply", fn, args, options, &result);
    return status == 0 ? submit_wait(result, value) : status;
}
