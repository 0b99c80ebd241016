/* SPDX-License-Identifier: MIT */
/* The objects behind the public types of mproc/pool.h, for the files of this folder:
 *
 *   pool.c          making and ending a pool, what it tells of itself
 *   submit.c        from a call to tasks; apply
 *   map.c           map
 *   iterator.c      imap
 *   async_result.c  what a caller sees of its results
 *   tasks.c         tasks on their way to the workers, and their results on the way back
 *   worker_side.c   the pool's side of one worker: what arrives from it
 *   supervisor.c    the pool's thread: starts workers, buries them, keeps time limits, draws the progress
 *   callbacks.c     the thread that callbacks run on
 *   worker.c        the worker process itself; worker_results.c is how its results come here
 *
 * One lock guards a pool and all that hangs from it. Nobody waits for anything else while holding it. */
#ifndef MPROC_POOL_POOL_H
#define MPROC_POOL_POOL_H

#include <stdbool.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "hub/shared_block.h"
#include "link/link.h"
#include "mproc/pool.h"
#include "mproc/process.h"
#include "platform/bell.h"
#include "pool/worker_memory.h"
#include "value/message.h"

enum pool_state { POOL_RUNNING, POOL_CLOSED, POOL_TERMINATED };

/* A thread that waits for something of a pool's; on its stack. */
struct waiter {
    uv_cond_t changed;
    const struct bell *bell; /* rung instead, where it waits for other things too; NULL: it does not */
    struct waiter *next;
};

/* The handles in the result of an item; most have none. */
struct result_handles {
    uint32_t item;
    struct message message;
    struct result_handles *next;
};

/* What a task carries out goes to one worker in one piece: the one item of an apply, a chunk of a map. */
enum pool_task_state { TASK_WAITING, TASK_HANDED, TASK_DONE };

struct pool_task {
    struct mproc_async_result *job;
    struct pool_task *next; /* in the list of those that wait */
    uint32_t slot;          /* in the pool's table, while it is handed out */
    uint32_t first, count;  /* of the job's items; within the task items are counted from 0 */
    uint32_t received;      /* items whose results are here */
    uint16_t tries;         /* of the item that is next: how many workers died under it */
    uint8_t state;          /* enum pool_task_state */
    bool has_begun;         /* a worker has died in it, so that part of it ran */
    uint8_t *body;          /* a struct task_head and the rest; NULL once it is done */
    size_t body_size;
    struct message *handles; /* its own handles; NULL: none */
    uint8_t *results;        /* struct result_record and data, one after the other */
    size_t results_size;
    struct result_handles *result_handles;
};

/* What most jobs have none of: they share one that is empty. */
struct job_extras {
    mproc_callback callback; /* NULL: none; so with all that follows */
    mproc_error_callback error_callback;
    void *user;
    struct mproc_iterator *iterator; /* whose chunk it is */
    struct progress *progress;       /* until it has been drawn for the last time */
    bool is_abandoned;               /* there is nothing to be drawn any more */
    struct mproc_async_result *next_progressing;
    uint8_t *bytes; /* where the results of TASK_BYTES go */
    size_t result_size;
};

/* The first failure, by the order of the items. */
struct job_failure {
    uint32_t item;
    mproc_error error;
    char message[]; /* which error.message points to */
};

/* What was submitted by one call, and what becomes of it. */
struct mproc_async_result {
    struct mproc_pool *pool;
    const mproc_target *target;
    struct mproc_async_result *next; /* in the queue of callbacks */
    struct job_extras *extras;       /* never NULL */
    struct job_failure *failure;
    struct waiter *waiters;
    int64_t timeout_ms;      /* of each item; 0: none */
    struct pool_task *tasks; /* `single`, or an array */
    struct pool_task single;
    uint32_t references; /* the caller's, the pool's while it is unfinished */
    uint32_t task_count, tasks_done;
    uint32_t item_count, items_done;
    uint8_t form;     /* enum task_form */
    bool is_wanted;   /* somebody will look at the values */
    bool is_settled;  /* all results are here */
    bool is_ready;    /* and the callback has run */
    bool is_canceled; /* what has not begun must not */
};

enum worker_state { WORKER_STARTING, WORKER_ALIVE, WORKER_ENDED };

