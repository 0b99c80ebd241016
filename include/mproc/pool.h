/* SPDX-License-Identifier: MIT */
/** @file
 * A pool of worker processes that carry out tasks. Python: multiprocessing.Pool.
 *
 *     mproc_pool *pool;
 *     cJSON *values;
 *     mproc_pool_create(&pool, 4, NULL);
 *     mproc_pool_map(pool, square, mproc_pack("[i,i,i]", 1, 2, 3), NULL, &values);    values is [1,4,9]
 *     mproc_pool_destroy(pool);
 *
 * What may happen to a task besides returning: it fails (mproc_task_fail: MPROC_ETASK); its worker dies (MPROC_EDIED, with the
 * process and its exit code in mproc_last_error()); it takes too long (MPROC_ETIMEDOUT); it is cancelled, or its pool
 * terminated (MPROC_ECANCELED). No other task is touched by any of these, and no result of an earlier one is lost.
 *
 * Workers are processes of this program (see mproc_init). They ignore Ctrl-C and end with the process that made the pool, in
 * whatever way that ends. A task may have pools, children and queues of its own. */
#ifndef MPROC_POOL_H
#define MPROC_POOL_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_pool mproc_pool;
typedef struct mproc_async_result mproc_async_result;
typedef struct mproc_iterator mproc_iterator;

/* The pool ------------------------------------------------------------------------------------------------------- */

/** All of it means the default where it is zero. */
typedef struct mproc_pool_options {
    int workers;              /**< how many at most, where the parameter is 0; 0: mproc_cpu_count() */
    mproc_fn initializer;     /**< runs once in each new worker, before its first task; NULL: none */
    cJSON *initargs;          /**< its arguments, an array; taken; NULL: none */
    int max_tasks_per_worker; /**< then the worker is replaced; counts also inside a chunk; 0: never */
    /** milliseconds; a task that runs longer is ended with its worker: MPROC_ETIMEDOUT; 0: never */
    int64_t task_timeout_ms;
    int retries;        /**< how often a task is run again when its worker dies under it; 0: MPROC_EDIED at once */
    size_t max_pending; /**< submitting waits while this many tasks wait for a worker; 0: no limit */
    /** bytes: a worker whose resident memory is more after a task is replaced; 0: no limit */
    size_t max_worker_memory;
    const char *const *env; /**< "NAME=value" set anew in the workers (OMP_NUM_THREADS=1, ...), NULL-terminated; copied;
                                   NULL: none */
} mproc_pool_options;

/** Makes a pool. Workers start when work asks for them, up to the limit, and are replaced when they end.
 * @param pool     receives it, the caller's: see mproc_pool_destroy
 * @param workers  1 to 1,024; 0: options->workers
 * @param options  NULL: the defaults. initargs is taken, also on failure
 * @return 0; MPROC_EINVAL (pool is NULL, a number that makes no sense, an env entry without a name or '='); MPROC_EGUARD;
 *         MPROC_ETARGET (the initializer is not in the table); MPROC_ETYPE (initargs is not an array); as mproc_queue_put for
 *         values in initargs that cannot be sent; MPROC_ESYSTEM.
 * Python: Pool(processes, initializer, initargs, maxtasksperchild). */
MPROC_API int mproc_pool_create(mproc_pool **pool, int workers, const mproc_pool_options *options);

/** No more tasks are taken; those that were are carried out, and then the workers end. A second call does nothing.
 * @return 0; MPROC_EINVAL. Python: Pool.close. */
MPROC_API int mproc_pool_close(mproc_pool *pool);

/** Ends the workers now. Tasks that have not returned end in MPROC_ECANCELED at once. A second call does nothing. May be
 * called from callbacks.
 * @return 0; MPROC_EINVAL. Python: Pool.terminate. */
MPROC_API int mproc_pool_terminate(mproc_pool *pool);

