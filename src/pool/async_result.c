/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "pool/pool.h"
#include "spawn/runtime.h"
#include "value/cbor.h"
#include "value/value.h"

/* Failures ----------------------------------------------------------------------------------------------------- */

struct job_failure *failure_create(uint32_t item, const mproc_error *error) {
    size_t length = strlen(error->message) + 1;
    struct job_failure *failure = memory_allocate(sizeof *failure + length);
    if (failure != NULL) {
        failure->item = item;
        failure->error = *error;
        memcpy(failure->message, error->message, length);
        failure->error.message = failure->message;
    }
    return failure;
}

int failure_raise(const struct job_failure *failure) {
    const mproc_error *error = &failure->error;
    (void)error_set(error->code, error->system_code, "%s", error->message);
    error_set_task(error->target, error->pid, error->exitcode);
    return error->code;
}

/* For want of memory for the text. */
static const struct job_failure *no_memory_failure(void) {
    static const struct job_failure failure = {0, {MPROC_ENOMEM, 0, "out of memory", NULL, 0, 0}};
    return &failure;
}

void job_note_failure(struct mproc_async_result *job, uint32_t item, const mproc_error *error) {
    if (job->failure != NULL && job->failure->item <= item) {
        return;
    }
    struct job_failure *failure = failure_create(item, error);
    if (failure != NULL || job->failure == NULL) {
        if (job->failure != no_memory_failure()) {
            memory_free(job->failure);
        }
        job->failure = failure != NULL ? failure : (struct job_failure *)(uintptr_t)no_memory_failure();
    }
}

/* Jobs --------------------------------------------------------------------------------------------------------- */

static struct job_extras no_extras; /* only read */

struct mproc_async_result *job_create(struct mproc_pool *pool, const mproc_target *target, enum task_form form,
                                      bool has_extras) {
    struct mproc_async_result *job = memory_allocate(sizeof *job);
    struct job_extras *extras = has_extras && job != NULL ? memory_allocate(sizeof *extras) : &no_extras;
    if (extras == NULL) {
        memory_free(job);
        return NULL;
    }
    if (job != NULL) {
        job->extras = extras;
        job->pool = pool;
        job->target = target;
        job->form = (uint8_t)form;
        job->tasks = &job->single;
        job->references = 1;
        pool->references++;
    }
    return job;
}

bool job_has_callback(const struct mproc_async_result *job) {
    return job->extras->callback != NULL || job->extras->error_callback != NULL;
}

void job_use(struct mproc_async_result *job) {
    job->references++;
}

static void free_task(struct pool_task *task) {
    task_clear_body(task);
    memory_free(task->results);
    while (task->result_handles != NULL) {
        struct result_handles *handles = task->result_handles;
        task->result_handles = handles->next;
        message_clear(&handles->message);
        memory_free(handles);
    }
}

void job_unuse(struct mproc_async_result *job) {
    if (--job->references > 0) {
        return;
    }
    for (uint32_t i = 0; i < job->task_count; i++) {
        free_task(&job->tasks[i]);
    }
    if (job->tasks != &job->single) {
        memory_free(job->tasks);
    }
    if (job->failure != no_memory_failure()) {
        memory_free(job->failure);
    }
    progress_destroy(job->extras->progress);
    if (job->extras != &no_extras) {
        memory_free(job->extras);
    }
    job->pool->references--; /* whoever calls has a reference of his own */
    memory_free(job);
}

void job_become_ready(struct mproc_async_result *job) {
    job->is_ready = true;
    pool_wake(job->waiters);
    job_note_results(job);
    job_unuse(job); /* the pool's */
}

void job_note_results(struct mproc_async_result *job) {
    if (job->extras->iterator != NULL) {
        iterator_wake(job->extras->iterator);
    }
}

void job_note_task_done(struct mproc_async_result *job) {
    job->tasks_done++;
    if (job->tasks_done == job->task_count) {
        job_settle(job);
    } else {
        job_note_results(job);
    }
}

void job_settle(struct mproc_async_result *job) {
    job->is_settled = true;
    if (job->extras->progress != NULL) {
        supervisor_wake(job->pool); /* draws for the last time, and then hands it on */
    } else {
        job_hand_on(job);
    }
}

void job_hand_on(struct mproc_async_result *job) {
    if (job->failure != NULL ? job->extras->error_callback != NULL : job->extras->callback != NULL) {
        callbacks_add(job);
    } else {
        job_become_ready(job);
    }
}

/* Waiting ------------------------------------------------------------------------------------------------------ */

void pool_wake(struct waiter *list) {
    for (; list != NULL; list = list->next) {
        if (list->bell != NULL) {
            bell_ring(list->bell);
        } else {
            uv_cond_signal(&list->changed);
        }
    }
}

void pool_leave(struct waiter **list, const struct waiter *waiter) {
    while (*list != waiter) {
        list = &(*list)->next;
    }
    *list = waiter->next;
}