struct worker {
    struct mproc_pool *pool;
    unsigned index;
    enum worker_state state;
    mproc_process *process;
    struct link *link; /* for sending; the hub reads */
    struct hub_reader *reader;
    handle passage; /* the link's, for what is received */
    struct frame_reader frames;
    struct shared_block block;
    struct worker_memory *memory;
    uint64_t killed_for; /* the task whose time was over; 0: it was not killed for that */
    bool waits_for_pipe; /* what comes next in its ring comes after something that is in its pipe */
    char *failure;       /* what its initializer said */
    uint64_t started_at;
    struct worker *next_ended;
};

/* A task that is handed out, by the low half of its number. */
struct pool_slot {
    struct pool_task *task;
    uint64_t delivery; /* its number there */
    uint32_t generation;
    uint32_t next_free;
};

struct mproc_pool {
    uv_mutex_t mutex;
    uv_cond_t changed;    /* for the supervisor */
    uv_cond_t progressed; /* for those who wait in join, or for room */
    uint32_t references;  /* the caller's, one a job and iterator, one a thread */
    enum pool_state state;
    struct mproc_pool *next; /* of all in this process */

    unsigned limit;
    const mproc_target *initializer;
    struct message initargs;
    mproc_pool_options options;
    char **environment; /* of the workers; NULL: this process's own */

    struct shared_block block;
    struct pool_memory *memory;
    struct delivery_owner delivery;

    struct pool_task *first_waiting, *last_waiting;
    struct pool_slot *slots;
    uint32_t slot_count, first_free_slot; /* the latter counts from 1; 0: none */
    uint64_t unfinished;                  /* tasks that are not done */

    struct worker *waking;   /* the one that was rung for last; NULL: none */
    struct worker **workers; /* by index; NULL: free */
    unsigned worker_count;   /* that are starting or alive */
    unsigned failed_starts;  /* in a row */
    struct worker *first_ended;
    struct job_failure *breakage; /* why no worker comes up; NULL: they do */

    bool is_watched;   /* a thread looks into the workers' rings by itself */
    bool is_wanted;    /* the supervisor has been woken */
    bool has_told_end; /* the workers have been told that no more tasks come */
    bool has_supervisor, has_callback_thread;
    bool supervisor_has_ended, callback_thread_has_ended;
    uv_thread_t supervisor, callback_thread;
    uv_cond_t callback_wanted;
    struct mproc_async_result *first_callback, *last_callback;
    bool callback_is_running;
    struct mproc_async_result *progressing;
    deadline next_check;    /* of time limits */
    int64_t shortest_limit; /* of a task, in milliseconds; 0: there is none */

    uint64_t started, submitted, completed, failed;
    uint64_t ended_busy, ended_idle; /* nanoseconds of workers that have ended */
};

/* pool.c */
void pool_unuse(struct mproc_pool *pool); /* with the lock, which is released */
/* Whether more may be submitted: 0; MPROC_ECLOSED; why it is broken. With the lock. */
int pool_check_running(struct mproc_pool *pool, const char *function);
/* Wakes all who wait in join, or for room. With the lock. */
void pool_note_progress(struct mproc_pool *pool);

/* tasks.c; all with the lock. */
void tasks_submit(struct mproc_pool *pool, struct pool_task *task);
/* Hands out what waits, as far as there is room, and wakes workers for it. */
void tasks_hand_out(struct mproc_pool *pool);
/* Of a task that is handed out: its number, and that in the delivery. */
uint64_t task_number(const struct mproc_pool *pool, const struct pool_task *task);
uint64_t task_delivery(const struct mproc_pool *pool, const struct pool_task *task);
struct pool_task *task_of_number(struct mproc_pool *pool, uint64_t number);
/* The results in a frame. `handles`: those of the first one; may be NULL. What comes before them may be on another way from
 * the worker, its pipe or its ring: then they are to be given again when that has arrived. */
enum taken { RESULTS_TAKEN, RESULTS_EARLY, RESULTS_SENSELESS };
enum taken tasks_take_results(struct mproc_pool *pool, const struct worker *worker, const struct results_head *head,
                              const uint8_t *data, size_t size, struct message *handles);
