/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "mproc/sync.h"
#include "spawn/task.h"
#include "sync/party.h"
#include "sync/sync_handle.h"

static struct sync_handle *sync_of(const mproc_barrier *barrier) {
    return (struct sync_handle *)(uintptr_t)barrier;
}

int mproc_barrier_create(mproc_barrier **barrier, unsigned parties) {
    static const char function[] = "mproc_barrier_create";
    struct sync_handle *sync = NULL;
    if (barrier == NULL) {
        return error_null(function, "barrier");
    }
    if (parties == 0 || parties > PARTIES_MAX) {
        return error_set(parties == 0 ? MPROC_EINVAL : MPROC_ERANGE, 0,
                         "%s: a barrier is for 1 to %d parties, not for %u", function, PARTIES_MAX, parties);
    }
    int status = sync_handle_create(&sync, function, REFERENCE_BARRIER, (int64_t)parties);
    if (status == 0) {
        *barrier = (mproc_barrier *)sync;
    }
    return status;
}

void mproc_barrier_destroy(mproc_barrier *barrier) {
    sync_handle_destroy(sync_of(barrier));
}

cJSON *mproc_barrier_ref(const mproc_barrier *barrier) {
    return sync_handle_ref(sync_of(barrier), "mproc_barrier_ref");
}

int mproc_barrier_from(mproc_barrier **barrier, const cJSON *ref) {
    static const char function[] = "mproc_barrier_from";
    struct sync_handle *sync = NULL;
    if (barrier == NULL) {
        return error_null(function, "barrier");
    }
    int status = sync_handle_from(&sync, function, REFERENCE_BARRIER, ref);
    if (status == 0) {
        *barrier = (mproc_barrier *)sync;
    }
    return status;
}

static int open_barrier(void **barrier, const cJSON *ref) {
    mproc_barrier *opened = NULL;
    int status = mproc_barrier_from(&opened, ref);
    *barrier = opened;
    return status;
}

static void release_barrier(void *barrier) {
    mproc_barrier_destroy(barrier);
}

struct mproc_barrier *mproc_task_barrier(mproc_task *task, int index) {
    static const struct task_object_kind kind = {"a barrier", open_barrier, release_barrier};
    return task_object(task, index, &kind);
}

/* Waiting and breaking ----------------------------------------------------------------------------------------- */

int mproc_barrier_wait(mproc_barrier *barrier, int64_t timeout_ms) {
    static const char function[] = "mproc_barrier_wait";
    struct sync_handle *sync = sync_of(barrier);
    int status = sync_handle_check_wait(sync, function, timeout_ms);
    if (status != 0) {
        return status;
    }
    int result = party_wait(&sync->object.room, deadline_after(timeout_ms));
    if (result >= 0) {
        return result;
    }
    if (result == MPROC_ECLOSED) {
        return error_set(MPROC_ECLOSED, 0,
                         "%s: the barrier is broken: a party gave up or died, or it was aborted or reset", function);
    }
    if (result == MPROC_ETIMEDOUT) {
        return error_set(MPROC_ECLOSED, 0, "%s: not all parties came within %lld ms, so that the barrier is broken",
                         function, (long long)timeout_ms);
    }
    return error_explain(result, "%s: ", function);
}

int mproc_barrier_abort(mproc_barrier *barrier) {
    struct sync_handle *sync = sync_of(barrier);
    int status = sync_handle_check(sync, "mproc_barrier_abort");
    if (status == 0) {
        party_break(&sync->object.room);
    }
    return status;
}

int mproc_barrier_reset(mproc_barrier *barrier) {
    struct sync_handle *sync = sync_of(barrier);
    int status = sync_handle_check(sync, "mproc_barrier_reset");
    if (status == 0) {
        party_reset(&sync->object.room);
    }
    return status;
}
