/* SPDX-License-Identifier: MIT */
/* The link is opened by the first call. No thread is needed for it: whoever waits for an answer reads what comes, until
 * its own has come; then another of those who wait does. */
#include "hub/client.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/step.h"
#include "hub/session_memory.h"
#include "hub/shared_block.h"
#include "hub/wire.h"
#include "link/link.h"
#include "platform/door.h"
#include "platform/shared_memory.h"
#include "spawn/runtime.h"

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex; /* of all below */
static uv_cond_t changed;
static struct link *hub_link;
static struct client_call *pending;
static bool is_read; /* a thread reads the link */
static uint64_t last_tag;

static uv_mutex_t ring_mutex;   /* of writing into it */
static atomic_number ring_view; /* struct session_memory *, or 0 */
static bool ring_was_asked_for; /* under `mutex` */

static void create_mutex(void) {
    (void)uv_mutex_init(&mutex); /* these fail for want of memory at most, and then libuv's lock ends the program */
    (void)uv_mutex_init(&ring_mutex);
    (void)uv_cond_init(&changed);
}

static void lock(void) {
    uv_once(&once, create_mutex);
    uv_mutex_lock(&mutex);
}

static void unlock(void) {
    uv_mutex_unlock(&mutex);
}

/* The lock is held. */
static int open_link(void) {
    struct link_ends ours = LINK_NO_ENDS, theirs = LINK_NO_ENDS;
    if (hub_link != NULL) {
        return 0;
    }
    int status = link_create_ends(&ours, &theirs);
    if (status == 0) {
        status = door_knock(runtime.door, theirs.reader, theirs.writer, &ours.passage); /* takes theirs */
    }
    if (status == 0) {
        status = link_open(&hub_link, &ours, LINK_WAITS);
    }
    link_close_ends(&ours);
    return status;
}

static int error_ended(void) {
    return error_set(MPROC_ESYSTEM, 0, "the program's first process has ended, and its shared objects with it");
}

/* Sending ------------------------------------------------------------------------------------------------------ */

static struct session_memory *session_memory(void) {
    return (struct session_memory *)(uintptr_t)atomic_load_acquire(&ring_view);
}

/* Through the ring, where there is one and the frame finds room in it. */
static bool send_through_ring(const struct wire_request *wire, const void *data, size_t size) {
    struct session_memory *memory = session_memory();
    if (memory == NULL) {
        return false;
    }
    uv_mutex_lock(&ring_mutex);
    bool is_written = ring_write(&memory->ring, wire, sizeof *wire, data, size);
    uv_mutex_unlock(&ring_mutex);
    step();
    if (is_written && ring_must_wake(&memory->ring)) {
        step();
        (void)link_send_copy(hub_link, FRAME_DOORBELL, NULL, 0,
                             NULL); /* fails where the first process has ended, and all with it */
    }
    return is_written;
}

static int send_request(struct request *request, bool may_wait, uint64_t tag) {
    struct payload *payload = &request->payload;
    struct wire_request wire = {request->object,        tag,      request->argument,     request->operation,
                                (uint8_t)request->kind, may_wait, payload_mark(payload), 0};
    bool has_payload = payload->kind != PAYLOAD_NONE;
    if (payload->message.handle_count == 0 &&
        send_through_ring(&wire, has_payload ? payload_data(payload) : NULL, has_payload ? payload_size(payload) : 0)) {
        return 0;
    }
    struct message *message = payload_wrap(&request->payload, &wire);
    return message != NULL ? link_send(hub_link, FRAME_REQUEST, message) : MPROC_ENOMEM;
}

/* Receiving ---------------------------------------------------------------------------------------------------- */

/* Takes the call out of the list. The lock is held. */
static struct client_call *remove_pending(uint64_t tag) {
    for (struct client_call **place = &pending; *place != NULL; place = &(*place)->next) {
        if ((*place)->tag == tag) {
            struct client_call *found = *place;
            *place = found->next;
            return found;
        }
    }
    return NULL;
}

/* It has left the list. The lock is held. */
static void finish(struct client_call *call, enum client_outcome how) {
    call->how = how;
    call->is_done = true;
    if (call->bell != NULL) {
        bell_ring(call->bell);
    } else {
        uv_cond_broadcast(&changed);
    }
}

