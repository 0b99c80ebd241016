/* SPDX-License-Identifier: MIT */
/* Callbacks run one at a time on a thread of their own, so that a slow one delays neither workers nor callers. The thread
 * starts with the first callback and ends with the pool. */
#include "base/error.h"
#include "platform/self.h"
#include "pool/pool.h"
#include "value/value.h"

static struct mproc_async_result *next_job(struct mproc_pool *pool) {
    struct mproc_async_result *job = pool->first_callback;
    if (job != NULL) {
        pool->first_callback = job->next;
        job->next = NULL;
    }
    return job;
}

/* The one of the two that fits how it ended. Without the lock. */
static void call_back(const struct mproc_async_result *job) {
    const struct job_extras *callbacks = job->extras;
    cJSON *value = NULL;
    if (job_decode(job, &value) == 0) {
        if (callbacks->callback != NULL) {
            callbacks->callback(value, callbacks->user);
        } else {
            value_delete(value);
        }
    } else if (callbacks->error_callback != NULL) {
        callbacks->error_callback(mproc_last_error(), callbacks->user);
    }
}

/* Nobody will submit any more, and all has been called back. */
static bool is_over(const struct mproc_pool *pool) {
    return pool->state != POOL_RUNNING && pool->unfinished == 0 && pool->progressing == NULL &&
           pool->first_callback == NULL;
}

static void run(void *context) {
    struct mproc_pool *pool = context;
    uv_mutex_lock(&pool->mutex);
    while (!is_over(pool)) {
        struct mproc_async_result *job = next_job(pool);
        if (job == NULL) {
            uv_cond_wait(&pool->callback_wanted, &pool->mutex);
            continue;
        }
        pool->callback_is_running = true;
        uv_mutex_unlock(&pool->mutex);
        call_back(job);
        uv_mutex_lock(&pool->mutex);
        pool->callback_is_running = false;
        job_become_ready(job);
        pool_note_progress(pool);
    }
    pool->callback_thread_has_ended = true;
    pool_note_progress(pool);
    pool_unuse(pool);
}

static bool start_thread(struct mproc_pool *pool) {
    struct self_signals signals;
    self_block_signals(&signals);
    pool->has_callback_thread = uv_thread_create(&pool->callback_thread, run, pool) == 0;
    self_restore_signals(&signals);
    pool->references += pool->has_callback_thread;
    return pool->has_callback_thread;
}

void callbacks_add(struct mproc_async_result *job) {
    struct mproc_pool *pool = job->pool;
    if (!pool->has_callback_thread && !start_thread(pool)) {
        job_become_ready(job); /* the system has no room for a thread; the result is there all the same */
        return;
    }
    *(pool->first_callback != NULL ? &pool->last_callback->next : &pool->first_callback) = job;
    pool->last_callback = job;
    uv_cond_signal(&pool->callback_wanted);
}

bool callbacks_is_this_thread(const struct mproc_pool *pool) {
    uv_thread_t self = uv_thread_self();
    return pool->has_callback_thread && uv_thread_equal(&self, &pool->callback_thread) != 0;
}
