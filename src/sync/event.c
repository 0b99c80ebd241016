/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "mproc/sync.h"
#include "spawn/task.h"
#include "sync/sync_handle.h"
#include "sync/word.h"

static struct sync_handle *sync_of(const mproc_event *event) {
    return (struct sync_handle *)(uintptr_t)event;
}

int mproc_event_create(mproc_event **event) {
    static const char function[] = "mproc_event_create";
    struct sync_handle *sync = NULL;
    if (event == NULL) {
        return error_null(function, "event");
    }
    int status = sync_handle_create(&sync, function, REFERENCE_EVENT, 0);
    if (status == 0) {
        *event = (mproc_event *)sync;
    }
    return status;
}

void mproc_event_destroy(mproc_event *event) {
    sync_handle_destroy(sync_of(event));
}

cJSON *mproc_event_ref(const mproc_event *event) {
    return sync_handle_ref(sync_of(event), "mproc_event_ref");
}

int mproc_event_from(mproc_event **event, const cJSON *ref) {
    static const char function[] = "mproc_event_from";
    struct sync_handle *sync = NULL;
    if (event == NULL) {
        return error_null(function, "event");
    }
    int status = sync_handle_from(&sync, function, REFERENCE_EVENT, ref);
    if (status == 0) {
        *event = (mproc_event *)sync;
    }
    return status;
}

static int open_event(void **event, const cJSON *ref) {
    mproc_event *opened = NULL;
    int status = mproc_event_from(&opened, ref);
    *event = opened;
    return status;
}

static void release_event(void *event) {
    mproc_event_destroy(event);
}

struct mproc_event *mproc_task_event(mproc_task *task, int index) {
    static const struct task_object_kind kind = {"an event", open_event, release_event};
    return task_object(task, index, &kind);
}

/* Setting and waiting ------------------------------------------------------------------------------------------ */

int mproc_event_set(mproc_event *event) {
    struct sync_handle *sync = sync_of(event);
    int status = sync_handle_check(sync, "mproc_event_set");
    if (status == 0) {
        word_store(&sync->object.room.cell->value, 1);
        room_wake_all(&sync->object.room);
    }
    return status;
}

int mproc_event_clear(mproc_event *event) {
    struct sync_handle *sync = sync_of(event);
    int status = sync_handle_check(sync, "mproc_event_clear");
    if (status == 0) {
        word_store(&sync->object.room.cell->value, 0);
    }
    return status;
}

bool mproc_event_is_set(const mproc_event *event) {
    struct sync_handle *sync = sync_of(event);
    return sync_handle_check(sync, "mproc_event_is_set") == 0 && atomic_load(&sync->object.room.cell->value) != 0;
}

/* It was not set a moment ago. One that is set and cleared again before this thread has looked has woken it all the same. */
static int wait_until_set(struct room *room, deadline until) {
    int slot = room_enter_in_time(room, room_draw_ticket(room), until);
    if (slot < 0) {
        return slot;
    }
    int status = word_is(&room->cell->value, 1) ? 0 : room_sleep(room, slot, until);
    return room_leave(room, slot) ? 0 : status;
}

int mproc_event_wait(mproc_event *event, int64_t timeout_ms) {
    static const char function[] = "mproc_event_wait";
    struct sync_handle *sync = sync_of(event);
    int status = sync_handle_check_wait(sync, function, timeout_ms);
    if (status != 0 || word_is(&sync->object.room.cell->value, 1)) {
        return status;
    }
    status = timeout_ms == 0 ? MPROC_ETIMEDOUT : wait_until_set(&sync->object.room, deadline_after(timeout_ms));
    if (status == MPROC_ETIMEDOUT) {
        return error_set(MPROC_ETIMEDOUT, 0, "%s: the event was not set within %lld ms", function,
                         (long long)timeout_ms);
    }
    return status == 0 ? 0 : error_explain(status, "%s: ", function);
}
