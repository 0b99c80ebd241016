/* SPDX-License-Identifier: MIT */
/* The hub's thread reads, carries out and ends; answers are sent by whatever thread finishes a call.
 *
 * A call lives until it is answered; one that has brought something lives on until the process has settled it: taken
 * what came, or given it back. What is not settled when the process ends is given back. */
#include "hub/session.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/reader.h"
#include "hub/session_memory.h"
#include "hub/shared_block.h"
#include "hub/wire.h"
#include "link/handover.h"
#include "link/link.h"

struct session {
    struct link *link; /* for sending; the hub reads */
    handle passage;    /* the link's, for what is received */
    struct hub_reader *reader;
    struct frame_reader frames;
    uint32_t number;
    struct shared_block block;           /* has the memory that both share */
    struct session_memory *memory;       /* NULL until the process asks for it */
    bool is_awake;                       /* its process does not ring until it sleeps again */
    struct call *first_call, *last_call; /* not answered, or not settled; in the order of their arrival */
    struct session *previous, *next;
};

static struct session *sessions; /* changed by the hub's thread only, with the objects' lock */
static uint32_t last_number;

/* Calls -------------------------------------------------------------------------------------------------------- */

static void enter_call(struct session *session, struct call *call) {
    call->session = session;
    call->session_previous = session->last_call;
    *(session->last_call != NULL ? &session->last_call->session_next : &session->first_call) = call;
    session->last_call = call;
}

static void free_call(struct call *call) {
    struct session *session = call->session;
    *(call->session_previous != NULL ? &call->session_previous->session_next : &session->first_call) =
        call->session_next;
    *(call->session_next != NULL ? &call->session_next->session_previous : &session->last_call) =
        call->session_previous;
    payload_clear(&call->request.payload);
    payload_clear(&call->answer.payload);
    memory_free(call);
}

static struct call *find_call(const struct session *session, uint64_t tag) {
    struct call *call = session->first_call;
    while (call != NULL && call->tag != tag) {
        call = call->session_next;
    }
    return call;
}

/* Copies the payload behind the reply's head: what is sent may come back. */
static int write_answer(const struct call *call, struct message *message) {
    const struct payload *payload = &call->answer.payload;
    struct wire_reply reply = {call->tag, call->answer.value, call->answer.status, payload_mark(payload)};
    int status = link_begin_message(message);
    if (status == 0) {
        status = buffer_append(&message->bytes, &reply, sizeof reply);
    }
    if (status == 0 && payload->kind != PAYLOAD_NONE) {
        status = buffer_append(&message->bytes, payload_data(payload), payload_size(payload));
    }
    message->handles = payload->message.handles; /* lent */
    message->handle_count = payload->message.handle_count;
    return status;
}

void session_answer(struct call *call) {
    struct session *session = call->session;
    struct message message = {{0}, NULL, 0, 0};
    payload_move_outside(&call->answer.payload);
    int status = write_answer(call, &message);
    if (status == 0) {
        status = link_send(session->link, FRAME_REPLY, &message);
    }
    buffer_clear(&message.bytes);
    if (status != 0) {
        /* The process has ended, or cannot be told: it sees the end of its link, and what it was to have is given back. */
        link_end(session->link);
    } else if (call->answer.payload.kind == PAYLOAD_NONE) {
        free_call(call);
    }
}

static void carry_out_request(struct call *call);

/* Frames ------------------------------------------------------------------------------------------------------- */

static void set_request(struct call *call, const struct wire_request *wire) {
    call->tag = wire->tag;
    call->may_wait = wire->may_wait != 0;
    call->request.kind = (enum reference_kind)wire->kind;
    call->request.object = wire->object;
    call->request.operation = wire->operation;
    call->request.argument = wire->argument;
}

static int read_request(struct session *session, struct frame *frame, struct call *call) {
    struct wire_request wire;
    struct message handles = {{0}, NULL, 0, 0};
    if (frame->size < sizeof wire + (size_t)frame->handle_count * FRAME_TICKET_SIZE) {
        return MPROC_EINVAL;
    }
    memcpy(&wire, frame->body, sizeof wire);
    set_request(call, &wire);
    int status = handover_receive(session->passage, frame, &handles);
    if (status == 0 && wire.payload != PAYLOAD_NONE) {
        payload_adopt(&call->request.payload, wire.payload, frame, sizeof wire, &handles);
    }
    message_clear(&handles);
    return status;
}

