/* SPDX-License-Identifier: MIT */
/* The pool's own thread. It does what takes time and must hold up nobody: it starts workers, waits for the end of those that
 * end, keeps the time limits and draws the progress. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mproc/value.h"
#include "platform/passage.h"
#include "platform/self.h"
#include "pool/pool.h"
#include "process/process.h"
#include "value/cbor.h"
#include "value/reference.h"
#include "value/value.h"

/* So many workers in a row that never came to work are enough to give up. */
#define FAILED_STARTS_MAX 5

#define DRAWING_PERIOD_MS 100

/* Starting a worker -------------------------------------------------------------------------------------------- */

static int add_handle(struct parcel *parcel, handle original) {
    int status = handle_duplicate(original, &parcel->handles[parcel->handle_count]);
    parcel->handle_count += status == 0;
    return status;
}

/* The reference by which the new process gets its side of everything; the ends are taken. */
static cJSON *create_reference(struct worker *worker, struct link_ends *theirs) {
    struct parcel parcel;
    memset(&parcel, 0, sizeof parcel);
    parcel.kind = REFERENCE_WORKER;
    parcel.handles[0] = theirs->reader;
    parcel.handles[1] = theirs->writer;
    parcel.handle_count = 2;
    theirs->reader = theirs->writer = HANDLE_INVALID;
    int status = add_handle(&parcel, worker->pool->block.memory);
    if (status == 0) {
        status = add_handle(&parcel, worker->block.memory);
    }
    if (status == 0 && theirs->passage != HANDLE_INVALID) {
        parcel.handles[parcel.handle_count++] = theirs->passage;
        theirs->passage = HANDLE_INVALID;
    }
    if (status == 0) {
        status = buffer_append(&parcel.bytes, &worker->index, sizeof worker->index);
    }
    if (status != 0) {
        parcel_clear(&parcel);
        return NULL;
    }
    return reference_create(&parcel);
}

/* The initializer's arguments, with handles of their own; NULL: they cannot be had. */
static cJSON *copy_initargs(const struct message *initargs) {
    struct message copy;
    cJSON *value = NULL;
    size_t used;
    if (initargs->bytes.size == 0) {
        return cJSON_CreateArray();
    }
    if (message_copy_handles(initargs, &copy) != 0) {
        return NULL;
    }
    (void)cbor_decode(initargs->bytes.data, initargs->bytes.size, &used, copy.handles, copy.handle_count, &value);
    message_clear(&copy);
    return value;
}

static int create_process(struct worker *worker, struct link_ends *theirs, mproc_process **process) {
    const struct mproc_pool *pool = worker->pool;
    mproc_process_options options;
    memset(&options, 0, sizeof options);
    options.daemon = true;
    options.args = mproc_pack("[o,s,o,f,f]", create_reference(worker, theirs),
                              pool->initializer != NULL ? pool->initializer->name : "", copy_initargs(&pool->initargs),
                              (double)pool->options.max_tasks_per_worker, (double)pool->options.max_worker_memory);
    int status = mproc_process_create(process, pool_worker_run, &options);
    if (status == 0) {
        (*process)->is_hidden = true;
        (*process)->environment = (const char *const *)pool->environment;
        status = mproc_process_start(*process);
    }
    return status;
}

static void free_worker(struct worker *worker) {
    mproc_process_destroy(worker->process);
    link_destroy(worker->link);
    frame_reader_clear(&worker->frames);
    shared_block_clear(&worker->block);
    memory_free(worker->failure);
    memory_free(worker);
}

/* All that the worker needs but its process, which may want to be rung for as soon as it runs. Without the lock. */
static int prepare_worker(struct worker *worker, struct link_ends *ours, struct link_ends *theirs) {
    int status = shared_block_create(&worker->block, sizeof(struct worker_memory));
    worker->memory = worker->block.view;
    if (status == 0) {
        status = link_create_ends(ours, theirs);
    }
    if (status == 0) {
        status = passage_create(&ours->passage, &theirs->passage);
    }
    return status == 0 ? worker_open(worker, ours) : status;
}

/* Without the lock. */
static int start_worker(struct worker *worker, struct link_ends *ours, struct link_ends *theirs) {
    mproc_process *process = NULL;
    int status = create_process(worker, theirs, &process);
    if (status == 0) {
        status = worker_listen(worker, ours);
        if (status != 0) {
            (void)mproc_process_kill(process); /* it has just been started */
            (void)mproc_process_join(process, MPROC_FOREVER);
        }
    }
    worker->process = process;
    return status;
}

