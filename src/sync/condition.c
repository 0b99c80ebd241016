/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "mproc/sync.h"
#include "spawn/task.h"
#include "sync/lock.h"
#include "sync/sync_handle.h"

static struct sync_handle *sync_of(const mproc_condition *condition) {
    return (struct sync_handle *)(uintptr_t)condition;
}

int mproc_condition_create(mproc_condition **condition, mproc_lock *lock) {
    static const char function[] = "mproc_condition_create";
    struct sync_handle *sync = NULL;
    if (condition == NULL) {
        return error_null(function, "condition");
    }
    if (lock == NULL) {
        return error_null(function, "lock");
    }
    int checked = sync_handle_check((struct sync_handle *)lock, function);
    if (checked != 0) {
        return checked;
    }
    int status = sync_handle_create(&sync, function, REFERENCE_CONDITION,
                                    (int64_t)((struct sync_handle *)lock)->object.hold.object);
    if (status == 0) {
        *condition = (mproc_condition *)sync;
    }
    return status;
}

void mproc_condition_destroy(mproc_condition *condition) {
    sync_handle_destroy(sync_of(condition));
}

cJSON *mproc_condition_ref(const mproc_condition *condition) {
    return sync_handle_ref(sync_of(condition), "mproc_condition_ref");
}

int mproc_condition_from(mproc_condition **condition, const cJSON *ref) {
    static const char function[] = "mproc_condition_from";
    struct sync_handle *sync = NULL;
    if (condition == NULL) {
        return error_null(function, "condition");
    }
    int status = sync_handle_from(&sync, function, REFERENCE_CONDITION, ref);
    if (status == 0) {
        *condition = (mproc_condition *)sync;
    }
    return status;
}

static int open_condition(void **condition, const cJSON *ref) {
    mproc_condition *opened = NULL;
    int status = mproc_condition_from(&opened, ref);
    *condition = opened;
    return status;
}

static void release_condition(void *condition) {
    mproc_condition_destroy(condition);
}

struct mproc_condition *mproc_task_condition(mproc_task *task, int index) {
    static const struct task_object_kind kind = {"a condition", open_condition, release_condition};
    return task_object(task, index, &kind);
}

/* Waiting and notifying ---------------------------------------------------------------------------------------- */

/* 0, or MPROC_EPERM where this thread does not hold the lock. */
static int check_lock(const struct sync_handle *sync, const char *function) {
    int status = sync_handle_check(sync, function);
    return status != 0 || lock_is_held(&sync->lock.room)
               ? status
               : error_set(MPROC_EPERM, 0, "%s: this thread does not hold the condition's lock", function);
}

/* Once in the room nothing that is notified is missed, so that the lock can be given up. */
static int wait_without_lock(struct sync_handle *sync, int slot, deadline until) {
    struct room *room = &sync->object.room;
    uint64_t depth = lock_give(&sync->lock.room);
    int status = room_sleep(room, slot, until);
    if (room_leave(room, slot)) {
        status = 0; /* notified, if only at the last moment */
    }
    int retaken = lock_take(&sync->lock.room, depth, DEADLINE_NEVER);
    return retaken == 0 ? status : retaken;
}

int mproc_condition_wait(mproc_condition *condition, int64_t timeout_ms) {
    static const char function[] = "mproc_condition_wait";
    struct sync_handle *sync = sync_of(condition);
    int status = error_check_timeout(function, timeout_ms);
    if (status == 0) {
        status = check_lock(sync, function);
    }
    if (status != 0) {
        return status;
    }
    struct room *room = &sync->object.room;
    int slot = room_enter(room, room_draw_ticket(room));
    if (slot < 0) {
        return error_set(MPROC_ERANGE, 0,
                         "%s: %d threads wait for this condition already, and there is no room for more", function,
                         CELL_SLOTS);
    }
    status = wait_without_lock(sync, slot, deadline_after(timeout_ms));
    switch (status) {
    case 0:
        return 0;
    case MPROC_EDIED:
        return error_set(MPROC_EDIED, 0,
                         "%s: the lock is acquired again, but its last holder ended without releasing it", function);
    case MPROC_ETIMEDOUT:
        return error_set(MPROC_ETIMEDOUT, 0, "%s: nobody notified this thread within %lld ms", function,
                         (long long)timeout_ms);
    default:
        return error_explain(status, "%s: ", function);
    }
}

static int notify(mproc_condition *condition, const char *function, unsigned n) {
    struct sync_handle *sync = sync_of(condition);
    int status = check_lock(sync, function);
    if (status == 0) {
        (void)room_wake(&sync->object.room, n);
    }
    return status;
}

int mproc_condition_notify(mproc_condition *condition, unsigned n) {
    return notify(condition, "mproc_condition_notify", n);
}

int mproc_condition_notify_all(mproc_condition *condition) {
    return notify(condition, "mproc_condition_notify_all", CELL_SLOTS);
}
