/* SPDX-License-Identifier: MIT */
#include "hub/object.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/classes.h"
#include "hub/hub.h"
#include "hub/reader.h"
#include "hub/session.h"
#include "platform/pipe.h"

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;

/* In the order of their ids, which only grow. */
static struct object **objects;
static size_t object_count, object_capacity;
static uint64_t last_id;
static size_t waiting_count;

static void create_mutex(void) {
    (void)uv_mutex_init(&mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

void objects_lock(void) {
    uv_once(&once, create_mutex);
    uv_mutex_lock(&mutex);
}

void objects_unlock(void) {
    uv_mutex_unlock(&mutex);
}

/* The table ---------------------------------------------------------------------------------------------------- */

/* Where the id stands, or would. */
static size_t place_of(uint64_t id) {
    size_t low = 0, high = object_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (objects[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct object *object_find(uint64_t id) {
    size_t place = place_of(id);
    return place < object_count && objects[place]->id == id ? objects[place] : NULL;
}

static int reserve_place(void) {
    if (object_count < object_capacity) {
        return 0;
    }
    size_t capacity = object_capacity > 0 ? object_capacity * 2 : 16;
    struct object **grown = memory_resize(objects, capacity * sizeof(struct object *));
    if (grown == NULL) {
        return MPROC_ENOMEM;
    }
    objects = grown;
    object_capacity = capacity;
    return 0;
}

static void destroy(struct object *object) {
    size_t place = place_of(object->id);
    memmove(&objects[place], &objects[place + 1], (object_count - place - 1) * sizeof(struct object *));
    object_count--;
    handle_close(object->token);
    handle_close(object->token_reader);
    object->class->destroy(object);
}

/* Calls -------------------------------------------------------------------------------------------------------- */

static void leave_list(struct call *call) {
    struct call_list *list = call->list;
    if (list == NULL) {
        return;
    }
    *(call->previous != NULL ? &call->previous->next : &list->first) = call->next;
    *(call->next != NULL ? &call->next->previous : &list->last) = call->previous;
    call->previous = call->next = NULL;
    call->list = NULL;
    call->object = NULL;
    waiting_count--;
}

void call_finish(struct call *call, int status, int64_t value) {
    leave_list(call);
    call->answer.status = status;
    call->answer.value = value;
    call->is_done = true;
    if (call->session != NULL) {
        session_answer(call);
    } else if (call->bell != NULL) {
        bell_ring(call->bell);
    } else {
        uv_cond_signal(&call->done);
    }
}

void call_wait(struct call *call, struct object *object, struct call_list *list) {
    if (!call->may_wait) {
        call_finish(call, MPROC_ETIMEDOUT, 0);
        return;
    }
    call->object = object;
    call->list = list;
    call->previous = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = call;
    list->last = call;
    waiting_count++;
}

size_t calls_waiting(void) {
    objects_lock();
    size_t count = waiting_count;
    objects_unlock();
    return count;
}

static void create(struct call *call) {
    const struct object_class *class = class_of(call->request.kind);
    struct object *created = class != NULL && reserve_place() == 0 ? class->create(&call->request) : NULL;
    if (created == NULL) {
        call_finish(call, class == NULL ? MPROC_EINVAL : MPROC_ENOMEM, 0);
        return;
    }
    created->id = ++last_id;
    created->class = class;
    created->token = created->token_reader = HANDLE_INVALID;
    objects[object_count++] = created;
    created->users = 1; /* of whoever asked, or until its token has been made */
    if (call->session != NULL) {
        handle token;
        int status = object_copy_token(created, &token);
        if (status == 0) {
            status = message_add_handle(&call->answer.payload.message, token);
        }
        object_unuse(created);
        call_finish(call, status, status == 0 ? (int64_t)last_id : 0);
        return;
    }
    call_finish(call, 0, (int64_t)created->id);
}

void call_carry_out(struct call *call) {
    if (call->request.operation == OBJECT_CREATE) {
        create(call);
        return;
    }
    struct object *object = object_find(call->request.object);
    if (object == NULL || object->class->kind != call->request.kind) {
        call_finish(call, MPROC_ENOTFOUND, 0);
    } else {
        object->class->carry_out(object, call);
    }
}

void call_withdraw(struct call *call) {
    struct object *object = call->object;
    if (object != NULL) {
        leave_list(call);
        if (object->class->give_up != NULL) {
            object->class->give_up(object, call);
        }
    }
}

void object_give_back(uint64_t id, struct payload *payload) {
    struct object *object = object_find(id);
    if (object != NULL && object->class->give_back != NULL && payload->kind != PAYLOAD_NONE) {
        object->class->give_back(object, payload);
    }
    payload_clear(payload); /* what nobody has taken */
}

bool object_post(const struct posting *posting) {
    struct object *object = object_find(posting->object);
    return object == NULL || object->class->kind != posting->kind || object->class->post == NULL ||
           object->class->post(object, posting);
}

void objects_forget(uint32_t taker) {
    for (size_t i = 0; i < object_count; i++) {
        if (objects[i]->class->forget != NULL) {
            objects[i]->class->forget(objects[i], taker);
        }
    }
}

uint32_t call_taker(const struct call *call) {
    return call->session != NULL ? session_number(call->session) : 0;
}

/* With the lock. */
static void begin_here(struct call *call) {
    sessions_drain(); /* what any process has posted before counts: this one may have been told of it */
    call_carry_out(call);
}

static void call_off_here(struct call *call) {
    if (!call->is_done) {
        call_withdraw(call);
        call->is_done = true;
        call->answer.status = MPROC_ETIMEDOUT;
    }
}

void object_begin_here(struct call *call) {
    objects_lock();
    begin_here(call);
    objects_unlock();
}

bool object_is_done_here(const struct call *call) {
    objects_lock();
    bool is_done = call->is_done;
    objects_unlock();
    return is_done;
}

void object_call_off_here(struct call *call) {
    objects_lock();
    call_off_here(call);
    objects_unlock();
}

void object_call_here(struct request *request, deadline until, struct answer *answer) {
    struct call call;
    memset(&call, 0, sizeof call);
    call.request = *request;
    memset(&request->payload, 0, sizeof request->payload);
    call.may_wait = deadline_remaining_ms(until) != 0;
    if (uv_cond_init(&call.done) != 0) {
        payload_clear(&call.request.payload);
        memset(answer, 0, sizeof *answer);
        answer->status = error_no_memory(sizeof call.done);
        return;
    }
    objects_lock();
    begin_here(&call);
    while (!call.is_done && deadline_wait(&call.done, &mutex, until)) {
    }
    call_off_here(&call);
    objects_unlock();
    uv_cond_destroy(&call.done);
    payload_clear(&call.request.payload);
    *answer = call.answer;
}

/* Holds -------------------------------------------------------------------------------------------------------- */

/* On the hub's thread: no process has a copy of the token any more. The id, because the object may be gone. */
static void on_token_end(void *context) {
    objects_lock();
    struct object *object = object_find((uint64_t)(uintptr_t)context);
    if (object != NULL) {
        hub_reader_close(object->watch);
        object->watch = NULL;
        if (object->users == 0) {
            destroy(object);
        }
    }
    objects_unlock();
}

static void ignore_data(void *context, const uint8_t *data, size_t size) {
    (void)context;
    (void)data;
    (void)size;
}

static const struct hub_reader_events token_events = {ignore_data, on_token_end};

/* Begins to watch, where the hub runs; otherwise objects_watch_all does it later. */
static void watch(struct object *object) {
    if (object->token_reader != HANDLE_INVALID && hub_is_running()) {
        handle reader = object->token_reader;
        object->token_reader = HANDLE_INVALID;
        /* For want of memory the object stays until this process ends. */
        (void)hub_reader_open(&object->watch, reader, &token_events, (void *)(uintptr_t)object->id);
    }
}

int object_copy_token(struct object *object, handle *copy) {
    int status = 0;
    if (object->token == HANDLE_INVALID) {
        status = pipe_create(&object->token_reader, &object->token);
    }
    if (status == 0) {
        object->was_shared = true;
        watch(object);
    }
    return status == 0 ? handle_duplicate(object->token, copy) : status;
}

void object_use(struct object *object) {
    object->users++;
}

/* Whether all copies of the token are known to be gone. Where the hub watches for that, it frees the object. */
static bool is_ours_alone(const struct object *object) {
    uint8_t byte;
    size_t size;
    return !object->was_shared || (object->token_reader != HANDLE_INVALID &&
                                   pipe_read(object->token_reader, &byte, 1, DEADLINE_NOW, &size) == MPROC_ECLOSED);
}

void object_unuse(struct object *object) {
    if (--object->users == 0) {
        handle_close(object->token); /* from now on the copies count alone */
        object->token = HANDLE_INVALID;
        if (is_ours_alone(object)) {
            destroy(object);
        }
    }
}

void objects_watch_all(void) {
    for (size_t i = 0; i < object_count; i++) {
        watch(objects[i]);
    }
}

void objects_unwatch_all(void) {
    for (size_t i = 0; i < object_count; i++) {
        hub_reader_close(objects[i]->watch);
        objects[i]->watch = NULL;
    }
}

void objects_destroy_all(void) {
    objects_lock();
    while (object_count > 0) {
        destroy(objects[object_count - 1]);
    }
    memory_free(objects);
    objects = NULL;
    object_capacity = 0;
    objects_unlock();
}
