/* SPDX-License-Identifier: MIT */
#include "sync/sync_handle.h"

#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/wake.h"
#include "spawn/runtime.h"
#include "sync/arena.h"
#include "sync/sync_state.h"

/* Sleeping and waking ------------------------------------------------------------------------------------------ */

static int ask(struct sync_object *object, enum sync_operation operation, int64_t argument, deadline until,
               struct answer *answer) {
    struct request request;
    memset(&request, 0, sizeof request);
    request.operation = operation;
    request.argument = argument;
    return hold_ask(&object->hold, &request, until, answer);
}

static int sleep_by_hub(struct room *room, atomic_number *word, uint32_t seen, deadline until) {
    struct answer answer;
    struct sync_object *object = (struct sync_object *)room;
    int status = ask(object, SYNC_SLEEP, sync_argument((uint32_t)(word - &room->cell->flags), seen), until, &answer);
    payload_clear(&answer.payload);
    return status;
}

static void wake_by_hub(struct room *room, atomic_number *word) {
    struct answer answer;
    struct sync_object *object = (struct sync_object *)room;
    uint32_t place = (uint32_t)(word - &room->cell->flags);
    if (hold_epoch() == 0 || !hold_post(&object->hold, SYNC_WAKE, PAYLOAD_NONE, &place, sizeof place)) {
        (void)ask(object, SYNC_WAKE, sync_argument(place, 0), DEADLINE_NEVER, &answer); /* fails with all else only */
        payload_clear(&answer.payload);
    }
}

static int sleep_here(struct room *room, atomic_number *word, uint32_t seen, deadline until) {
    return wake_is_there() ? wake_sleep(word, seen, until) : sleep_by_hub(room, word, seen, until);
}

static void wake_here(struct room *room, atomic_number *word) {
    if (wake_is_there()) {
        wake_all(word);
    } else {
        wake_by_hub(room, word);
    }
}

static const struct room_system sync_system = {sleep_here, wake_here};

THREAD_LOCAL uint32_t sync_thread;

uint32_t sync_number_thread(void) {
    static atomic_number last_thread;
    sync_thread = (uint32_t)atomic_increase(&last_thread, 1) + 1;
    return sync_thread;
}

/* Handles ------------------------------------------------------------------------------------------------------ */

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static struct sync_handle *free_handles;