/* Why there are no workers: all that waits ends with it, and all that comes. With the lock. */
static void break_pool(struct mproc_pool *pool, const mproc_error *error) {
    if (pool->breakage == NULL) {
        pool->breakage = failure_create(0, error);
    }
    tasks_fail_all(pool, error);
    pool_note_progress(pool);
}

static void note_failed_start(struct mproc_pool *pool, const mproc_error *error) {
    pool->failed_starts++;
    if (pool->failed_starts >= FAILED_STARTS_MAX && pool->worker_count == 0) {
        break_pool(pool, error);
    }
}

static unsigned free_index(const struct mproc_pool *pool) {
    unsigned index = 0;
    while (pool->workers[index] != NULL) {
        index++;
    }
    return index;
}

static struct worker *create_worker(struct mproc_pool *pool) {
    struct worker *worker = memory_allocate(sizeof *worker);
    if (worker != NULL) {
        worker->pool = pool;
        worker->index = free_index(pool);
        worker->passage = HANDLE_INVALID;
        worker->block = (struct shared_block)SHARED_BLOCK_NONE;
        worker->started_at = uv_hrtime();
    }
    return worker;
}

/* What became of the start. With the lock. */
static void conclude_start(struct mproc_pool *pool, struct worker *worker, int status) {
    if (status == 0) {
        worker->state = worker->state == WORKER_STARTING ? WORKER_ALIVE : worker->state; /* it may have ended */
        pool->started++;
        if (pool->state == POOL_TERMINATED) {
            (void)mproc_process_kill(worker->process);
        }
        return;
    }
    struct job_failure *failure = failure_create(0, mproc_last_error()); /* what follows may set another error */
    if (worker != NULL) {
        pool->workers[worker->index] = NULL;
        pool->worker_count--;
        free_worker(worker);
    }
    if (failure != NULL) {
        note_failed_start(pool, &failure->error);
        memory_free(failure);
    }
}

/* Starts one more. With the lock, which is not held meanwhile. */
static void add_worker(struct mproc_pool *pool) {
    struct link_ends ours = LINK_NO_ENDS, theirs = LINK_NO_ENDS;
    struct worker *worker = create_worker(pool);
    int status = worker != NULL ? 0 : MPROC_ENOMEM;
    if (status == 0) {
        pool->worker_count++;
        uv_mutex_unlock(&pool->mutex);
        status = prepare_worker(worker, &ours, &theirs);
        uv_mutex_lock(&pool->mutex);
    }
    if (status == 0) {
        pool->workers[worker->index] = worker;
        uv_mutex_unlock(&pool->mutex);
        status = start_worker(worker, &ours, &theirs);
        uv_mutex_lock(&pool->mutex);
    }
    link_close_ends(&ours);
    link_close_ends(&theirs);
    conclude_start(pool, worker, status);
}

static bool wants_worker(const struct mproc_pool *pool) {
    return pool->state != POOL_TERMINATED && pool->breakage == NULL && pool->worker_count < pool->limit &&
           pool->unfinished > pool->worker_count;
}

/* Burying a worker --------------------------------------------------------------------------------------------- */

/* Its initializer failed, or it ended before it had run. */
static void note_bad_start(struct mproc_pool *pool, const struct worker *worker) {
    char text[1500];
    mproc_error error = {MPROC_EDIED, 0, text, NULL, mproc_process_pid(worker->process), 0};
    const char *initializer = pool->initializer != NULL ? pool->initializer->name : NULL;
    (void)mproc_process_exitcode(worker->process, &error.exitcode); /* or it is unknown */
    if (worker->failure != NULL) {
        error.code = MPROC_ETASK;
        error.target = initializer;
        (void)snprintf(text, sizeof text, "the pool's initializer failed in %u workers, one after the other: %s",
                       pool->failed_starts + 1, worker->failure);
    } else {
        (void)snprintf(text, sizeof text,
                       "%u workers of the pool ended one after the other before they could work, the last one (pid %d) "
                       "with exit code %d%s%s",
                       pool->failed_starts + 1, error.pid, error.exitcode, initializer != NULL ? ", in or before " : "",
                       initializer != NULL ? initializer : "");
    }
    note_failed_start(pool, &error);
}

static void describe_death(const struct worker *worker, const struct pool_task *task, char *text, size_t size) {
    int exitcode = 0;
    const char *name = task->job->target->name;
    int pid = mproc_process_pid(worker->process);
    if (mproc_process_exitcode(worker->process, &exitcode) != 0) {
        (void)snprintf(text, size, "%s: the worker (pid %d) ended before it returned; how is not known", name, pid);
    } else if (exitcode < 0) {
        (void)snprintf(text, size, "%s: the worker (pid %d) was killed by signal %d before it returned", name, pid,
                       -exitcode);
    } else {
        (void)snprintf(text, size, "%s: the worker (pid %d) ended with exit code %d before it returned", name, pid,
                       exitcode);
    }
}

