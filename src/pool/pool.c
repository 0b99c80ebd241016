/* SPDX-License-Identifier: MIT */
#include "pool/pool.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/hub.h"
#include "hub/root.h"
#include "process/process.h"
#include "spawn/environment.h"
#include "spawn/runtime.h"
#include "value/cbor.h"
#include "value/value.h"

/* All pools of this process, for its end. */
static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t pools_mutex;
static struct mproc_pool *first_pool;

static void create_mutex(void) {
    (void)uv_mutex_init(&pools_mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

static void enter_pool(struct mproc_pool *pool) {
    uv_once(&once, create_mutex);
    uv_mutex_lock(&pools_mutex);
    pool->next = first_pool;
    first_pool = pool;
    uv_mutex_unlock(&pools_mutex);
}

static void leave_pool(struct mproc_pool *pool) {
    uv_mutex_lock(&pools_mutex);
    struct mproc_pool **place = &first_pool;
    while (*place != NULL && *place != pool) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        *place = pool->next;
    }
    uv_mutex_unlock(&pools_mutex);
}

/* Making ------------------------------------------------------------------------------------------------------- */

static int check_options(const char *function, int workers, const mproc_pool_options *options) {
    static const struct {
        const char *name;
        size_t place;
    } counts[] = {{"workers", offsetof(mproc_pool_options, workers)},
                  {"max_tasks_per_worker", offsetof(mproc_pool_options, max_tasks_per_worker)},
                  {"retries", offsetof(mproc_pool_options, retries)}};
    if (workers < 0 || workers > POOL_WORKERS_MAX || options->workers > POOL_WORKERS_MAX) {
        return error_set(MPROC_EINVAL, 0, "%s: %d workers; 1 to %d are possible, and 0 chooses", function,
                         workers != 0 ? workers : options->workers, POOL_WORKERS_MAX);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        int value;
        memcpy(&value, (const char *)options + counts[i].place, sizeof value);
        if (value < 0) {
            return error_set(MPROC_EINVAL, 0, "%s: options.%s is %d", function, counts[i].name, value);
        }
    }
    if (options->task_timeout_ms < 0) {
        return error_set(MPROC_EINVAL, 0, "%s: options.task_timeout_ms is %lld", function,
                         (long long)options->task_timeout_ms);
    }
    for (size_t i = 0; options->env != NULL && options->env[i] != NULL; i++) {
        const char *equals = strchr(options->env[i], '=');
        if (equals == NULL || equals == options->env[i]) {
            return error_set(MPROC_EINVAL, 0, "%s: options.env has \"%s\", which is not NAME=value", function,
                             options->env[i]);
        }
    }
    return 0;
}

static int set_initializer(struct mproc_pool *pool, const char *function, const mproc_pool_options *options) {
    if (options->initargs != NULL && !cJSON_IsArray(options->initargs)) {
        return error_set(MPROC_ETYPE, 0, "%s: options.initargs is not an array", function);
    }
    if (options->initializer == NULL) {
        return 0;
    }
    pool->initializer = runtime_target_of(options->initializer);
    if (pool->initializer == NULL) {
        return error_set(
            MPROC_ETARGET, 0,
            "%s: the initializer is not in the table given to mproc_init; add MPROC_TARGET(its name) to it", function);
    }
    int status = options->initargs != NULL ? cbor_encode(options->initargs, &pool->initargs) : 0;
    return status == 0 ? 0 : error_prefix("%s: options.initargs: ", function);
}

static void free_pool(struct mproc_pool *pool) {
    shared_block_clear(&pool->block);
    message_clear(&pool->initargs);
    environment_free(pool->environment);
    memory_free(pool->slots);
    memory_free(pool->workers);
    memory_free(pool->breakage);
    uv_cond_destroy(&pool->changed);
    uv_cond_destroy(&pool->progressed);
    uv_cond_destroy(&pool->callback_wanted);
    uv_mutex_destroy(&pool->mutex);
    memory_free(pool);
}

void pool_unuse(struct mproc_pool *pool) {
    bool is_last = --pool->references == 0;
    uv_mutex_unlock(&pool->mutex);
    if (is_last) {
        free_pool(pool);
    }
}

static struct mproc_pool *allocate_pool(unsigned limit) {
    struct mproc_pool *pool = memory_allocate(sizeof *pool);
    struct worker **workers = memory_allocate(limit * sizeof(struct worker *));
    /* libuv's locks fail for want of memory only. */
    if (pool == NULL || workers == NULL || uv_mutex_init(&pool->mutex) != 0 || uv_cond_init(&pool->changed) != 0 ||
        uv_cond_init(&pool->progressed) != 0 || uv_cond_init(&pool->callback_wanted) != 0) {
        memory_free(pool);
        memory_free(workers);
        (void)error_no_memory(sizeof *pool);
        return NULL;
    }
    pool->limit = limit;
    pool->workers = workers;
    pool->references = 1;
    pool->block = (struct shared_block)SHARED_BLOCK_NONE;
    pool->next_check = DEADLINE_NEVER;
    return pool;
}

static int fill_pool(struct mproc_pool *pool, const char *function, const mproc_pool_options *options) {
    int status = set_initializer(pool, function, options);
    if (status == 0 && options->env != NULL) {
        status = environment_create(&pool->environment, options->env);
    }
    if (status == 0) {
        status = root_open_door();
    }
    if (status == 0) {
        status = hub_start();
    }
    if (status == 0) {
        status = shared_block_create(&pool->block, sizeof(struct pool_memory));
    }
    if (status == 0) {
        pool->options = *options;
        pool->memory = pool->block.view;
        delivery_begin(&pool->delivery, &pool->memory->delivery);
    }
    return status;
}

/* Those that nobody has destroyed end with the library. Their handles still want mproc_pool_destroy, and no thread may be
 * using them now. */
static void end_all(void) {
    for (struct mproc_pool *pool = first_pool; pool != NULL; pool = pool->next) {
        (void)mproc_pool_terminate(pool);
        (void)mproc_pool_join(pool, MPROC_FOREVER);
    }
}

int mproc_pool_create(mproc_pool **pool, int workers, const mproc_pool_options *options) {
    static const char function[] = "mproc_pool_create";
    static const mproc_pool_options defaults;
    const mproc_pool_options *used = options != NULL ? options : &defaults;
    int status = runtime_check(function);
    struct mproc_pool *created = NULL;
    if (status == 0 && pool == NULL) {
        status = error_null(function, "pool");
    }
    if (status == 0) {
        status = check_options(function, workers, used);
    }
    if (status == 0) {
        int limit = workers > 0 ? workers : used->workers > 0 ? used->workers : mproc_cpu_count();
        created = allocate_pool((unsigned)limit);
        status = created != NULL ? fill_pool(created, function, used) : MPROC_ENOMEM;
    }
    if (status == 0) {
        processes_expect_end();
        runtime_at_shutdown(end_all); /* before the processes are ended */
        enter_pool(created);
        *pool = created;
    } else if (created != NULL) {
        free_pool(created);
    }
    value_delete(used->initargs);
    return status;
}

/* Ending ------------------------------------------------------------------------------------------------------- */

int pool_check_running(struct mproc_pool *pool, const char *function) {
    if (pool->breakage != NULL) {
        return failure_raise(pool->breakage);
    }
    if (pool->state != POOL_RUNNING) {
        return error_set(MPROC_ECLOSED, 0, "%s: the pool is %s; no more tasks can be given to it", function,
                         pool->state == POOL_CLOSED ? "closed" : "terminated");
    }
    return pool->has_supervisor ? 0 : supervisor_start(pool);
}

void pool_note_progress(struct mproc_pool *pool) {
    uv_cond_broadcast(&pool->progressed);
    if (pool->state != POOL_RUNNING && pool->unfinished == 0) {
        supervisor_wake(pool);
        uv_cond_signal(&pool->callback_wanted);
    }
}

int mproc_pool_close(mproc_pool *pool) {
    if (pool == NULL) {
        return error_null("mproc_pool_close", "pool");
    }
    uv_mutex_lock(&pool->mutex);
    if (pool->state == POOL_RUNNING) {
        pool->state = POOL_CLOSED;
    }
    pool_note_progress(pool);
    uv_mutex_unlock(&pool->mutex);
    return 0;
}

int mproc_pool_terminate(mproc_pool *pool) {
    if (pool == NULL) {
        return error_null("mproc_pool_terminate", "pool");
    }
    uv_mutex_lock(&pool->mutex);
    if (pool->state != POOL_TERMINATED) {
        pool->state = POOL_TERMINATED;
        for (unsigned i = 0; i < pool->limit; i++) {
            if (pool->workers[i] != NULL && pool->workers[i]->state == WORKER_ALIVE) {
                (void)mproc_process_kill(pool->workers[i]->process); /* or it has ended by itself */
            }
        }
        static const mproc_error error = {
            MPROC_ECANCELED, 0, "the pool was terminated before the task returned", NULL, 0, 0};
        tasks_fail_all(pool, &error);
        supervisor_wake(pool);
    }
    pool_note_progress(pool);
    uv_mutex_unlock(&pool->mutex);
    return 0;
}

/* All work is done, all workers have ended, and all callbacks have run. */
static bool is_over(const struct mproc_pool *pool) {
    return pool->unfinished == 0 && pool->first_callback == NULL && !pool->callback_is_running &&
           (!pool->has_supervisor || pool->supervisor_has_ended) &&
           (!pool->has_callback_thread || pool->callback_thread_has_ended);
}

int mproc_pool_join(mproc_pool *pool, int64_t timeout_ms) {
    static const char function[] = "mproc_pool_join";
    if (pool == NULL) {
        return error_null(function, "pool");
    }
    deadline until = deadline_after(timeout_ms);
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    uv_mutex_lock(&pool->mutex);
    if (pool->state == POOL_RUNNING) {
        status = error_set(MPROC_ESTATE, 0, "%s: the pool still takes tasks; call mproc_pool_close first", function);
    } else if (callbacks_is_this_thread(pool)) {
        status = error_set(MPROC_ESTATE, 0, "%s: a callback cannot wait for its own pool to end", function);
    }
    while (status == 0 && !is_over(pool)) {
        if (!deadline_wait(&pool->progressed, &pool->mutex, until) && !is_over(pool)) {
            status = error_set(MPROC_ETIMEDOUT, 0, "%s: %llu tasks are not done after %lld ms", function,
                               (unsigned long long)pool->unfinished, (long long)timeout_ms);
        }
    }
    uv_mutex_unlock(&pool->mutex);
    return status;
}

void mproc_pool_destroy(mproc_pool *pool) {
    if (pool == NULL) {
        return;
    }
    (void)mproc_pool_terminate(pool);
    bool is_callback = callbacks_is_this_thread(pool);
    (void)mproc_pool_join(pool, MPROC_FOREVER); /* a callback cannot, and then its thread ends by itself */
    leave_pool(pool);
    uv_mutex_lock(&pool->mutex);
    bool must_join = pool->has_supervisor && !is_callback,
         must_join_callbacks = pool->has_callback_thread && !is_callback;
    uv_mutex_unlock(&pool->mutex);
    if (must_join) {
        (void)uv_thread_join(&pool->supervisor);
    }
    if (must_join_callbacks) {
        (void)uv_thread_join(&pool->callback_thread);
    }
    uv_mutex_lock(&pool->mutex);
    pool_unuse(pool);
}

/* Telling ------------------------------------------------------------------------------------------------------ */

struct worker_times {
    uint64_t busy, idle, task; /* nanoseconds */
    uint64_t number;           /* of the present task; 0: none */
};

static struct worker_times times_of(const struct worker *worker, uint64_t now) {
    const struct worker_memory *memory = worker->memory;
    struct worker_times times = {0, 0, 0, 0};
    uint64_t ready_at = atomic_load(&memory->ready_at), begun_at = atomic_load(&memory->begun_at);
    times.busy = atomic_load(&memory->busy_time);
    if (begun_at > 0 && begun_at < now) {
        times.number = atomic_load(&memory->running);
        times.task = now - begun_at;
        times.busy += times.task;
    }
    if (ready_at > 0 && now - ready_at > times.busy) {
        times.idle = now - ready_at - times.busy;
    }
    return times;
}

static double seconds(uint64_t nanoseconds) {
    return (double)nanoseconds / 1e9;
}

int mproc_pool_get_stats(mproc_pool *pool, mproc_pool_stats *stats) {
    static const char function[] = "mproc_pool_get_stats";
    if (pool == NULL || stats == NULL) {
        return error_null(function, pool == NULL ? "pool" : "stats");
    }
    uint64_t now = uv_hrtime(), busy, idle;
    uv_mutex_lock(&pool->mutex);
    busy = pool->ended_busy;
    idle = pool->ended_idle;
    memset(stats, 0, sizeof *stats);
    for (unsigned i = 0; i < pool->limit; i++) {
        if (pool->workers[i] != NULL && pool->workers[i]->state == WORKER_ALIVE) {
            struct worker_times times = times_of(pool->workers[i], now);
            stats->workers++;
            stats->busy += times.number != 0;
            busy += times.busy;
            idle += times.idle;
        }
    }
    stats->started = pool->started;
    stats->submitted = pool->submitted;
    stats->completed = pool->completed;
    stats->failed = pool->failed;
    stats->pending = pool->submitted - pool->completed - pool->failed;
    uv_mutex_unlock(&pool->mutex);
    stats->busy_seconds = seconds(busy);
    stats->idle_seconds = seconds(idle);
    return 0;
}

static void fill_worker_stats(struct mproc_pool *pool, const struct worker *worker, uint64_t now,
                              mproc_worker_stats *stats) {
    struct worker_times times = times_of(worker, now);
    const struct pool_task *task = task_of_number(pool, times.number);
    uint64_t ready_at = atomic_load(&worker->memory->ready_at);
    memset(stats, 0, sizeof *stats);
    stats->pid = mproc_process_pid(worker->process);
    stats->tasks = atomic_load(&worker->memory->tasks);
    stats->start_seconds = ready_at > worker->started_at ? seconds(ready_at - worker->started_at) : 0;
    stats->busy_seconds = seconds(times.busy);
    stats->idle_seconds = seconds(times.idle);
    stats->task_seconds = seconds(times.task);
    stats->target = task != NULL ? task->job->target->name : NULL; /* the application's own, which stays */
}

size_t mproc_pool_get_worker_stats(mproc_pool *pool, mproc_worker_stats *stats, size_t capacity) {
    size_t count = 0;
    uint64_t now = uv_hrtime();
    if (pool == NULL) {
        return 0;
    }
    uv_mutex_lock(&pool->mutex);
    for (unsigned i = 0; i < pool->limit; i++) {
        if (pool->workers[i] != NULL && pool->workers[i]->state == WORKER_ALIVE) {
            if (count < capacity && stats != NULL) {
                fill_worker_stats(pool, pool->workers[i], now, &stats[count]);
            }
            count++;
        }
    }
    uv_mutex_unlock(&pool->mutex);
    return count;
}