/** Waits until all tasks are done, all callbacks have run and all workers have ended.
 * @param timeout_ms  milliseconds; MPROC_FOREVER; 0 only asks
 * @return 0; MPROC_ETIMEDOUT; MPROC_EINVAL; MPROC_ESTATE (neither closed nor terminated, or from one of the pool's own
 *         callbacks). Python: Pool.join. */
MPROC_API int mproc_pool_join(mproc_pool *pool, int64_t timeout_ms);

/** Terminates and joins where that was not done, and frees the pool. Results and iterators stay valid and still want to be
 * destroyed. Pools that are left are ended by mproc_shutdown.
 * @param pool  NULL is fine. No other thread may be using it. Python: leaving `with Pool(..)`. */
MPROC_API void mproc_pool_destroy(mproc_pool *pool);

/* One task ------------------------------------------------------------------------------------------------------- */

/** Run on a thread of the library's, one at a time for each pool, in the process that made the pool. They may call mproc,
 * submit to the pool, close and terminate it.
 * @param value  what the task returned; the callback's to free. NULL never comes
 * @param user   as given. Python: callback, error_callback. */
typedef void (*mproc_callback)(cJSON *value, void *user);
typedef void (*mproc_error_callback)(const mproc_error *error, void *user);

/** All of it means the default where it is zero. */
typedef struct mproc_apply_options {
    cJSON *kwargs;                       /**< a JSON object; taken; NULL: none */
    const void *data;                    /**< a raw payload (mproc_task_bytes), copied; NULL: none */
    size_t size;                         /**< its bytes */
    mproc_callback callback;             /**< called with the value, before the result becomes ready; NULL: none */
    mproc_error_callback error_callback; /**< called instead where the task failed; NULL: none */
    void *user;                          /**< for both */
    int64_t timeout_ms;                  /**< milliseconds, instead of the pool's task_timeout_ms; 0: the pool's */
} mproc_apply_options;

/** Has a task carried out and waits for what it returns.
 * @param fn       a function of the table given to mproc_init
 * @param args     a JSON array, NULL: none; taken
 * @param options  NULL: the defaults. kwargs is taken, also on failure
 * @param value    receives what the task returned, the caller's; NULL: nobody wants it
 * @return 0; what became of the task (see above); MPROC_EINVAL; MPROC_EGUARD; MPROC_ETARGET; MPROC_ETYPE (args is not an array,
 *         kwargs not an object; the task returned raw bytes); MPROC_ERANGE (too deep or too large); MPROC_ECLOSED (the pool is
 *         closed or terminated); MPROC_ESTATE (a reference in args that was sent before; from a callback of this pool); why
 *         no worker comes up, where several in a row have ended before they could work. Python: Pool.apply. */
MPROC_API int mproc_pool_apply(mproc_pool *pool, mproc_fn fn, cJSON *args, const mproc_apply_options *options,
                               cJSON **value);

/** The same without waiting for the task; it waits for room only where max_pending says so, and not in a callback.
 * @param result  receives it, the caller's: see mproc_async_result_destroy; NULL: nobody asks
 * @return as mproc_pool_apply, but for what becomes of the task. Python: Pool.apply_async. */
MPROC_API int mproc_pool_apply_async(mproc_pool *pool, mproc_fn fn, cJSON *args, const mproc_apply_options *options,
                                     mproc_async_result **result);

/* Many tasks ----------------------------------------------------------------------------------------------------- */

/** All of it means the default where it is zero. */
typedef struct mproc_map_options {
    size_t chunksize;                    /**< items that a worker gets at once; 0: a quarter of each worker's share */
    mproc_callback callback;             /**< called once, with all values */
    mproc_error_callback error_callback; /**< called instead where an item failed */
    void *user;                          /**< for both */
    const char *progress; /**< a label, copied: draws a progress bar on stderr where that is a terminal, and
                                              writes a line every ten seconds otherwise; NULL: neither */
} mproc_map_options;