/* Answers with the memory that both share. */
static void open_memory(struct session *session, struct call *call) {
    int status = shared_block_create(&session->block, sizeof *session->memory);
    if (status == 0) {
        session->memory = session->block.view;
        (void)ring_sleep(&session->memory->ring);
        status = shared_block_share(&session->block, call);
        handle_close(session->block.memory); /* nobody else will ask for it */
        session->block.memory = HANDLE_INVALID;
    }
    call_finish(call, status, 0);
}

static int on_request(struct session *session, struct frame *frame) {
    struct call *call = memory_allocate(sizeof *call);
    if (call == NULL) {
        return MPROC_ENOMEM;
    }
    enter_call(session, call);
    int status = read_request(session, frame, call);
    if (status == 0 && call->request.kind == 0) {
        open_memory(session, call);
    } else if (status == 0) {
        carry_out_request(call);
    } else if (status != MPROC_EINVAL) {
        call_finish(call, status, 0);
        status = 0;
    }
    return status;
}

static int on_cancel(struct session *session, const struct frame *frame) {
    uint64_t tag;
    if (frame->size != sizeof tag) {
        return MPROC_EINVAL;
    }
    memcpy(&tag, frame->body, sizeof tag);
    struct call *call = find_call(session, tag);
    if (call != NULL && !call->is_done) { /* otherwise the answer is on its way */
        call_withdraw(call);
        call_finish(call, MPROC_ETIMEDOUT, 0);
    }
    return 0;
}

static int on_settle(struct session *session, const struct frame *frame) {
    struct wire_settle settle;
    if (frame->size != sizeof settle) {
        return MPROC_EINVAL;
    }
    memcpy(&settle, frame->body, sizeof settle);
    struct call *call = find_call(session, settle.tag);
    if (call != NULL && call->is_done) {
        if (!settle.was_taken) {
            object_give_back(call->request.object, &call->answer.payload);
        }
        free_call(call);
    }
    return 0;
}

/* A request that came through the ring, as a call of its own; NULL: there is no memory for it. */
static struct call *copy_ring_request(struct session *session, const struct wire_request *wire, const uint8_t *data,
                                      size_t size) {
    struct call *call = memory_allocate(sizeof *call);
    if (call == NULL) {
        return NULL;
    }
    enter_call(session, call);
    set_request(call, wire);
    if (wire->payload != PAYLOAD_NONE && payload_copy(&call->request.payload, wire->payload, data, size) != 0) {
        free_call(call);
        return NULL;
    }
    return call;
}

enum carried { CARRIED_OUT, STALLED, SENSELESS };

/* Carries out what is at the head of a ring. */
static enum carried carry_out_frame(struct session *session, const uint8_t *frame, size_t size) {
    struct ring *ring = &session->memory->ring;
    struct wire_request wire;
    if (size < sizeof wire) {
        return SENSELESS;
    }
    memcpy(&wire, frame, sizeof wire);
    const uint8_t *data = frame + sizeof wire;
    if (wire.tag == 0) {
        struct posting posting = {wire.object,       (enum reference_kind)wire.kind, wire.operation, wire.payload, data,
                                  size - sizeof wire};
        if (!object_post(&posting)) {
            return STALLED;
        }
        ring_skip(ring, size);
        return CARRIED_OUT;
    }
    struct call *call = copy_ring_request(session, &wire, data, size - sizeof wire);
    ring_skip(ring, size); /* before it is carried out, which looks into all rings, this one too */
    if (call == NULL) {
        return SENSELESS; /* there is no memory even for an answer that says so */
    }
    carry_out_request(call);
    return CARRIED_OUT;
}

static enum carried carry_out_frames(struct session *session) {
    const uint8_t *frame;
    size_t size;
    enum carried carried = CARRIED_OUT;
    while (carried == CARRIED_OUT && (frame = ring_peek(&session->memory->ring, &size)) != NULL) {
        carried = carry_out_frame(session, frame, size);
    }
    return carried == CARRIED_OUT && !ring_is_empty(&session->memory->ring) ? SENSELESS : carried;
}

/* Carries out what is in the ring, where there is one, and waits for the doorbell again where it was rung. A posting that
 * there is no memory for stays where it is; whoever asks for something next brings the ring back here. */
static bool drain(struct session *session) {
    enum carried carried = CARRIED_OUT;
    do {
        if (session->memory != NULL) {
            carried = carry_out_frames(session);
        }
        if (carried == CARRIED_OUT && session->is_awake) {
            session->is_awake = !ring_sleep(&session->memory->ring);
        }
    } while (carried == CARRIED_OUT && session->is_awake);
    return carried != SENSELESS;
}

void sessions_drain(void) {
    for (struct session *session = sessions; session != NULL; session = session->next) {
        if (!drain(session)) {
            link_end(session->link); /* the process is told so */
        }
    }
}

