/* SPDX-License-Identifier: MIT */
#include "sync/lock.h"

#include "base/error.h"
#include "mproc/sync.h"
#include "spawn/task.h"
#include "sync/sync_handle.h"
#include "sync/turnstile.h"

static struct sync_handle *sync_of(const mproc_lock *lock) {
    return (struct sync_handle *)(uintptr_t)lock;
}

int mproc_lock_create(mproc_lock **lock, bool recursive) {
    static const char function[] = "mproc_lock_create";
    struct sync_handle *sync = NULL;
    if (lock == NULL) {
        return error_null(function, "lock");
    }
    int status = sync_handle_create(&sync, function, REFERENCE_LOCK, recursive);
    if (status == 0) {
        *lock = (mproc_lock *)sync;
    }
    return status;
}

void mproc_lock_destroy(mproc_lock *lock) {
    sync_handle_destroy(sync_of(lock));
}

cJSON *mproc_lock_ref(const mproc_lock *lock) {
    return sync_handle_ref(sync_of(lock), "mproc_lock_ref");
}

int mproc_lock_from(mproc_lock **lock, const cJSON *ref) {
    static const char function[] = "mproc_lock_from";
    struct sync_handle *sync = NULL;
    if (lock == NULL) {
        return error_null(function, "lock");
    }
    int status = sync_handle_from(&sync, function, REFERENCE_LOCK, ref);
    if (status == 0) {
        *lock = (mproc_lock *)sync;
    }
    return status;
}

static int open_lock(void **lock, const cJSON *ref) {
    mproc_lock *opened = NULL;
    int status = mproc_lock_from(&opened, ref);
    *lock = opened;
    return status;
}

static void release_lock(void *lock) {
    mproc_lock_destroy(lock);
}

struct mproc_lock *mproc_task_lock(mproc_task *task, int index) {
    static const struct task_object_kind kind = {"a lock", open_lock, release_lock};
    return task_object(task, index, &kind);
}

/* The state ---------------------------------------------------------------------------------------------------- */

bool lock_is_held(const struct room *room) {
    return atomic_load(&room->cell->permits[0]) == sync_holder(room);
}

int lock_take(struct room *room, uint64_t depth, deadline until) {
    int status = turnstile_take(room, 1, sync_holder(room), until);
    if (status == 0 || status == MPROC_EDIED) {
        atomic_store_release(&room->cell->depth, depth);
    }
    return status;
}

uint64_t lock_give(struct room *room) {
    uint64_t depth = atomic_load_any(&room->cell->depth);
    (void)turnstile_give_permit(room, 0, sync_holder(room));
    return depth;
}

/* Acquiring and releasing -------------------------------------------------------------------------------------- */

/* This thread holds it already. */
static int acquire_again(struct room *room, const char *function, int64_t timeout_ms) {
    struct cell *cell = room->cell;
    if (atomic_load_any(&cell->limit) != 0) {
        atomic_store_release(&cell->depth, atomic_load_any(&cell->depth) + 1);
        return 0;
    }
    return timeout_ms == MPROC_FOREVER
               ? error_set(MPROC_ESTATE, 0,
                           "%s: this thread holds the lock already and would wait for itself; make a recursive one",
                           function)
               : 0;
}

static int explain(int status, const char *function, int64_t timeout_ms) {
    switch (status) {
    case 0:
        return 0;
    case MPROC_EDIED:
        return error_set(MPROC_EDIED, 0, "%s: the lock is acquired, but its last holder ended without releasing it",
                         function);
    case MPROC_ETIMEDOUT:
        return error_set(MPROC_ETIMEDOUT, 0, "%s: the lock was not free within %lld ms", function,
                         (long long)timeout_ms);
    default:
        return error_explain(status, "%s: ", function);
    }
}

/* It was not free, or the call makes no sense. */
static int acquire_slowly(struct sync_handle *sync, int64_t timeout_ms) {
    static const char function[] = "mproc_lock_acquire";
    int status = sync_handle_check_wait(sync, function, timeout_ms);
    if (status != 0) {
        return status;
    }
    struct room *room = &sync->object.room;
    if (lock_is_held(room)) {
        status = acquire_again(room, function, timeout_ms);
        if (status != 0 || atomic_load_any(&room->cell->limit) != 0) {
            return status;
        }
    }
    return explain(lock_take(room, 1, deadline_after(timeout_ms)), function, timeout_ms);
}

int mproc_lock_acquire(mproc_lock *lock, int64_t timeout_ms) {
    struct sync_handle *sync = sync_of(lock);
    if (sync_is_usable(sync) && timeout_ms >= MPROC_FOREVER) {
        struct cell *cell = sync->object.room.cell;
        if (turnstile_take_quickly(cell, 0, sync_holder(&sync->object.room))) {
            atomic_store_release(&cell->depth, 1);
            return explain(turnstile_ask_for_deaths(cell), "mproc_lock_acquire", timeout_ms);
        }
    }
    return acquire_slowly(sync, timeout_ms);
}

int mproc_lock_release(mproc_lock *lock) {
    static const char function[] = "mproc_lock_release";
    struct sync_handle *sync = sync_of(lock);
    if (!sync_is_usable(sync)) {
        return sync_handle_check(sync, function);
    }
    struct room *room = &sync->object.room;
    uint64_t holder = sync_holder(room);
    if (atomic_load_any(&room->cell->permits[0]) != holder) {
        return error_set(MPROC_EPERM, 0, "%s: this thread does not hold the lock", function);
    }
    uint64_t depth = atomic_load_any(&room->cell->depth);
    if (depth > 1) {
        atomic_store_release(&room->cell->depth, depth - 1);
        return 0;
    }
    (void)turnstile_give_permit(room, 0, holder);
    return 0;
}