/** Calls fn with each item as its only argument. All items are carried out, also when one fails.
 * @param items    a JSON array; taken. Of nothing, the result is an empty array
 * @param options  NULL: the defaults
 * @param values   receives the array of what the calls returned, in the order of the items, the caller's; NULL: unwanted
 * @return 0; the first failure in the order of the items; MPROC_ETYPE (items is not an array); MPROC_ERANGE (2^32 items);
 *         otherwise as mproc_pool_apply. Python: Pool.map. */
MPROC_API int mproc_pool_map(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options,
                             cJSON **values);

/** The same without waiting. Python: Pool.map_async. */
MPROC_API int mproc_pool_map_async(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options,
                                   mproc_async_result **result);

/** As mproc_pool_map, but each item is an array of arguments; MPROC_ETYPE where one is not. Python: Pool.starmap. */
MPROC_API int mproc_pool_starmap(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options,
                                 cJSON **values);

/** The same without waiting. Python: Pool.starmap_async. */
MPROC_API int mproc_pool_starmap_async(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options,
                                       mproc_async_result **result);

/** As mproc_pool_map for arrays of plain C data: fn finds an item in mproc_task_bytes, and has to return as many bytes as the
 * results are large (mproc_task_return_bytes), else its item fails with MPROC_ERANGE.
 * @param items        count * item_size bytes; NULL where that is 0
 * @param item_size    bytes; at most 1 GiB
 * @param results      receives count * result_size bytes; after a failure some of them may not have been written
 * @param result_size  bytes; at most 1 GiB
 * @return as mproc_pool_map. Python: Pool.map over an array. */
MPROC_API int mproc_pool_map_bytes(mproc_pool *pool, mproc_fn fn, const void *items, size_t count, size_t item_size,
                                   void *results, size_t result_size, const mproc_map_options *options);

/* Streams -------------------------------------------------------------------------------------------------------- */

/** Gives the next item of the input, which is then mproc's; NULL: there are no more. Called by mproc_iterator_next, on its
 * thread, only as fast as results are taken, so that input of any length needs constant memory. */
typedef cJSON *(*mproc_next_fn)(void *user);

/** Calls fn with each item that `next` gives, as its only argument.
 * @param user       for next
 * @param chunksize  items that a worker gets at once; 0: 1
 * @param iterator   receives it, the caller's: see mproc_iterator_destroy
 * @return 0; MPROC_EINVAL; MPROC_EGUARD; MPROC_ETARGET; MPROC_ECLOSED. Python: Pool.imap. */
MPROC_API int mproc_pool_imap(mproc_pool *pool, mproc_fn fn, mproc_next_fn next, void *user, size_t chunksize,
                              mproc_iterator **iterator);

/** The same, but results come in the order in which they are ready. Python: Pool.imap_unordered. */
MPROC_API int mproc_pool_imap_unordered(mproc_pool *pool, mproc_fn fn, mproc_next_fn next, void *user, size_t chunksize,
                                        mproc_iterator **iterator);

/** Gives the next result; by one thread at a time.
 * @param value       receives it, the caller's; NULL: nobody wants it
 * @param timeout_ms  milliseconds; MPROC_FOREVER; 0 only asks
 * @return 0; MPROC_ECLOSED: there are no more; MPROC_ETIMEDOUT: try again; what became of this one item, after which the
 *         next ones follow; MPROC_EINVAL; an error of encoding an item of the input, told in its turn, and then the input
 *         ends there. Python: next(iterator). */
MPROC_API int mproc_iterator_next(mproc_iterator *iterator, cJSON **value, int64_t timeout_ms);

/** Frees the iterator. What is on its way is carried out, and dropped.
 * @param iterator  NULL is fine */
MPROC_API void mproc_iterator_destroy(mproc_iterator *iterator);

/* Results -------------------------------------------------------------------------------------------------------- */

