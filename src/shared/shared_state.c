/* SPDX-License-Identifier: MIT */
#include "shared/shared_state.h"

#include <stddef.h>

#include "base/memory.h"
#include "mproc/core.h"
#include "platform/shared_memory.h"

struct shared_state {
    struct object object;
    struct object *lock; /* which it uses */
    handle memory;
    size_t size;
};

static struct shared_state *state_of(struct object *object) {
    return (struct shared_state *)(void *)((char *)object - offsetof(struct shared_state, object));
}

static struct object *create(const struct request *request) {
    struct object *lock = object_find((uint64_t)request->argument);
    struct shared_state *state = lock != NULL ? memory_allocate(sizeof *state) : NULL;
    if (state == NULL) {
        return NULL;
    }
    object_use(lock);
    state->lock = lock;
    state->memory = HANDLE_INVALID;
    return &state->object;
}

static void destroy(struct object *object) {
    struct shared_state *state = state_of(object);
    object_unuse(state->lock);
    handle_close(state->memory);
    memory_free(state);
}

static int allocate(struct shared_state *state, int64_t size) {
    if (size <= 0 || state->memory != HANDLE_INVALID) {
        return MPROC_EINVAL;
    }
    int status = shared_memory_create((size_t)size, &state->memory);
    state->size = status == 0 ? (size_t)size : 0;
    return status;
}

static void open_memory(const struct shared_state *state, struct call *call) {
    handle copy = HANDLE_INVALID;
    int status = state->memory != HANDLE_INVALID ? handle_duplicate(state->memory, &copy) : MPROC_ENOTFOUND;
    if (status == 0) {
        status = message_add_handle(&call->answer.payload.message, copy);
    }
    call_finish(call, status, (int64_t)state->size);
}

static void carry_out(struct object *object, struct call *call) {
    struct shared_state *state = state_of(object);
    switch ((enum shared_operation)call->request.operation) {
    case SHARED_ALLOCATE:
        call_finish(call, allocate(state, call->request.argument), 0);
        return;
    case SHARED_OPEN:
        open_memory(state, call);
        return;
    case SHARED_LOCK_OF:
        call_finish(call, 0, (int64_t)state->lock->id);
        return;
    }
    call_finish(call, MPROC_EINVAL, 0);
}

const struct object_class shared_class = {REFERENCE_SHARED, create, carry_out, NULL, NULL, NULL, NULL, destroy};