/* Gives an answer to whom it is for; false: it is none. The lock is held. */
static bool dispatch(struct frame *frame) {
    struct wire_reply reply;
    struct message handles = {{0}, NULL, 0, 0};
    if (frame->kind != FRAME_REPLY || frame->size < sizeof reply + (size_t)frame->handle_count * FRAME_TICKET_SIZE) {
        return false;
    }
    memcpy(&reply, frame->body, sizeof reply);
    int status = link_receive_handles(hub_link, frame, &handles);
    struct client_call *call = remove_pending(reply.tag);
    if (call != NULL) {
        call->answer->status = reply.status;
        call->answer->value = reply.value;
        if (reply.payload != PAYLOAD_NONE) {
            payload_adopt(&call->answer->payload, reply.payload, frame, sizeof reply, &handles);
        } else {
            call->answer->payload.message = handles;
            memset(&handles, 0, sizeof handles);
        }
        finish(call, status != 0 ? CLIENT_LOST_HANDLES : CLIENT_ARRIVED);
    }
    message_clear(&handles);
    return true;
}

/* The link has ended: so has every call. The lock is held. */
static void fail_all(void) {
    while (pending != NULL) {
        finish(remove_pending(pending->tag), CLIENT_LINK_ENDED);
    }
    link_end(hub_link);
}

/* Nobody reads the link: somebody who waits for an answer has to. One who waits for nothing else does so by himself when he is
 * woken; where there is none, a bell is rung. The lock is held. */
static void pass_reading_on(void) {
    const struct client_call *call = pending;
    while (call != NULL && call->bell != NULL) {
        call = call->next;
    }
    if (call == NULL && pending != NULL) {
        bell_ring(pending->bell);
    }
    uv_cond_broadcast(&changed);
}

/* Reads one answer, for whomever it is. This thread reads; the lock is held, but not meanwhile. */
static int read_one(deadline until) {
    struct frame frame = {FRAME_REPLY, 0, NULL, 0};
    unlock();
    int status = link_receive(hub_link, until, &frame);
    lock();
    if (status == 0 && !dispatch(&frame)) {
        status = MPROC_EINVAL;
    }
    if (status != 0 && status != MPROC_ETIMEDOUT) {
        fail_all();
    }
    memory_free(frame.body);
    return status;
}

/* Waits for the answer. The lock is held. false: the deadline is past. */
static bool wait_for_answer(const struct client_call *call, deadline until) {
    bool in_time = true;
    while (!call->is_done && in_time) {
        if (!is_read) {
            is_read = true;
            in_time = read_one(until) != MPROC_ETIMEDOUT;
            is_read = false;
            pass_reading_on();
        } else {
            in_time = deadline_wait(&changed, &mutex, until);
        }
    }
    return call->is_done;
}

/* Calls -------------------------------------------------------------------------------------------------------- */

/* Enters the call and sends it. From then on, until it is done, the answer belongs to whoever reads the link. */
static int begin(struct request *request, struct client_call *call) {
    lock();
    int status = open_link();
    if (status == 0) {
        call->tag = call->answer->tag = ++last_tag;
        call->next = pending;
        pending = call;
    }
    unlock();
    if (status == 0) {
        status = send_request(request, call->may_wait, call->tag);
        if (status != 0) {
            lock();
            (void)remove_pending(call->tag); /* or it was failed with all others */
            if (!is_read) {
                pass_reading_on(); /* it may have been counted on */
            }
            unlock();
        }
    }
    return status == MPROC_ECLOSED ? error_ended() : status;
}

/* What the waiting thread tells of how its answer came. */
static void explain(const struct client_call *call) {
    struct answer *answer = call->answer;
    if (call->how == CLIENT_LINK_ENDED) {
        answer->status = error_ended();
    } else if (call->how == CLIENT_LOST_HANDLES) {
        if (answer->payload.kind != PAYLOAD_NONE) {
            client_settle(call->tag, false);
        }
        payload_clear(&answer->payload);
        answer->status = error_set(MPROC_ESYSTEM, 0,
                                   "the handles in the answer could not be received: this process may have none left");
    }
}

