/* SPDX-License-Identifier: MIT */
#include <limits.h>

#include "base/error.h"
#include "mproc/sync.h"
#include "spawn/task.h"
#include "sync/sync_handle.h"
#include "sync/turnstile.h"

static struct sync_handle *sync_of(const mproc_semaphore *semaphore) {
    return (struct sync_handle *)(uintptr_t)semaphore;
}

int mproc_semaphore_create(mproc_semaphore **semaphore, unsigned value, unsigned max) {
    static const char function[] = "mproc_semaphore_create";
    struct sync_handle *sync = NULL;
    if (semaphore == NULL) {
        return error_null(function, "semaphore");
    }
    if (value > INT_MAX || max > INT_MAX || (max > 0 && value > max)) {
        return error_set(MPROC_EINVAL, 0, "%s: a value of %u is more than the semaphore can have (%u)", function, value,
                         max > 0 && max <= INT_MAX ? max : INT_MAX);
    }
    int status = sync_handle_create(&sync, function, REFERENCE_SEMAPHORE, (int64_t)((uint64_t)value << 32 | max));
    if (status == 0) {
        *semaphore = (mproc_semaphore *)sync;
    }
    return status;
}

void mproc_semaphore_destroy(mproc_semaphore *semaphore) {
    sync_handle_destroy(sync_of(semaphore));
}

cJSON *mproc_semaphore_ref(const mproc_semaphore *semaphore) {
    return sync_handle_ref(sync_of(semaphore), "mproc_semaphore_ref");
}

int mproc_semaphore_from(mproc_semaphore **semaphore, const cJSON *ref) {
    static const char function[] = "mproc_semaphore_from";
    struct sync_handle *sync = NULL;
    if (semaphore == NULL) {
        return error_null(function, "semaphore");
    }
    int status = sync_handle_from(&sync, function, REFERENCE_SEMAPHORE, ref);
    if (status == 0) {
        *semaphore = (mproc_semaphore *)sync;
    }
    return status;
}

static int open_semaphore(void **semaphore, const cJSON *ref) {
    mproc_semaphore *opened = NULL;
    int status = mproc_semaphore_from(&opened, ref);
    *semaphore = opened;
    return status;
}

static void release_semaphore(void *semaphore) {
    mproc_semaphore_destroy(semaphore);
}

struct mproc_semaphore *mproc_task_semaphore(mproc_task *task, int index) {
    static const struct task_object_kind kind = {"a semaphore", open_semaphore, release_semaphore};
    return task_object(task, index, &kind);
}

/* Acquiring and releasing -------------------------------------------------------------------------------------- */

int mproc_semaphore_acquire(mproc_semaphore *semaphore, int64_t timeout_ms) {
    static const char function[] = "mproc_semaphore_acquire";
    struct sync_handle *sync = sync_of(semaphore);
    int status = sync_handle_check_wait(sync, function, timeout_ms);
    if (status != 0) {
        return status;
    }
    struct room *room = &sync->object.room;
    status = turnstile_take(room, sync->permits, sync_holder(room), deadline_after(timeout_ms));
    switch (status) {
    case 0:
        return 0;
    case MPROC_EDIED:
        return error_set(MPROC_EDIED, 0,
                         "%s: the semaphore is acquired, but a process that had acquired it ended without releasing it",
                         function);
    case MPROC_ETIMEDOUT:
        return error_set(MPROC_ETIMEDOUT, 0, "%s: the semaphore stayed at 0 for %lld ms", function,
                         (long long)timeout_ms);
    default:
        return error_explain(status, "%s: ", function);
    }
}

int mproc_semaphore_release(mproc_semaphore *semaphore) {
    static const char function[] = "mproc_semaphore_release";
    struct sync_handle *sync = sync_of(semaphore);
    int status = sync_handle_check(sync, function);
    if (status != 0) {
        return status;
    }
    struct room *room = &sync->object.room;
    return turnstile_give(room, sync->permits, sync_holder(room), true)
               ? 0
               : error_set(MPROC_ERANGE, 0, "%s: the semaphore has its maximum of %llu: it was released once too often",
                           function, (unsigned long long)atomic_load(&room->cell->limit));
}

int mproc_semaphore_value(const mproc_semaphore *semaphore) {
    struct sync_handle *sync = sync_of(semaphore);
    int status = sync_handle_check(sync, "mproc_semaphore_value");
    return status == 0 ? (int)turnstile_count(&sync->object.room, sync->permits) : status;
}