/* What becomes of the item that the worker was in. */
static void end_item(struct worker *worker, struct pool_task *task) {
    struct mproc_pool *pool = worker->pool;
    char text[400];
    if (worker->killed_for == task_number(pool, task)) {
        (void)snprintf(text, sizeof text, "%s: it had not returned after %lld ms, and was ended with its worker",
                       task->job->target->name, (long long)task->job->timeout_ms);
        task_fail_next(pool, task, worker, MPROC_ETIMEDOUT, text);
    } else if (worker->killed_for == 0 && task->tries++ >= pool->options.retries) {
        describe_death(worker, task, text, sizeof text);
        task_fail_next(pool, task, worker, MPROC_EDIED, text);
    }
}

/* The task that the worker had begun: its results are kept, the rest goes to another one. */
static void settle_task(struct worker *worker) {
    struct mproc_pool *pool = worker->pool;
    const struct worker_memory *memory = worker->memory;
    uint64_t number = atomic_load(&memory->running);
    struct pool_task *task = task_of_number(pool, number);
    if (task == NULL) {
        return; /* it had none, or all of its results are here */
    }
    struct mproc_async_result *job = task->job;
    delivery_drop(&pool->delivery, task_delivery(pool, task));
    job_use(job);
    if (task->received < task->count && atomic_load(&memory->begun) > task->received) {
        end_item(worker, task);
    }
    if (task->state == TASK_HANDED && job->is_canceled) {
        static const mproc_error error = {
            MPROC_ECANCELED, 0, "the task was cancelled, and its worker ended", NULL, 0, 0};
        task_fail_rest(pool, task, &error);
    } else if (task->state == TASK_HANDED) {
        task_return(pool, task);
    }
    job_unuse(job);
}

/* What was published, and not sent or not received. */
static void recover_results(struct worker *worker) {
    const struct worker_memory *memory = worker->memory;
    uint64_t published = atomic_load(&memory->published);
    struct results_head head = {atomic_load(&memory->running), (uint32_t)atomic_load(&memory->first),
                                PUBLISHED_COUNT(published)};
    worker_drain(worker);
    if (head.count > 0 && PUBLISHED_BYTES(published) <= sizeof memory->results) {
        (void)tasks_take_results(worker->pool, worker, &head, memory->results, PUBLISHED_BYTES(published), NULL);
    }
}

static void add_times(struct worker *worker) {
    struct mproc_pool *pool = worker->pool;
    uint64_t busy = atomic_load(&worker->memory->busy_time), ready_at = atomic_load(&worker->memory->ready_at);
    uint64_t alive = ready_at > 0 ? uv_hrtime() - ready_at : 0;
    pool->ended_busy += busy;
    pool->ended_idle += alive > busy ? alive - busy : 0;
}

/* With the lock, which is not held while the process ends. */
static void bury_worker(struct worker *worker) {
    struct mproc_pool *pool = worker->pool;
    uv_mutex_unlock(&pool->mutex);
    link_end(worker->link);
    (void)mproc_process_kill(worker->process); /* it has closed its link: where it has not ended, it is of no use */
    (void)mproc_process_join(worker->process, MPROC_FOREVER);
    uv_mutex_lock(&pool->mutex);
    bool was_ready = atomic_load(&worker->memory->ready_at) != 0;
    recover_results(worker);
    (void)sleepers_remove(pool->memory, worker->index);
    pool->workers[worker->index] = NULL;
    pool->worker_count--;
    add_times(worker);
    settle_task(worker);
    (void)delivery_return(&pool->delivery, worker->index + 1);
    pool->waking = pool->waking == worker ? NULL : pool->waking;
    if (was_ready) {
        pool->failed_starts = 0;
    } else if (pool->state != POOL_TERMINATED) {
        note_bad_start(pool, worker);
    }
    tasks_hand_out(pool);
    tasks_wake_one(pool); /* for what has come back, or in its place */
    free_worker(worker);
    pool_note_progress(pool);
}

/* Time limits -------------------------------------------------------------------------------------------------- */

/* Ends the worker where its item has run for too long; else `next` receives when it will have. */
static void check_time(struct worker *worker, uint64_t now, deadline *next) {
    struct worker_memory *memory = worker->memory;
    uint64_t number = atomic_load(&memory->running), begun_at = atomic_load(&memory->begun_at);
    struct pool_task *task = task_of_number(worker->pool, number);
    if (task == NULL || task->job->timeout_ms == 0 || begun_at == 0 || worker->killed_for != 0) {
        return;
    }
    uint64_t limit = begun_at + (uint64_t)task->job->timeout_ms * 1000000u;
    if (limit > now) {
        *next = limit < *next ? limit : *next;
    } else if (atomic_load(&memory->begun_at) == begun_at && atomic_load(&memory->running) == number) {
        worker->killed_for = number;
        (void)mproc_process_kill(worker->process); /* or it has ended by itself */
    }
}

