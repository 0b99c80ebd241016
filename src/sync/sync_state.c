/* SPDX-License-Identifier: MIT */
#include "sync/sync_state.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "mproc/core.h"
#include "platform/wake.h"
#include "sync/arena.h"
#include "sync/party.h"
#include "sync/turnstile.h"
#include "sync/word.h"

#define FIRST_PROCESS 1

struct sync_state {
    struct object object;
    struct room room; /* as this process uses it */
    struct arena_place place;
    struct object *lock;       /* of a condition, which uses it */
    struct call_list sleepers; /* where the system has no means of its own */
};

static struct sync_state *state_of(struct object *object) {
    return (struct sync_state *)(void *)((char *)object - offsetof(struct sync_state, object));
}

/* Sleeping and waking ------------------------------------------------------------------------------------------ */

static uint32_t word_of(const struct call *call) {
    return (uint32_t)((uint64_t)call->request.argument >> 32);
}

static void wake_sleepers(struct sync_state *state, uint32_t word) {
    struct call *call = state->sleepers.first;
    while (call != NULL) {
        struct call *next = call->next;
        if (word_of(call) == word) {
            call_finish(call, 0, 0);
        }
        call = next;
    }
}

static void sleep_on(struct sync_state *state, struct call *call) {
    const atomic_number *words = &state->room.cell->flags; /* the first of them */
    uint32_t seen = (uint32_t)call->request.argument, word = word_of(call);
    if (word >= CELL_SIZE / sizeof *words) {
        call_finish(call, MPROC_EINVAL, 0);
    } else if ((uint32_t)atomic_load(&words[word]) != seen) {
        call_finish(call, 0, 0);
    } else {
        call_wait(call, &state->object, &state->sleepers);
    }
}

/* With the objects' lock, as all that the first process does for others. */
static void wake_from_here(struct room *room, atomic_number *word) {
    struct sync_state *state = (struct sync_state *)(void *)((char *)room - offsetof(struct sync_state, room));
    if (wake_is_there()) {
        wake_all(word);
    } else {
        wake_sleepers(state, (uint32_t)(word - &room->cell->flags));
    }
}

static const struct room_system system_here = {NULL, wake_from_here}; /* nobody sleeps with the objects' lock */

/* Making and freeing ------------------------------------------------------------------------------------------- */

/* One whose cell has this limit; NULL for want of memory. */
static struct sync_state *create(uint64_t limit) {
    struct sync_state *state = memory_allocate(sizeof *state);
    if (state == NULL || arena_take(&state->place, &state->room.cell) != 0) {
        memory_free(state);
        return NULL;
    }
    state->room.system = &system_here;
    state->room.process = FIRST_PROCESS;
    atomic_store_release(&state->room.cell->limit, limit);
    return state;
}

static struct object *object_of(struct sync_state *state) {
    return state != NULL ? &state->object : NULL;
}

static struct object *create_lock(const struct request *request) {
    struct sync_state *state = create((uint64_t)request->argument);
    if (state != NULL) {
        atomic_store_release(&state->room.cell->permit_count, 1);
    }
    return object_of(state);
}

/* One that is full at first has holders, as many as it has room for; see mproc_semaphore_create. */
static struct object *create_semaphore(const struct request *request) {
    uint64_t value = (uint64_t)request->argument >> 32, limit = (uint32_t)request->argument;
    bool has_holders = limit > 0 && value == limit && limit <= CELL_PERMITS;
    struct sync_state *state = create(limit > 0 ? limit : INT_MAX);
    if (state != NULL) {
        atomic_store_release(&state->room.cell->permit_count, has_holders ? limit : 0);
        atomic_store_release(&state->room.cell->value, has_holders ? 0 : value);
    }
    return object_of(state);
}

static struct object *create_event(const struct request *request) {
    (void)request;
    return object_of(create(0));
}

static struct object *create_condition(const struct request *request) {
    struct object *lock = object_find((uint64_t)request->argument);
    struct sync_state *state = lock != NULL && lock->class == &lock_class ? create(0) : NULL;
    if (state != NULL) {
        object_use(lock);
        state->lock = lock;
    }
    return object_of(state);
}

static struct object *create_barrier(const struct request *request) {
    return object_of(create((uint64_t)request->argument));
}

static void destroy(struct object *object) {
    struct sync_state *state = state_of(object);
    if (state->lock != NULL) {
        object_unuse(state->lock);
    }
    arena_give(&state->place);
    memory_free(state);
}

/* What processes ask ------------------------------------------------------------------------------------------- */

static void open_state(struct sync_state *state, struct call *call) {
    int status = call->request.argument != 0 ? arena_share(&state->place, call) : 0;
    call_finish(call, status,
                (int64_t)(call_taker(call) + 1) | (int64_t)state->place.arena << 24 |
                    (int64_t)state->place.index << 48);
}

static void carry_out(struct object *object, struct call *call) {
    struct sync_state *state = state_of(object);
    switch ((enum sync_operation)call->request.operation) {
    case SYNC_OPEN:
        open_state(state, call);
        return;
    case SYNC_SLEEP:
        sleep_on(state, call);
        return;
    case SYNC_WAKE:
        wake_sleepers(state, word_of(call));
        call_finish(call, 0, 0);
        return;
    case SYNC_LOCK_OF:
        call_finish(call, state->lock != NULL ? 0 : MPROC_EINVAL, state->lock != NULL ? (int64_t)state->lock->id : 0);
        return;
    }
    call_finish(call, MPROC_EINVAL, 0);
}

/* A SYNC_WAKE that needs no answer: what is posted is its argument. */
static bool post(struct object *object, const struct posting *posting) {
    uint32_t word;
    if (posting->operation == SYNC_WAKE && posting->size == sizeof word) {
        memcpy(&word, posting->data, sizeof word);
        wake_sleepers(state_of(object), word);
    }
    return true;
}

/* Deaths ------------------------------------------------------------------------------------------------------- */

static void forget_holder(struct object *object, uint32_t taker) {
    struct room *room = &state_of(object)->room;
    turnstile_forget(room, (unsigned)atomic_load(&room->cell->permit_count), taker + 1);
}

/* It may have set the event, and not woken all. */
static void forget_in_event(struct object *object, uint32_t taker) {
    struct room *room = &state_of(object)->room;
    (void)room_forget(room, taker + 1);
    if (atomic_load(&room->cell->value) != 0) {
        room_wake_all(room);
    }
}

/* What it was notified of, and did not come to, goes to another one. */
static void forget_in_condition(struct object *object, uint32_t taker) {
    struct room *room = &state_of(object)->room;
    unsigned woken = room_forget(room, taker + 1);
    (void)room_wake(room, woken);
}

static void forget_in_barrier(struct object *object, uint32_t taker) {
    party_forget(&state_of(object)->room, taker + 1);
}

const struct object_class lock_class = {REFERENCE_LOCK, create_lock,   carry_out, NULL,
                                        post,           forget_holder, NULL,      destroy};
const struct object_class semaphore_class = {
    REFERENCE_SEMAPHORE, create_semaphore, carry_out, NULL, post, forget_holder, NULL, destroy};
const struct object_class event_class = {REFERENCE_EVENT, create_event, carry_out, NULL, post,
                                         forget_in_event, NULL,         destroy};
const struct object_class condition_class = {
    REFERENCE_CONDITION, create_condition, carry_out, NULL, post, forget_in_condition, NULL, destroy};
const struct object_class barrier_class = {REFERENCE_BARRIER, create_barrier, carry_out, NULL, post,
                                           forget_in_barrier, NULL,           destroy};
