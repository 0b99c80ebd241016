/* A pool of worker processes. */
#ifndef MPROC_POOL_H
#define MPROC_POOL_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_pool mproc_pool;
typedef struct mproc_async_result mproc_async_result;
typedef struct mproc_iterator mproc_iterator;

typedef struct mproc_pool_options {
    int workers;              /* 0: mproc_cpu_count() */
    mproc_fn initializer;     /* runs once in each new worker */
    cJSON *initargs;          /* its arguments; taken */
    int max_tasks_per_worker; /* then the worker is replaced; 0: never */
    int64_t task_timeout_ms;  /* a task that runs longer is killed with its worker: MPROC_ETIMEDOUT; 0: never */
    int retries;              /* how often a task is run again when its worker dies under it; 0: MPROC_EDIED at once */
    size_t max_pending;       /* submitting waits while this many tasks wait for a worker; 0: no limit */
    size_t max_worker_memory; /* bytes: a worker that has grown past this is replaced after its task; 0: no limit */
    const char *const *env;   /* "NAME=value" added in the workers (OMP_NUM_THREADS=1, ...), NULL-terminated; NULL: none */
} mproc_pool_options;

/* Workers start when work asks for them, up to the limit. */
MPROC_API int mproc_pool_create(mproc_pool **pool, int workers, const mproc_pool_options *options);
MPROC_API int mproc_pool_close(mproc_pool *pool);     /* no more tasks; those accepted are carried out */
MPROC_API int mproc_pool_terminate(mproc_pool *pool); /* stops the workers now; unfinished tasks end in MPROC_ECANCELED */
MPROC_API int mproc_pool_join(mproc_pool *pool, int64_t timeout_ms); /* MPROC_ESTATE before close or terminate */
MPROC_API void mproc_pool_destroy(mproc_pool *pool);  /* terminates and joins where that was not done */

/* Run on a thread of the library, one at a time, in the parent; they may call mproc. `value` is theirs to free. */
typedef void (*mproc_callback)(cJSON *value, void *user);
typedef void (*mproc_error_callback)(const mproc_error *error, void *user);

typedef struct mproc_apply_options {
    cJSON *kwargs;            /* taken */
    const void *data;         /* raw payload, copied */
    size_t size;
    mproc_callback callback;
    mproc_error_callback error_callback;
    void *user;
    int64_t timeout_ms;       /* instead of the pool's task_timeout_ms; 0: the pool's */
} mproc_apply_options;

/* args is taken in every case. options may be NULL. */
MPROC_API int mproc_pool_apply(mproc_pool *pool, mproc_fn fn, cJSON *args, const mproc_apply_options *options, cJSON **value);
MPROC_API int mproc_pool_apply_async(mproc_pool *pool, mproc_fn fn, cJSON *args, const mproc_apply_options *options,
                           mproc_async_result **result); /* result may be NULL: nobody asks */

typedef struct mproc_map_options {
    size_t chunksize;         /* items a worker gets at once; 0: chosen from the number of items and workers */
    mproc_callback callback;
    mproc_error_callback error_callback;
    void *user;
    const char *progress;     /* a label: draws a progress bar on stderr where that is a terminal */
} mproc_map_options;

/* items is a JSON array, taken; fn gets each as its only argument (starmap: each is an array of arguments).
 * Results come in the order of the items. The first failure, in that order, is the map's failure. */
MPROC_API int mproc_pool_map(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options, cJSON **values);
MPROC_API int mproc_pool_map_async(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options,
                         mproc_async_result **result);
MPROC_API int mproc_pool_starmap(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options, cJSON **values);
MPROC_API int mproc_pool_starmap_async(mproc_pool *pool, mproc_fn fn, cJSON *items, const mproc_map_options *options,
                             mproc_async_result **result);

/* For arrays of plain C data: fn gets item_size bytes (mproc_task_bytes) and returns result_size bytes. */
MPROC_API int mproc_pool_map_bytes(mproc_pool *pool, mproc_fn fn, const void *items, size_t count, size_t item_size,
                         void *results, size_t result_size, const mproc_map_options *options);

/* Streams: `next` gives the items one by one (yours until it returns them, NULL ends), only as fast as results are
 * taken, so that input of any length needs constant memory. */
typedef cJSON *(*mproc_next_fn)(void *user);
MPROC_API int mproc_pool_imap(mproc_pool *pool, mproc_fn fn, mproc_next_fn next, void *user, size_t chunksize,
                    mproc_iterator **iterator);
MPROC_API int mproc_pool_imap_unordered(mproc_pool *pool, mproc_fn fn, mproc_next_fn next, void *user, size_t chunksize,
                              mproc_iterator **iterator);
MPROC_API int mproc_iterator_next(mproc_iterator *iterator, cJSON **value, int64_t timeout_ms); /* MPROC_ECLOSED: no more */
MPROC_API void mproc_iterator_destroy(mproc_iterator *iterator);

MPROC_API int mproc_async_result_get(mproc_async_result *result, cJSON **value, int64_t timeout_ms); /* again and again, if you like */
MPROC_API int mproc_async_result_get_bytes(mproc_async_result *result, const void **data, size_t *size, int64_t timeout_ms);
MPROC_API int mproc_async_result_wait(mproc_async_result *result, int64_t timeout_ms);
MPROC_API bool mproc_async_result_ready(const mproc_async_result *result);
MPROC_API int mproc_async_result_successful(const mproc_async_result *result, bool *successful); /* MPROC_ESTATE before it is ready */
MPROC_API int mproc_async_result_cancel(mproc_async_result *result); /* MPROC_ESTATE: running or done; a running task is told */
MPROC_API const mproc_error *mproc_async_result_error(const mproc_async_result *result); /* NULL while there is none */
MPROC_API void mproc_async_result_destroy(mproc_async_result *result); /* the task itself goes on */

typedef struct mproc_pool_stats {
    int workers;              /* alive now */
    int busy;
    uint64_t started;         /* workers started in all: more than the limit means replacements */
    uint64_t submitted, completed, failed, pending; /* tasks */
    double busy_seconds, idle_seconds;              /* over all workers */
} mproc_pool_stats;
MPROC_API int mproc_pool_get_stats(mproc_pool *pool, mproc_pool_stats *stats);

typedef struct mproc_worker_stats {
    int pid;
    uint64_t tasks;           /* carried out so far */
    double start_seconds, busy_seconds, idle_seconds;
    double task_seconds;      /* how long the present task has been running; 0 when idle */
    const char *target;       /* the present task's function, or NULL */
} mproc_worker_stats;
/* Fills at most `capacity`, returns how many workers there are. */
MPROC_API size_t mproc_pool_get_worker_stats(mproc_pool *pool, mproc_worker_stats *stats, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