/* When to look next: at a limit that is known, or as soon as a task that begins now could have reached its own. */
static deadline check_times(struct mproc_pool *pool) {
    uint64_t now = uv_hrtime();
    deadline next = pool->shortest_limit > 0 && pool->unfinished > 0 ? now + (uint64_t)pool->shortest_limit * 1000000u
                                                                     : DEADLINE_NEVER;
    for (unsigned i = 0; i < pool->limit && pool->shortest_limit > 0; i++) {
        if (pool->workers[i] != NULL && pool->workers[i]->state == WORKER_ALIVE) {
            check_time(pool->workers[i], now, &next);
        }
    }
    return next;
}

/* Progress ----------------------------------------------------------------------------------------------------- */

/* Whoever waits for the job prints what he has to say below it. */
static void end_progress(struct mproc_async_result *job) {
    progress_destroy(job->extras->progress);
    job->extras->progress = NULL;
    if (job->is_settled) {
        job_hand_on(job);
    } else {
        pool_wake(job->waiters);
    }
    job_unuse(job);
}

/* With the lock, which is not held while drawing. */
static deadline draw_progress(struct mproc_pool *pool) {
    struct mproc_async_result **place = &pool->progressing;
    while (*place != NULL) {
        struct mproc_async_result *job = *place;
        bool is_last = job->is_settled || job->extras->is_abandoned;
        size_t done = job->items_done;
        if (is_last) {
            *place = job->extras->next_progressing;
        } else {
            place = &job->extras->next_progressing;
        }
        uv_mutex_unlock(&pool->mutex);
        progress_draw(job->extras->progress, done, uv_hrtime(), is_last);
        uv_mutex_lock(&pool->mutex);
        if (is_last) {
            end_progress(job);
            place = &pool->progressing; /* it may have changed */
        }
    }
    return pool->progressing != NULL ? deadline_after(DRAWING_PERIOD_MS) : DEADLINE_NEVER;
}

/* The thread --------------------------------------------------------------------------------------------------- */

static void end_workers(struct mproc_pool *pool) {
    atomic_store_release(&pool->memory->ends, 1);
    for (unsigned i = 0; i < pool->limit; i++) {
        if (pool->workers[i] != NULL && pool->workers[i]->state == WORKER_ALIVE) {
            worker_ring(pool->workers[i]);
        }
    }
}

/* One thing that is to be done; false: there is none. With the lock. */
static bool do_next(struct mproc_pool *pool) {
    struct worker *ended = pool->first_ended;
    if (ended != NULL && pool->workers[ended->index] == ended) {
        pool->first_ended = ended->next_ended;
        bury_worker(ended);
        return true;
    }
    if (wants_worker(pool)) {
        add_worker(pool);
        return true;
    }
    if (pool->state != POOL_RUNNING && pool->unfinished == 0 && !pool->has_told_end) {
        pool->has_told_end = true;
        end_workers(pool);
        return true;
    }
    return false;
}

static void run(void *context) {
    struct mproc_pool *pool = context;
    uv_mutex_lock(&pool->mutex);
    for (;;) {
        if (do_next(pool)) {
            continue;
        }
        deadline drawing = draw_progress(pool);
        pool->next_check = check_times(pool);
        if (pool->state != POOL_RUNNING && pool->unfinished == 0 && pool->worker_count == 0 &&
            pool->progressing == NULL) {
            break;
        }
        if (!pool->is_wanted) {
            (void)deadline_wait(&pool->changed, &pool->mutex, drawing < pool->next_check ? drawing : pool->next_check);
        }
        pool->is_wanted = false;
    }
    pool->supervisor_has_ended = true;
    uv_cond_signal(&pool->callback_wanted); /* its thread may be done, too */
    pool_note_progress(pool);
    pool_unuse(pool);
}

int supervisor_start(struct mproc_pool *pool) {
    struct self_signals signals;
    self_block_signals(&signals);
    int error = uv_thread_create(&pool->supervisor, run, pool);
    self_restore_signals(&signals);
    if (error != 0) {
        return error_set(MPROC_ESYSTEM, error, "cannot start the pool's thread: %s", uv_strerror(error));
    }
    pool->has_supervisor = true;
    pool->references++;
    return 0;
}

void supervisor_wake(struct mproc_pool *pool) {
    pool->is_wanted = true;
    uv_cond_signal(&pool->changed);
}