static void create_mutex(void) {
    (void)uv_mutex_init(&mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

static void free_all(void) {
    uv_mutex_lock(&mutex);
    while (free_handles != NULL) {
        struct sync_handle *sync = free_handles;
        free_handles = sync->next;
        memory_free(sync);
    }
    uv_mutex_unlock(&mutex);
}

static struct sync_handle *allocate(void) {
    uv_once(&once, create_mutex);
    uv_mutex_lock(&mutex);
    struct sync_handle *sync = free_handles;
    if (sync != NULL) {
        free_handles = sync->next;
    }
    uv_mutex_unlock(&mutex);
    if (sync == NULL) {
        runtime_at_shutdown(free_all);
        return memory_allocate(sizeof *sync);
    }
    memset(sync, 0, sizeof *sync);
    return sync;
}

static void release(struct sync_handle *sync) {
    sync->is_open = false;
    uv_mutex_lock(&mutex);
    sync->next = free_handles;
    free_handles = sync;
    uv_mutex_unlock(&mutex);
}

/* Asks where the object's cell is, and maps the memory that it is in, where that is new here. */
static int open_object(struct sync_object *object) {
    struct arena_place place = {0, 0};
    int status = 0;
    for (int has_to_map = 0; has_to_map < 2 && status == 0 && object->room.cell == NULL; has_to_map++) {
        struct answer answer;
        status = ask(object, SYNC_OPEN, has_to_map, DEADLINE_NEVER, &answer);
        if (status == 0) {
            place.arena = sync_answer_arena(answer.value);
            place.index = sync_answer_index(answer.value);
            object->room.process = sync_answer_process(answer.value);
        }
        if (status == 0 && has_to_map) {
            status = arena_add(&place, &answer);
        }
        payload_clear(&answer.payload);
        object->room.cell = status == 0 ? arena_find(&place) : NULL;
    }
    object->room.system = &sync_system;
    return status;
}

static int open_lock_of(struct sync_handle *condition) {
    struct answer answer;
    int status = ask(&condition->object, SYNC_LOCK_OF, 0, DEADLINE_NEVER, &answer);
    payload_clear(&answer.payload);
    if (status == 0) {
        condition->lock.hold.kind = REFERENCE_LOCK;
        condition->lock.hold.object = (uint64_t)answer.value;
        condition->lock.hold.token = HANDLE_INVALID;
        status = open_object(&condition->lock);
    }
    return status;
}

static int open_all(struct sync_handle *sync) {
    int status = open_object(&sync->object);
    if (status == 0 && sync->object.hold.kind == REFERENCE_CONDITION) {
        status = open_lock_of(sync);
    }
    if (status == 0 && !wake_is_there()) {
        hold_allow_posting();
    }
    return status;
}

/* The hold is the handle's own, also on failure. */
static int open_handle(const struct hold *hold, bool is_borrowed, struct sync_handle **sync) {
    struct sync_handle *opened = allocate();
    struct hold taken = *hold;
    int status = opened != NULL ? 0 : MPROC_ENOMEM;
    if (status == 0) {
        opened->object.hold = *hold;
        status = open_all(opened);
    }
    if (status != 0) {
        if (!is_borrowed) {
            hold_close(&taken);
        }
        if (opened != NULL) {
            release(opened);
        }
        return status;
    }
    opened->permits = (unsigned)atomic_load(&opened->object.room.cell->permit_count);
    opened->is_borrowed = is_borrowed;
    opened->is_open = true;
    *sync = opened;
    return 0;
}

int sync_handle_create(struct sync_handle **sync, const char *function, enum reference_kind kind, int64_t argument) {
    struct hold hold;
    int status = runtime_check(function);
    if (status != 0) {
        return status;
    }
    status = hold_create(&hold, kind, argument);
    if (status == 0) {
        status = open_handle(&hold, false, sync);
    }
    return status == 0 ? 0 : error_explain(status, "%s: ", function);
}

int sync_handle_from(struct sync_handle **sync, const char *function, enum reference_kind kind, const cJSON *ref) {
    struct hold hold;
    int status = runtime_check(function);
    if (status != 0) {
        return status;
    }
    if (ref == NULL) {
        return error_null(function, "ref");
    }
    status = hold_open(&hold, kind, ref);
    if (status == 0) {
        status = open_handle(&hold, false, sync);
    }
    return status == 0 ? 0 : error_explain(status, "%s: ", function);
}

int sync_handle_borrow(struct sync_handle **sync, enum reference_kind kind, uint64_t object) {
    struct hold hold = {kind, object, HANDLE_INVALID};
    return open_handle(&hold, true, sync);
}

cJSON *sync_handle_ref(const struct sync_handle *sync, const char *function) {
    if (sync_handle_check(sync, function) != 0) {
        return NULL;
    }
    if (sync->is_borrowed) {
        (void)error_set(MPROC_ENOTSUP, 0, "%s: this lock goes with its shared memory: hand that over", function);
        return NULL;
    }
    return hold_reference(&sync->object.hold);
}

void sync_handle_destroy(struct sync_handle *sync) {
    if (sync != NULL && sync->is_open) {
        if (!sync->is_borrowed) {
            hold_close(&sync->object.hold);
        }
        release(sync);
    }
}

int sync_handle_check(const struct sync_handle *sync, const char *function) {
    if (sync == NULL) {
        return error_set(MPROC_EINVAL, 0, "%s: its first parameter is NULL", function);
    }
    return sync->is_open ? 0 : error_set(MPROC_ESTATE, 0, "%s: this handle was destroyed before", function);
}

int sync_handle_check_wait(const struct sync_handle *sync, const char *function, int64_t timeout_ms) {
    int status = error_check_timeout(function, timeout_ms);
    return status == 0 ? sync_handle_check(sync, function) : status;
}
