/* SPDX-License-Identifier: MIT */
/* map and starmap, over values and over plain data: an array becomes a job of chunks. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "pool/pool.h"
#include "pool/submit.h"
#include "value/value.h"

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

static bool has_no_progress(const void *job) {
    return ((const struct mproc_async_result *)job)->extras->progress == NULL;
}

/* Of a map that failed. With the lock. */
static void end_progress(struct mproc_async_result *job) {
    job->extras->is_abandoned = true;
    supervisor_wake(job->pool);
    (void)pool_wait(job->pool, &job->waiters, has_no_progress, job, DEADLINE_NEVER);
}

static void show_progress(struct mproc_async_result *job, const char *label) {
    struct mproc_pool *pool = job->pool;
    job->extras->progress = label != NULL ? progress_create(label, job->item_count, uv_hrtime()) : NULL;
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
            end_progress(job);
        }
    }
    if (status == 0) {
        submit_hand_over(job, result);
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
    return status == 0 ? submit_wait(result, values) : status;
}

int mproc_pool_starmap(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options, cJSON **values) {
    mproc_async_result *result = NULL;
    int status = map_values(pool, "mproc_pool_starmap", fn, TASK_STARMAP, items, options, &result);
    return status == 0 ? submit_wait(result, values) : status;
}

/* Maps of bytes ------------------------------------------------------------------------------------------------ */

struct byte_items {
    const mproc_target *target;
    const uint8_t *items;
    size_t item_size, result_size;
};

static void set_head(struct message *body, uint64_t item_size, uint64_t result_size) {
    struct task_head head;
    memcpy(&head, body->bytes.data, sizeof head);
    head.item_size = item_size;
    head.result_size = result_size;
    memcpy(body->bytes.data, &head, sizeof head);
}

static int encode_bytes(void *context, struct pool_task *task, struct message *body) {
    const struct byte_items *items = context;
    int status = submit_begin_body(body, items->target, TASK_BYTES, task->count);
    if (status == 0) {
        set_head(body, items->item_size, items->result_size);
        status = submit_append_padding(body);
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
        status = submit_wait(result, &none);
        value_delete(none);
    }
    return status;
}