/* The item that is next in this task ends so. */
void task_fail_next(struct mproc_pool *pool, struct pool_task *task, const struct worker *worker, int code,
                    const char *message);
/* Everything in it that is not done ends so; where the error tells no target, with the task's. */
void task_fail_rest(struct mproc_pool *pool, struct pool_task *task, const mproc_error *cause);
/* All tasks that are not done end so. */
void tasks_fail_all(struct mproc_pool *pool, const mproc_error *cause);
/* Wakes a worker that sleeps, where there is one and none is being woken: there are tasks. */
void tasks_wake_one(struct mproc_pool *pool);
/* It comes back from its worker, to be handed out again first of all. */
void task_return(struct mproc_pool *pool, struct pool_task *task);
void task_clear_body(struct pool_task *task);

/* async_result.c; with the lock. */
/* has_extras: it gets its own. NULL: no memory. */
struct mproc_async_result *job_create(struct mproc_pool *pool, const mproc_target *target, enum task_form form,
                                      bool has_extras);
bool job_has_callback(const struct mproc_async_result *job);
void job_use(struct mproc_async_result *job);
void job_unuse(struct mproc_async_result *job);
void job_note_failure(struct mproc_async_result *job, uint32_t item, const mproc_error *error);
void job_note_results(struct mproc_async_result *job); /* wakes who waits for single items */
void job_note_task_done(struct mproc_async_result *job);
/* All of its tasks are done: its progress ends, and it is handed on. */
void job_settle(struct mproc_async_result *job);
/* To its callback, or to those who wait for it. */
void job_hand_on(struct mproc_async_result *job);
void job_become_ready(struct mproc_async_result *job);
/* A value of one item, decoded. MPROC_ETASK ...: the item's failure. Without the lock: a ready job does not change. */
int result_decode(const struct result_record *record, const uint8_t *data, const struct message *handles,
                  const mproc_target *target, cJSON **value);
struct job_failure *failure_create(uint32_t item, const mproc_error *error);
/* The value of a job that is settled, or its failure. Without the lock. */
int job_decode(const struct mproc_async_result *job, cJSON **value);
int failure_raise(const struct job_failure *failure);
/* iterator.c: one of its chunks has something new. With the lock. */
void iterator_wake(struct mproc_iterator *iterator);
/* The handles of an item's result; NULL: it has none. */
const struct message *result_handles_of(const struct pool_task *task, uint32_t item);
/* Waits until `is_done` or the deadline. */
bool pool_wait(struct mproc_pool *pool, struct waiter **list, bool (*is_done)(const void *context), const void *context,
               deadline until);
void pool_leave(struct waiter **list, const struct waiter *waiter);
void pool_wake(struct waiter *list);
/* MPROC_ESTATE where waiting for the result could never end: this is a callback, and it is not ready. */
int result_check_wait(const struct mproc_async_result *result, const char *function);

/* worker_side.c */
/* Opens the link from the pool's ends, for sending. Without the lock. */
int worker_open(struct worker *worker, struct link_ends *ends);
/* From now on the hub reads, and tells the supervisor of the end. Without the lock. */
int worker_listen(struct worker *worker, struct link_ends *ends);
void worker_drain(struct worker *worker); /* with the lock */
void worker_ring(struct worker *worker);  /* its doorbell */
/* Looks for results on this thread for a short while, until `is_done`: one that comes soon is here sooner than by way of the
 * hub. With the lock, which is not held all the time. */
void workers_watch(struct mproc_pool *pool, bool (*is_done)(const void *context), const void *context);

/* supervisor.c */
int supervisor_start(struct mproc_pool *pool); /* with the lock */
void supervisor_wake(struct mproc_pool *pool); /* with the lock */

/* callbacks.c; with the lock. */
void callbacks_add(struct mproc_async_result *job);
bool callbacks_is_this_thread(const struct mproc_pool *pool);

/* progress.c */
/* now: uv_hrtime(). */
struct progress *progress_create(const char *label, size_t total, uint64_t now);
void progress_destroy(struct progress *progress);
/* Draws where it is time for it. done: so many items. */
void progress_draw(struct progress *progress, size_t done, uint64_t now, bool is_last);

/* worker.c */
/* The target of a worker's process. */
void pool_worker_run(mproc_task *task);

#endif