/* What any process has posted before counts: whoever asks may have been told of it. */
static void carry_out_request(struct call *call) {
    sessions_drain();
    call_carry_out(call);
}

static int on_doorbell(struct session *session) {
    if (session->memory == NULL) {
        return MPROC_EINVAL;
    }
    session->is_awake = true;
    return drain(session) ? 0 : MPROC_EINVAL;
}

static int on_frame(struct session *session, struct frame *frame) {
    if (!drain(session)) { /* it was sent before */
        return MPROC_EINVAL;
    }
    switch (frame->kind) {
    case FRAME_REQUEST:
        return on_request(session, frame);
    case FRAME_CANCEL:
        return on_cancel(session, frame);
    case FRAME_SETTLE:
        return on_settle(session, frame);
    case FRAME_DOORBELL:
        return on_doorbell(session);
    default:
        return error_set(MPROC_EINVAL, 0, "what arrived is not a message of mproc");
    }
}

/* The session -------------------------------------------------------------------------------------------------- */

/* The last that was handed out goes back first, so that all stand at the front as they did. With the lock. */
static void end_calls(struct session *session) {
    while (session->last_call != NULL) {
        struct call *call = session->last_call;
        if (call->is_done) {
            object_give_back(call->request.object, &call->answer.payload);
        } else {
            call_withdraw(call);
        }
        free_call(call);
    }
}

static void end_session(struct session *session) {
    objects_lock();
    if (session->memory != NULL) {
        (void)atomic_replace(&session->memory->has_ended, 1);
    }
    (void)drain(session); /* what was posted counts */
    end_calls(session);
    objects_forget(session->number);
    if (session->previous != NULL) {
        session->previous->next = session->next;
    } else {
        sessions = session->next;
    }
    if (session->next != NULL) {
        session->next->previous = session->previous;
    }
    objects_unlock();
    shared_block_clear(&session->block);
    hub_reader_close(session->reader);
    frame_reader_clear(&session->frames);
    link_destroy(session->link);
    memory_free(session);
}

static void on_data(void *context, const uint8_t *data, size_t size) {
    struct session *session = context;
    int status = 0;
    while (size > 0 && status == 0) {
        size_t used;
        status = frame_reader_feed(&session->frames, data, size, &used);
        data += used;
        size -= used;
        if (status == 0) {
            struct frame frame = frame_reader_take(&session->frames);
            objects_lock();
            status = on_frame(session, &frame);
            objects_unlock();
            memory_free(frame.body);
        }
    }
    if (status != 0 && status != MPROC_ETIMEDOUT) {
        end_session(
            session); /* it makes no sense, or there is no memory for it: its process is told by the link's end */
    }
}

static void on_end(void *context) {
    end_session(context);
}

static const struct hub_reader_events session_events = {on_data, on_end};

static bool number_is_used(uint32_t number) {
    const struct session *session = sessions;
    while (session != NULL && session->number != number) {
        session = session->next;
    }
    return session != NULL;
}

static uint32_t new_number(void) {
    do {
        last_number = last_number % CALL_TAKER_MAX + 1;
    } while (number_is_used(last_number));
    return last_number;
}

void session_begin(const struct door_visitor *visitor) {
    struct session *session = memory_allocate(sizeof *session);
    struct link_ends ends = {HANDLE_INVALID, visitor->writer, visitor->passage};
    struct link *link = NULL;
    int status = session != NULL ? link_open(&link, &ends, LINK_NEVER_WAITS) : MPROC_ENOMEM;
    if (status != 0) {
        link_close_ends(&ends);
        handle_close(visitor->reader);
        memory_free(session);
        return; /* the visitor sees its link end */
    }
    session->link = link;
    session->passage = visitor->passage;
    session->block = (struct shared_block)SHARED_BLOCK_NONE;
    objects_lock();
    session->number = new_number();
    session->next = sessions;
    if (sessions != NULL) {
        sessions->previous = session;
    }
    sessions = session;
    objects_unlock();
    if (hub_reader_open(&session->reader, visitor->reader, &session_events, session) != 0) {
        end_session(session);
    }
}

uint32_t session_number(const struct session *session) {
    return session->number;
}

void sessions_note_closure(void) {
    for (struct session *session = sessions; session != NULL; session = session->next) {
        if (session->memory != NULL) {
            (void)atomic_increase(&session->memory->closures, 1);
        }
    }
}

size_t sessions_count(void) {
    size_t count = 0;
    objects_lock();
    for (const struct session *session = sessions; session != NULL; session = session->next) {
        count++;
    }
    objects_unlock();
    return count;
}

void sessions_end_all(void) {
    while (sessions != NULL) {
        end_session(sessions);
    }
}
