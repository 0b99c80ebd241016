/* SPDX-License-Identifier: MIT */
/* A result among the things that a thread waits for. */
#include "pool/pool.h"
#include "wait/waiting.h"

static int begin(struct waiting *waiting, const char *function) {
    struct mproc_async_result *result = waiting->thing;
    struct waiter *waiter = &waiting->own.waiter;
    uv_mutex_lock(&result->pool->mutex);
    int status = waiting->only_asks ? 0 : result_check_wait(result, function);
    if (status == 0) {
        waiter->bell = waiting->bell;
        waiter->next = result->waiters;
        result->waiters = waiter;
    }
    uv_mutex_unlock(&result->pool->mutex);
    return status;
}

static void look(struct waiting *waiting) {
    waiting->is_ready = mproc_async_result_ready(waiting->thing);
}

static void end(struct waiting *waiting) {
    struct mproc_async_result *result = waiting->thing;
    uv_mutex_lock(&result->pool->mutex);
    pool_leave(&result->waiters, &waiting->own.waiter);
    uv_mutex_unlock(&result->pool->mutex);
}

const struct waiting_kind result_waiting = {true, begin, look, NULL, NULL, end};