bool pool_wait(struct mproc_pool *pool, struct waiter **list, bool (*is_done)(const void *context), const void *context,
               deadline until) {
    struct waiter waiter;
    if (is_done(context) || until == DEADLINE_NOW || uv_cond_init(&waiter.changed) != 0) {
        return is_done(context);
    }
    waiter.bell = NULL;
    waiter.next = *list;
    // cppcheck-suppress autoVariables ; it leaves the list below
    *list = &waiter;
    while (!is_done(context) && deadline_wait(&waiter.changed, &pool->mutex, until)) {
    }
    pool_leave(list, &waiter);
    uv_cond_destroy(&waiter.changed);
    return is_done(context);
}

static bool is_ready(const void *context) {
    return ((const struct mproc_async_result *)context)->is_ready;
}

int result_check_wait(const struct mproc_async_result *result, const char *function) {
    if (result->is_ready || !callbacks_is_this_thread(result->pool)) {
        return 0;
    }
    return error_set(MPROC_ESTATE, 0,
                     "%s: this is a callback, and the result of %s is not there: waiting for it here could never end",
                     function, result->target->name);
}

/* Waits for the job. Returns 0; MPROC_ETIMEDOUT; MPROC_ESTATE. */
static int wait_ready(mproc_async_result *result, const char *function, int64_t timeout_ms) {
    struct mproc_pool *pool = result->pool;
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    uv_mutex_lock(&pool->mutex);
    if (timeout_ms != 0) {
        status = result_check_wait(result, function);
    }
    if (status == 0 && timeout_ms != 0 && result->task_count == 1) {
        workers_watch(pool, is_ready, result);
    }
    if (status == 0 && !pool_wait(pool, &result->waiters, is_ready, result, deadline_after(timeout_ms))) {
        status = error_set(MPROC_ETIMEDOUT, 0, "%s: %s has not returned within %lld ms", function, result->target->name,
                           (long long)timeout_ms);
    }
    uv_mutex_unlock(&pool->mutex);
    return status;
}

/* Values ------------------------------------------------------------------------------------------------------- */

const struct message *result_handles_of(const struct pool_task *task, uint32_t item) {
    const struct result_handles *handles = task->result_handles;
    while (handles != NULL && handles->item != item) {
        handles = handles->next;
    }
    return handles != NULL ? &handles->message : NULL;
}

int result_decode(const struct result_record *record, const uint8_t *data, const struct message *handles,
                  const mproc_target *target, cJSON **value) {
    struct message copy;
    size_t used;
    if (record->kind == RESULT_FAILURE) {
        mproc_error error;
        memcpy(&error, data, sizeof error);
        (void)error_set(error.code, error.system_code, "%s", (const char *)data + sizeof error);
        error_set_task(target->name, error.pid, error.exitcode);
        return error.code;
    }
    if (record->kind == RESULT_BYTES) {
        return error_set(MPROC_ETYPE, 0, "%s returned raw bytes; get them with mproc_async_result_get_bytes",
                         target->name);
    }
    memset(&copy, 0, sizeof copy);
    int status = handles != NULL ? message_copy_handles(handles, &copy) : 0;
    if (status == 0) {
        status = cbor_decode(data, (size_t)record->size, &used, copy.handles, copy.handle_count, value);
    }
    message_clear(&copy);
    return status;
}

/* Adds the values of a task to the array. */
static int decode_task(const struct mproc_async_result *job, const struct pool_task *task, cJSON *values) {
    size_t place = 0;
    uint32_t item = 0;
    int status = 0;
    while (place < task->results_size && status == 0) {
        struct result_record record;
        cJSON *value = NULL;
        memcpy(&record, task->results + place, sizeof record);
        status = result_decode(&record, task->results + place + sizeof record, result_handles_of(task, item++),
                               job->target, &value);
        if (status == 0 && !cJSON_AddItemToArray(values, value)) {
            value_delete(value);
            status = error_no_memory(sizeof *value);
        }
        place += RESULT_SIZE(record.size);
    }
    return status;
}

static int decode_all(const struct mproc_async_result *job, cJSON **value) {
    cJSON *values = cJSON_CreateArray();
    int status = values != NULL ? 0 : error_no_memory(sizeof *values);
    for (uint32_t i = 0; i < job->task_count && status == 0; i++) {
        status = decode_task(job, &job->tasks[i], values);
    }
    if (status != 0) {
        value_delete(values);
        return status;
    }
    *value = values;
    return 0;
}

/* The value of a job that is settled. */
int job_decode(const struct mproc_async_result *job, cJSON **value) {
    if (job->failure != NULL) {
        return failure_raise(job->failure);
    }
    if (job->form != TASK_APPLY) {
        return decode_all(job, value);
    }
    struct result_record record;
    memcpy(&record, job->single.results, sizeof record);
    return result_decode(&record, job->single.results + sizeof record, result_handles_of(&job->single, 0), job->target,
                         value);
}

/* What a caller sees ------------------------------------------------------------------------------------------- */

int mproc_async_result_get(mproc_async_result *result, cJSON **value, int64_t timeout_ms) {
    static const char function[] = "mproc_async_result_get";
    cJSON *unwanted = NULL;
    if (result == NULL) {
        return error_null(function, "result");
    }
    int status = wait_ready(result, function, timeout_ms);
    if (status == 0) {
        status = job_decode(result, value != NULL ? value : &unwanted);
        value_delete(unwanted);
    }
    return status;
}