int client_begin(struct request *request, bool may_wait, struct client_call *call) {
    call->may_wait = may_wait;
    step();
    int status = begin(request, call);
    step();
    return status;
}

bool client_is_done(const struct client_call *call) {
    lock();
    bool is_done = call->is_done;
    unlock();
    return is_done;
}

void client_call_off(const struct client_call *call) {
    if (call->may_wait && !client_is_done(call)) { /* one that may not wait is answered at once */
        (void)link_send_copy(hub_link, FRAME_CANCEL, &call->tag, sizeof call->tag,
                             NULL); /* where that fails, the link's end is the answer */
    }
}

void client_conclude(struct client_call *call) {
    lock();
    (void)wait_for_answer(call, DEADLINE_NEVER);
    unlock();
    explain(call);
}

void client_call(struct request *request, deadline until, struct answer *answer) {
    struct client_call call;
    memset(answer, 0, sizeof *answer);
    memset(&call, 0, sizeof call);
    call.answer = answer;
    payload_move_outside(&request->payload);
    bool may_wait = deadline_remaining_ms(until) != 0; /* once: what the request says has to hold for the wait too */
    int status = client_begin(request, may_wait, &call);
    if (status == 0) {
        lock();
        bool in_time = wait_for_answer(&call, may_wait ? until : DEADLINE_NEVER);
        unlock();
        if (!in_time) {
            client_call_off(&call);
        }
        client_conclude(&call);
    } else {
        answer->status = status;
    }
    payload_clear(&request->payload); /* its handles had to stay open until they were received */
}

/* Reading for all ---------------------------------------------------------------------------------------------- */

/* With the lock. */
static bool waits_for_answers(const struct bell *bell) {
    const struct client_call *call = pending;
    while (call != NULL && call->bell != bell) {
        call = call->next;
    }
    return call != NULL;
}

handle client_read(const struct bell *bell, bool *reads) {
    int status = MPROC_ETIMEDOUT;
    lock();
    if (!*reads && !is_read && waits_for_answers(bell)) {
        is_read = *reads = true;
    }
    if (*reads) {
        do {
            status = read_one(DEADLINE_NOW);
        } while (status == 0);
    }
    handle watched = *reads && status == MPROC_ETIMEDOUT ? link_reader(hub_link) : HANDLE_INVALID;
    unlock();
    return watched;
}

void client_stop_reading(bool *reads) {
    if (*reads) {
        lock();
        is_read = *reads = false;
        pass_reading_on();
        unlock();
    }
}

void client_settle(uint64_t tag, bool was_taken) {
    step();
    struct wire_settle settle = {tag, was_taken};
    (void)link_send_copy(hub_link, FRAME_SETTLE, &settle, sizeof settle,
                         NULL); /* fails where the first process has ended, and all with it */
}

/* Posting ------------------------------------------------------------------------------------------------------ */

uint64_t client_epoch(void) {
    const struct session_memory *memory = session_memory();
    if (memory == NULL || atomic_load_acquire(&memory->has_ended) != 0) {
        return 0;
    }
    return atomic_load_acquire(&memory->closures) + 1;
}

void client_open_ring(void) {
    struct request request;
    struct answer answer;
    lock();
    bool is_first = !ring_was_asked_for;
    ring_was_asked_for = true;
    unlock();
    if (!is_first) {
        return;
    }
    memset(&request, 0, sizeof request);
    client_call(&request, DEADLINE_NEVER, &answer);
    atomic_store_release(&ring_view, (uint64_t)(uintptr_t)shared_block_map(&answer, sizeof(struct session_memory)));
    payload_clear(&answer.payload);
}

bool client_post(const struct posting *posting) {
    struct wire_request wire = {posting->object,           0, 0, posting->operation, (uint8_t)posting->kind, 0,
                                (uint8_t)posting->payload, 0};
    return send_through_ring(&wire, posting->data, posting->size) && client_epoch() != 0; /* written too late */
}

/* The end ------------------------------------------------------------------------------------------------------ */

void client_close(void) {
    lock();
    shared_memory_unmap(session_memory(), sizeof(struct session_memory));
    atomic_store_release(&ring_view, 0);
    ring_was_asked_for = false;
    link_destroy(hub_link);
    hub_link = NULL;
    unlock();
}