/** Waits for the result; again and again, if you like: each call gives a value of its own.
 * @param value       receives it, the caller's; NULL: nobody wants it
 * @param timeout_ms  milliseconds; MPROC_FOREVER; 0 only asks
 * @return 0; MPROC_ETIMEDOUT (also where the task itself took too long: see mproc_async_result_error); what became of the task;
 *         MPROC_ETYPE (it returned raw bytes); MPROC_EINVAL; MPROC_ESTATE (from a callback of the pool, where it is not ready:
 *         waiting could never end). Python: AsyncResult.get. */
MPROC_API int mproc_async_result_get(mproc_async_result *result, cJSON **value, int64_t timeout_ms);

/** The same for a task that returns raw bytes.
 * @param data  receives them: the result's own, until mproc_async_result_destroy
 * @param size  receives their number
 * @return as mproc_async_result_get; MPROC_ETYPE: it returned a value, or is a map's. */
MPROC_API int mproc_async_result_get_bytes(mproc_async_result *result, const void **data, size_t *size,
                                           int64_t timeout_ms);

/** Waits until the result is there, or a failure.
 * @return 0; MPROC_ETIMEDOUT; MPROC_EINVAL; MPROC_ESTATE as mproc_async_result_get. Python: AsyncResult.wait. */
MPROC_API int mproc_async_result_wait(mproc_async_result *result, int64_t timeout_ms);

/** @return whether the result is there and its callback has run; false for NULL. Python: AsyncResult.ready. */
MPROC_API bool mproc_async_result_ready(const mproc_async_result *result);

/** @param successful  receives whether it is a value
 * @return 0; MPROC_EINVAL; MPROC_ESTATE before it is ready. Python: AsyncResult.successful. */
MPROC_API int mproc_async_result_successful(const mproc_async_result *result, bool *successful);

/** Gives the task up: one that waits never runs and ends in MPROC_ECANCELED; one that runs is told (mproc_task_cancelled),
 * and its result counts. Of a map, each task that waits.
 * @return 0; MPROC_EINVAL; MPROC_ESTATE: it runs, or part of it does, or it is done. Python: Future.cancel. */
MPROC_API int mproc_async_result_cancel(mproc_async_result *result);

/** @return why it failed: the result's own; NULL where it has not, or is not ready. */
MPROC_API const mproc_error *mproc_async_result_error(const mproc_async_result *result);

/** Frees the result. The task itself goes on.
 * @param result  NULL is fine. No other thread may be using it. */
MPROC_API void mproc_async_result_destroy(mproc_async_result *result);

/* What a pool tells of itself ------------------------------------------------------------------------------------- */

typedef struct mproc_pool_stats {
    int workers;         /**< alive now */
    int busy;            /**< of these, carrying out a task */
    uint64_t started;    /**< workers started in all: more than the limit means replacements */
    uint64_t submitted;  /**< tasks in all; each item of a map counts */
    uint64_t completed;  /**< of these, returned */
    uint64_t failed;     /**< failed in any way */
    uint64_t pending;    /**< neither so far */
    double busy_seconds; /**< over all workers, also those that have ended */
    double idle_seconds;
} mproc_pool_stats;

/** @return 0; MPROC_EINVAL. */
MPROC_API int mproc_pool_get_stats(mproc_pool *pool, mproc_pool_stats *stats);

typedef struct mproc_worker_stats {
    int pid;
    uint64_t tasks;       /**< carried out so far; each item of a map counts */
    double start_seconds; /**< from its start until it was ready; 0 while it is not */
    double busy_seconds, idle_seconds;
    double task_seconds; /**< how long the present task has been running; 0 when idle */
    const char *target;  /**< the present task's function, the application's own; NULL when idle */
} mproc_worker_stats;

/** @param stats     receives one for each worker that is alive, in no order; NULL where capacity is 0
 * @param capacity  how many fit
 * @return how many workers there are, maybe more than capacity; 0 for NULL. */
MPROC_API size_t mproc_pool_get_worker_stats(mproc_pool *pool, mproc_worker_stats *stats, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