int mproc_async_result_get_bytes(mproc_async_result *result, const void **data, size_t *size, int64_t timeout_ms) {
    static const char function[] = "mproc_async_result_get_bytes";
    struct result_record record;
    if (result == NULL || data == NULL || size == NULL) {
        return error_null(function, result == NULL ? "result" : data == NULL ? "data" : "size");
    }
    int status = wait_ready(result, function, timeout_ms);
    if (status == 0 && result->failure != NULL) {
        return failure_raise(result->failure);
    }
    if (status == 0 && result->form == TASK_APPLY) {
        memcpy(&record, result->single.results, sizeof record);
    }
    if (status == 0 && (result->form != TASK_APPLY || record.kind != RESULT_BYTES)) {
        return error_set(MPROC_ETYPE, 0, "%s: %s returned a value; get it with mproc_async_result_get", function,
                         result->target->name);
    }
    if (status == 0) {
        *data = result->single.results + sizeof record;
        *size = (size_t)record.size;
    }
    return status;
}

int mproc_async_result_wait(mproc_async_result *result, int64_t timeout_ms) {
    return result == NULL ? error_null("mproc_async_result_wait", "result")
                          : wait_ready(result, "mproc_async_result_wait", timeout_ms);
}

bool mproc_async_result_ready(const mproc_async_result *result) {
    bool ready = false;
    if (result != NULL) {
        uv_mutex_lock(&result->pool->mutex);
        ready = result->is_ready;
        uv_mutex_unlock(&result->pool->mutex);
    }
    return ready;
}

int mproc_async_result_successful(const mproc_async_result *result, bool *successful) {
    static const char function[] = "mproc_async_result_successful";
    if (result == NULL || successful == NULL) {
        return error_null(function, result == NULL ? "result" : "successful");
    }
    if (!mproc_async_result_ready(result)) {
        return error_set(MPROC_ESTATE, 0, "%s: the result of %s is not ready", function, result->target->name);
    }
    *successful = result->failure == NULL;
    return 0;
}

const mproc_error *mproc_async_result_error(const mproc_async_result *result) {
    if (result == NULL || !mproc_async_result_ready(result) || result->failure == NULL) {
        return NULL;
    }
    return &result->failure->error;
}

/* The worker that carries the task out: it says so itself, but for the moment before it begins. */
static struct worker *find_worker(struct mproc_pool *pool, const struct pool_task *task) {
    uint64_t number = task_number(pool, task);
    for (int i = 0; i < 2; i++) { /* it may have begun meanwhile */
        for (unsigned index = 0; index < pool->limit; index++) {
            struct worker *worker = pool->workers[index];
            if (worker != NULL && worker->memory != NULL && atomic_load(&worker->memory->running) == number) {
                return worker;
            }
        }
        uint32_t taker = delivery_taker(&pool->delivery, task_delivery(pool, task));
        if (taker > 0) {
            return pool->workers[taker - 1];
        }
    }
    return NULL; /* it has ended, and its results are on their way */
}

/* Whether the task, or part of it, has begun. With the lock. */
static bool cancel_task(struct mproc_pool *pool, struct pool_task *task) {
    static const mproc_error error = {MPROC_ECANCELED, 0, "the task was cancelled before it ran", NULL, 0, 0};
    bool has_begun = task->has_begun || task->received > 0;
    if (task->state == TASK_DONE) {
        return true;
    }
    if (task->state == TASK_HANDED && !delivery_withdraw(&pool->delivery, task_delivery(pool, task))) {
        struct worker *worker = find_worker(pool, task);
        if (worker != NULL) {
            atomic_store_release(&worker->memory->cancelled, task_number(pool, task));
        }
        return true;
    }
    task_fail_rest(pool, task, &error);
    return has_begun;
}

int mproc_async_result_cancel(mproc_async_result *result) {
    static const char function[] = "mproc_async_result_cancel";
    if (result == NULL) {
        return error_null(function, "result");
    }
    struct mproc_pool *pool = result->pool;
    bool has_begun = false;
    uv_mutex_lock(&pool->mutex);
    bool is_done = result->is_settled;
    job_use(result);
    result->is_canceled = true;
    for (uint32_t i = 0; i < result->task_count && !is_done; i++) {
        has_begun = cancel_task(pool, &result->tasks[i]) || has_begun;
    }
    job_unuse(result);
    uv_mutex_unlock(&pool->mutex);
    if (is_done || has_begun) {
        return error_set(MPROC_ESTATE, 0, "%s: %s %s", function, result->target->name,
                         is_done ? "has ended already" : "runs already; it was told to give up");
    }
    return 0;
}

void mproc_async_result_destroy(mproc_async_result *result) {
    if (result != NULL) {
        struct mproc_pool *pool = result->pool;
        uv_mutex_lock(&pool->mutex);
        pool->references++; /* until below */
        result->is_wanted = job_has_callback(result);
        job_unuse(result);
        pool_unuse(pool);
    }
}
