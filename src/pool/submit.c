/* SPDX-License-Identifier: MIT */
/* From a call to tasks. All is encoded by the caller's thread, so that its errors go to the caller. */
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

static void set_head(struct message *body, uint64_t item_size, uint64_t result_size) {
    struct task_head head;
    memcpy(&head, body->bytes.data, sizeof head);
    head.item_size = item_size;
    head.result_size = result_size;
    memcpy(body->bytes.data, &head, sizeof head);
}

static int append_padding(struct message *body) {
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
        status = append_padding(body);
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

/* The caller's part in a job: NULL where he does not want it. */
static void hand_over(struct mproc_async_result *job, mproc_async_result **result) {
    if (result != NULL) {
        *result = job;
    } else {
        job->is_wanted = job_has_callback(job);
        job_unuse(job);
    }
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
        hand_over(job, result);
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

/* A call that waits for its own result. */
static int get_and_destroy(mproc_async_result *result, cJSON **value) {
    int status = mproc_async_result_get(result, value, MPROC_FOREVER);
    mproc_async_result_destroy(result);
    return status;
}

int mproc_pool_apply(mproc_pool *pool, mproc_fn fn, cJSON *args, const mproc_apply_options *options, cJSON **value) {
    mproc_async_result *result = NULL;
    int status = apply_async(pool, "mproc_pool_apply", fn, args, options, &result);
    return status == 0 ? get_and_destroy(result, value) : status;
}

/* Map ---------------------------------------------------------------------------------------------------------- */

size_t submit_chunk_size(const struct mproc_pool *pool, size_t count, size_t wanted) {
    size_t chunks = (size_t)pool->limit * CHUNKS_PER_WORKER;
    size_t chosen = wanted > 0 ? wanted : (count + chunks - 1) / chunks;
    return chosen > 0 ? chosen : 1;
}

/* A job of so many items in chunks, not submitted yet. With the lock. NULL: no memory. */
static struct mproc_async_result *create_map(struct mproc_pool *pool, const mproc_target *target, enum task_form form,
                                             size_t count, size_t chunk) {
    struct mproc_async_result *job = job_create(pool, target, form, true);
    size_t task_count = (count + chunk - 1) / chunk;
    if (job == NULL || task_count <= 1) {
        task_count = count > 0 ? 1 : 0;
    } else {
        job->tasks = memory_allocate(task_count * sizeof *job->tasks);
        if (job->tasks == NULL) {
            job->tasks = &job->single;
            job_unuse(job);
            job = NULL;
        }
    }
    if (job == NULL) {
        return NULL;
    }
    job->timeout_ms = pool->options.task_timeout_ms;
    job->task_count = (uint32_t)task_count;
    job->item_count = (uint32_t)count;
    job->is_wanted = true;
    for (size_t i = 0; i < task_count; i++) {
        job->tasks[i].job = job;
        job->tasks[i].first = (uint32_t)(i * chunk);
        job->tasks[i].count = (uint32_t)(count - i * chunk < chunk ? count - i * chunk : chunk);
    }
    return job;
}

/* The body of a chunk; `context` moves on to the next one. */
typedef int encode_chunk(void *context, struct pool_task *task, struct message *body);

/* Encodes and submits one chunk after the other, so that workers begin meanwhile. With the lock, which is not held while
 * encoding. Returns how many chunks were submitted. */
static uint32_t submit_chunks(struct mproc_async_result *job, const char *function, encode_chunk *encode, void *context,
                              int *status) {
    struct mproc_pool *pool = job->pool;
    uint32_t submitted = 0;
    *status = 0;
    while (submitted < job->task_count && *status == 0) {
        struct pool_task *task = &job->tasks[submitted];
        struct message body;
        memset(&body, 0, sizeof body);
        uv_mutex_unlock(&pool->mutex);
        *status = encode(context, task, &body);
        uv_mutex_lock(&pool->mutex);
        if (*status == 0) {
            *status = submit_set_body(task, &body);
        }
        if (*status == 0) {
            *status = submit_task(pool, function, task);
        }
        message_clear(&body);
        submitted += *status == 0;
    }
    return submitted;
}

/* The map failed after so many of its chunks were submitted: what has not begun does not, and what has is in vain. With the
 * lock. */
static void abandon(struct mproc_async_result *job, uint32_t submitted) {
    static const mproc_error error = {MPROC_ECANCELED, 0, "the rest of the map could not be submitted", NULL, 0, 0};
    struct mproc_pool *pool = job->pool;
    job->extras->callback = NULL;
    job->extras->error_callback = NULL;
    job->extras->bytes = NULL;
    job->is_wanted = false;
    task_clear_body(&job->tasks[submitted]); /* the one that was refused */
    job->task_count = submitted;
    if (job->tasks_done == submitted) {
        job_settle(job);
        return;
    }
    for (uint32_t i = 0; i < submitted; i++) {
        struct pool_task *task = &job->tasks[i];
        if (task->state == TASK_WAITING ||
            (task->state == TASK_HANDED && delivery_withdraw(&pool->delivery, task_delivery(pool, task)))) {
            task_fail_rest(pool, task, &error);
        }
    }
}

static void show_progress(struct mproc_async_result *job, const char *label) {
    struct mproc_pool *pool = job->pool;
    job->extras->progress = label != NULL ? progress_create(label, job->item_count) : NULL;
    if (job->extras->progress != NULL) { /* for want of memory there is none */
        job_use(job);
        job->extras->next_progressing = pool->progressing;
        pool->progressing = job;
        supervisor_wake(pool);
    }
}

/* What a map is to do, whatever its items are. */
struct map_request {
    const char *function;
    enum task_form form;
    size_t count;
    const mproc_map_options *options; /* not NULL */
    encode_chunk *encode;
    void *context;
    uint8_t *bytes; /* where results of TASK_BYTES go; NULL: they are values */
    size_t result_size;
};

/* The job, ready for its chunks. With the lock. */
static int prepare_map(mproc_pool *pool, const mproc_target *target, const struct map_request *request,
                       struct mproc_async_result **job) {
    const mproc_map_options *options = request->options;
    int status = pool_check_running(pool, request->function);
    if (status == 0 && request->count > UINT32_MAX - 1) {
        status = error_set(MPROC_ERANGE, 0, "%s: %llu items; at most %lu are possible", request->function,
                           (unsigned long long)request->count, (unsigned long)UINT32_MAX - 1);
    }
    if (status != 0) {
        return status;
    }
    struct mproc_async_result *created = create_map(pool, target, request->form, request->count,
                                                    submit_chunk_size(pool, request->count, options->chunksize));
    if (created == NULL) {
        return MPROC_ENOMEM;
    }
    created->extras->callback = options->callback;
    created->extras->error_callback = options->error_callback;
    created->extras->user = options->user;
    created->extras->bytes = request->bytes;
    created->extras->result_size = request->result_size;
    created->is_wanted = request->bytes == NULL;
    *job = created;
    return 0;
}

static int map_async(mproc_pool *pool, const mproc_target *target, const struct map_request *request,
                     mproc_async_result **result) {
    struct mproc_async_result *job = NULL;
    uv_mutex_lock(&pool->mutex);
    int status = prepare_map(pool, target, request, &job);
    if (status != 0) {
        uv_mutex_unlock(&pool->mutex);
        return status;
    }
    job_use(job); /* the pool's, while it is unfinished */
    show_progress(job, request->options->progress);
    if (job->task_count == 0) {
        job_settle(job);
    } else {
        uint32_t submitted = submit_chunks(job, request->function, request->encode, request->context, &status);
        if (status != 0) {
            abandon(job, submitted);
        }
    }
    if (status == 0) {
        hand_over(job, result);
    } else {
        job_unuse(job);
    }
    uv_mutex_unlock(&pool->mutex);
    return status;
}

static const mproc_map_options *options_or_defaults(const mproc_map_options *options) {
    static const mproc_map_options defaults;
    return options != NULL ? options : &defaults;
}

/* Maps of values ----------------------------------------------------------------------------------------------- */

struct value_items {
    const char *function;
    const mproc_target *target;
    enum task_form form;
    const cJSON *next;
    uint32_t index;
};

static int encode_values(void *context, struct pool_task *task, struct message *body) {
    struct value_items *items = context;
    int status = submit_begin_body(body, items->target, items->form, task->count);
    for (uint32_t i = 0; i < task->count && items->next != NULL && status == 0; i++) {
        if (items->form == TASK_STARMAP && !cJSON_IsArray(items->next)) {
            return error_set(MPROC_ETYPE, 0, "%s: item %lu is not an array of arguments", items->function,
                             (unsigned long)items->index);
        }
        status = submit_append_item(body, items->next);
        if (status != 0) {
            (void)error_prefix("%s: item %lu: ", items->function, (unsigned long)items->index);
        }
        items->next = items->next->next;
        items->index++;
    }
    return status;
}

/* items is taken. */
static int map_values(mproc_pool *pool, const char *function, mproc_fn fn, enum task_form form, cJSON *items,
                      const mproc_map_options *options, mproc_async_result **result) {
    struct value_items context = {function, NULL, form, NULL, 0};
    struct map_request request = {function, form, 0, options_or_defaults(options), encode_values, &context, NULL, 0};
    context.target = submit_target(pool, function, fn);
    int status = context.target != NULL ? 0 : mproc_last_error()->code;
    if (status == 0 && items == NULL) {
        status = value_pending_error();
        status = status != 0 ? status : error_null(function, "items");
    } else if (status == 0 && !cJSON_IsArray(items)) {
        status = error_set(MPROC_ETYPE, 0, "%s: items is not an array", function);
    }
    if (status == 0) {
        context.next = items->child;
        for (const cJSON *item = items->child; item != NULL; item = item->next) {
            request.count++;
        }
        status = map_async(pool, context.target, &request, result);
    }
    value_delete(items);
    return status;
}

int mproc_pool_map_async(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options,
                         mproc_async_result **result) {
    return map_values(pool, "mproc_pool_map_async", fn, TASK_MAP, items, options, result);
}

int mproc_pool_starmap_async(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options,
                             mproc_async_result **result) {
    return map_values(pool, "mproc_pool_starmap_async", fn, TASK_STARMAP, items, options, result);
}

int mproc_pool_map(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options, cJSON **values) {
    mproc_async_result *result = NULL;
    int status = map_values(pool, "mproc_pool_map", fn, TASK_MAP, items, options, &result);
    return status == 0 ? get_and_destroy(result, values) : status;
}

int mproc_pool_starmap(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options, cJSON **values) {
    mproc_async_result *result = NULL;
    int status = map_values(pool, "mproc_pool_starmap", fn, TASK_STARMAP, items, options, &result);
    return status == 0 ? get_and_destroy(result, values) : status;
}

/* Maps of bytes ------------------------------------------------------------------------------------------------ */

struct byte_items {
    const mproc_target *target;
    const uint8_t *items;
    size_t item_size, result_size;
};

static int encode_bytes(void *context, struct pool_task *task, struct message *body) {
    const struct byte_items *items = context;
    int status = submit_begin_body(body, items->target, TASK_BYTES, task->count);
    if (status == 0) {
        set_head(body, items->item_size, items->result_size);
        status = append_padding(body);
    }
    if (status == 0) {
        status =
            buffer_append(&body->bytes, items->items + task->first * items->item_size, task->count * items->item_size);
    }
    return status;
}

static int check_bytes(const char *function, const void *items, size_t count, size_t item_size, const void *results,
                       size_t result_size) {
    if ((items == NULL && count * item_size > 0) || (results == NULL && count * result_size > 0)) {
        return error_null(function, items == NULL ? "items" : "results");
    }
    if (item_size > MPROC_MESSAGE_MAX / 2 || result_size > MPROC_MESSAGE_MAX / 2 ||
        (item_size > 0 && count > SIZE_MAX / item_size) || (result_size > 0 && count > SIZE_MAX / result_size)) {
        return error_set(MPROC_ERANGE, 0, "%s: items of %llu bytes, results of %llu: too large", function,
                         (unsigned long long)item_size, (unsigned long long)result_size);
    }
    return 0;
}

int mproc_pool_map_bytes(mproc_pool *pool, mproc_fn fn, const void *items, size_t count, size_t item_size,
                         void *results, size_t result_size, const mproc_map_options *options) {
    static const char function[] = "mproc_pool_map_bytes";
    struct byte_items context = {submit_target(pool, function, fn), items, item_size, result_size};
    struct map_request request = {function,     TASK_BYTES, count,   options_or_defaults(options),
                                  encode_bytes, &context,   results, result_size};
    mproc_async_result *result = NULL;
    cJSON *none = NULL;
    if (context.target == NULL) {
        return mproc_last_error()->code;
    }
    int status = check_bytes(function, items, count, item_size, results, result_size);
    if (status == 0) {
        status = map_async(pool, context.target, &request, &result);
    }
    if (status == 0) {
        status = get_and_destroy(result, &none);
        value_delete(none);
    }
    return status;
}
