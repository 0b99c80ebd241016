/* SPDX-License-Identifier: MIT */
/* An end of a connection is up to three handles: a pipe to read, a pipe to write, and a passage for the handles that go
 * along with messages. Nothing stands between the two processes that hold the ends: the system itself tells one of them
 * that the other is gone.
 *
 * To hand an end over is to put its handles, and what was read ahead of its messages, into a parcel (value/reference.h). */
#include "connection/connection.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "link/handover.h"
#include "link/link.h"
#include "platform/passage.h"
#include "platform/pipe.h"
#include "spawn/runtime.h"
#include "spawn/task.h"
#include "value/cbor.h"
#include "value/reference.h"
#include "value/value.h"

/* Messages up to this size are copied behind their header and written from one place, which is faster than two. */
#define ONE_PIECE_MAX 4096

/* Messages that an end receives before it closes, at most: see drain. */
#define DRAIN_MAX 65536

enum parcel_flags { PARCEL_READER = 1, PARCEL_WRITER = 2, PARCEL_PASSAGE = 4 };

/* Making and closing ------------------------------------------------------------------------------------------- */

static const struct link_ends no_ends = LINK_NO_ENDS;

/* The ends are taken on success only. */
static int create(mproc_connection **connection, struct link_ends *ends) {
    mproc_connection *created = memory_allocate(sizeof *created);
    if (created == NULL) {
        return MPROC_ENOMEM;
    }
    int status = turn_create(&created->send_turn);
    if (status == 0) {
        status = turn_create(&created->receive_turn);
        if (status != 0) {
            turn_destroy(&created->send_turn);
        }
    }
    if (status != 0) {
        memory_free(created);
        return status;
    }
    created->reader = ends->reader;
    created->writer = ends->writer;
    created->passage = ends->passage;
    *ends = no_ends;
    *connection = created;
    return 0;
}

static int open_ends(struct link_ends *a, struct link_ends *b, bool duplex) {
    int status = duplex ? link_create_ends(a, b) : pipe_create(&a->reader, &b->writer);
    return status == 0 ? passage_create(&a->passage, &b->passage) : status;
}

int mproc_pipe(mproc_connection **a, mproc_connection **b, bool duplex) {
    struct link_ends ends_a = no_ends, ends_b = no_ends;
    mproc_connection *created_a = NULL, *created_b = NULL;
    int status = runtime_check("mproc_pipe");
    if (status != 0) {
        return status;
    }
    if (a == NULL || b == NULL) {
        return error_null("mproc_pipe", a == NULL ? "a" : "b");
    }
    status = open_ends(&ends_a, &ends_b, duplex);
    if (status == 0) {
        status = create(&created_a, &ends_a);
    }
    if (status == 0) {
        status = create(&created_b, &ends_b);
    }
    if (status == 0) {
        *a = created_a;
        *b = created_b;
        return 0;
    }
    mproc_connection_close(created_a);
    link_close_ends(&ends_a);
    link_close_ends(&ends_b);
    return status;
}

/* Where the system does not close by itself what was sent and not received, an end that closes does so for the messages
 * that are there. The number is limited, because the other side may be sending all the time. */
static void drain(mproc_connection *connection) {
    for (int i = 0; i < DRAIN_MAX && frame_reader_fill(&connection->frames, connection->reader, DEADLINE_NOW) == 0;
         i++) {
        struct frame frame = frame_reader_take(&connection->frames);
        struct message message = {0};
        (void)handover_receive(connection->passage, &frame, &message); /* what cannot be had need not be closed */
        message_clear(&message);
        memory_free(frame.body);
    }
}

void mproc_connection_close(mproc_connection *connection) {
    if (connection == NULL) {
        return;
    }
    if (connection->reader != HANDLE_INVALID && passage_keeps_tickets()) {
        drain(connection);
    }
    handle_close(connection->reader);
    handle_close(connection->writer);
    handle_close(connection->passage);
    frame_reader_clear(&connection->frames);
    turn_destroy(&connection->send_turn);
    turn_destroy(&connection->receive_turn);
    memory_free(connection);
}

/* Handing over ------------------------------------------------------------------------------------------------- */

static void add_handle(struct parcel *parcel, handle *moved, uint32_t flag) {
    if (*moved != HANDLE_INVALID) {
        parcel->handles[parcel->handle_count++] = *moved;
        parcel->flags |= flag;
        *moved = HANDLE_INVALID;
    }
}

/* Both turns are taken. */
static cJSON *move_out(mproc_connection *connection) {
    struct parcel parcel;
    memset(&parcel, 0, sizeof parcel);
    parcel.kind = REFERENCE_CONNECTION;
    if (connection->has_moved) {
        (void)error_set(MPROC_ESTATE, 0, "mproc_connection_ref: this end has moved to another process already");
        return NULL;
    }
    if (frame_reader_save(&connection->frames, &parcel.bytes) != 0) {
        return NULL;
    }
    connection->has_moved = true;
    add_handle(&parcel, &connection->reader, PARCEL_READER);
    add_handle(&parcel, &connection->writer, PARCEL_WRITER);
    add_handle(&parcel, &connection->passage, PARCEL_PASSAGE);
    return reference_create(&parcel);
}

cJSON *mproc_connection_ref(mproc_connection *connection) {
    cJSON *reference = NULL;
    if (connection == NULL) {
        (void)error_null("mproc_connection_ref", "connection");
        return NULL;
    }
    bool has_send = turn_take(&connection->send_turn, DEADLINE_NOW) == 0;
    bool has_receive = turn_take(&connection->receive_turn, DEADLINE_NOW) == 0;
    if (has_send && has_receive && !turn_has_visitors(&connection->receive_turn)) {
        reference = move_out(connection);
    } else {
        (void)error_set(MPROC_ESTATE, 0,
                        "mproc_connection_ref: a thread is sending or receiving on this end, or waits for it");
    }
    if (has_receive) {
        turn_give(&connection->receive_turn);
    }
    if (has_send) {
        turn_give(&connection->send_turn);
    }
    return reference;
}

static handle next_handle(struct parcel *parcel, size_t *index, uint32_t flag) {
    handle moved = HANDLE_INVALID;
    if ((parcel->flags & flag) != 0 && *index < parcel->handle_count) {
        moved = parcel->handles[*index];
        parcel->handles[(*index)++] = HANDLE_INVALID;
    }
    return moved;
}

int mproc_connection_from(mproc_connection **connection, const cJSON *ref) {
    struct parcel parcel;
    size_t index = 0;
    memset(&parcel, 0, sizeof parcel);
    int status = runtime_check("mproc_connection_from");
    if (status != 0) {
        return status;
    }
    if (connection == NULL || ref == NULL) {
        return error_null("mproc_connection_from", connection == NULL ? "connection" : "ref");
    }
    status = reference_take(ref, REFERENCE_CONNECTION, &parcel);
    if (status != 0) {
        (void)error_prefix("mproc_connection_from: ");
        return status;
    }
    struct link_ends ends = no_ends;
    ends.reader = next_handle(&parcel, &index, PARCEL_READER);
    ends.writer = next_handle(&parcel, &index, PARCEL_WRITER);
    ends.passage = next_handle(&parcel, &index, PARCEL_PASSAGE);
    status = create(connection, &ends);
    if (status == 0) {
        frame_reader_load(&(*connection)->frames, &parcel.bytes);
    }
    link_close_ends(&ends);
    parcel_clear(&parcel);
    return status;
}

static int open_connection(void **connection, const cJSON *ref) {
    mproc_connection *opened = NULL;
    int status = mproc_connection_from(&opened, ref);
    *connection = opened;
    return status;
}

static void release_connection(void *connection) {
    mproc_connection_close(connection);
}

struct mproc_connection *mproc_task_connection(mproc_task *task, int index) {
    static const struct task_object_kind kind = {"a connection", open_connection, release_connection};
    return task_object(task, index, &kind);
}

/* Sending ------------------------------------------------------------------------------------------------------ */

int connection_check(const mproc_connection *connection, const char *function, handle needed, const char *direction) {
    if (connection->has_moved) {
        return error_set(MPROC_ESTATE, 0, "%s: this end has moved to another process; only close it here", function);
    }
    if (needed == HANDLE_INVALID) {
        return error_set(MPROC_EPERM, 0, "%s: this end only %s; make the pipe duplex for both directions", function,
                         direction);
    }
    return 0;
}

static int error_closed(const char *function, const char *what) {
    return error_set(MPROC_ECLOSED, 0, "%s: %s", function, what);
}

static int error_gone(const char *function) {
    return error_closed(function, "the other end is closed, or its process has ended");
}

/* The parts become one frame. The turn is taken. */
static int write_parts(mproc_connection *connection, const char *function, const struct pipe_bytes *parts,
                       size_t count) {
    int status = pipe_write(connection->writer, parts, count);
    return status == MPROC_ECLOSED ? error_gone(function) : status;
}

int mproc_connection_send_bytes(mproc_connection *connection, const void *data, size_t size) {
    static const char function[] = "mproc_connection_send_bytes";
    uint8_t piece[FRAME_HEADER_SIZE + ONE_PIECE_MAX];
    struct pipe_bytes parts[2] = {{piece, FRAME_HEADER_SIZE}, {data, size}};
    size_t count = 2;
    if (connection == NULL || (data == NULL && size > 0)) {
        return error_null(function, connection == NULL ? "connection" : "data");
    }
    if (size > MPROC_MESSAGE_MAX) {
        return error_set(MPROC_ERANGE, 0, "%s: a message of %llu bytes; at most %llu are possible", function,
                         (unsigned long long)size, (unsigned long long)MPROC_MESSAGE_MAX);
    }
    frame_write_header(piece, FRAME_BYTES, 0, size);
    if (size > 0 && size <= ONE_PIECE_MAX) {
        memcpy(piece + FRAME_HEADER_SIZE, data, size);
        parts[0].size += size;
        count = 1;
    }
    (void)turn_take(&connection->send_turn, DEADLINE_NEVER); /* without a limit it cannot fail */
    int status = connection_check(connection, function, connection->writer, "receives");
    if (status == 0) {
        status = write_parts(connection, function, parts, count);
    }
    turn_give(&connection->send_turn);
    return status;
}

/* `message` begins with room for the header. The turn is taken. */
static int send_message(mproc_connection *connection, const char *function, struct message *message) {
    struct pipe_bytes part;
    int status = connection_check(connection, function, connection->writer, "receives");
    if (status != 0) {
        return status;
    }
    status = handover_send(connection->passage, message);
    if (status != 0) {
        return status == MPROC_ECLOSED ? error_gone(function) : error_prefix("%s: ", function);
    }
    frame_write_header(message->bytes.data, FRAME_VALUE, message->handle_count,
                       message->bytes.size - FRAME_HEADER_SIZE);
    part.data = message->bytes.data;
    part.size = message->bytes.size;
    status = write_parts(connection, function, &part, 1);
    if (status != 0) {
        handover_withdraw(connection->passage, message);
    }
    return status;
}

static int encode_message(const char *function, const cJSON *value, struct message *message) {
    int status = link_begin_message(message);
    if (status == 0) {
        status = cbor_encode(value, message);
        if (status != 0) {
            (void)error_prefix("%s: ", function);
        }
    }
    return status;
}

int mproc_connection_send(mproc_connection *connection, cJSON *value) {
    static const char function[] = "mproc_connection_send";
    struct message message;
    int status = 0;
    memset(&message, 0, sizeof message);
    if (value == NULL) {
        status = value_pending_error();
        return status != 0 ? status : error_null(function, "value");
    }
    if (connection == NULL) {
        status = error_null(function, "connection");
    }
    if (status == 0) {
        status = encode_message(function, value, &message);
    }
    if (status == 0) {
        (void)turn_take(&connection->send_turn, DEADLINE_NEVER); /* without a limit it cannot fail */
        status = send_message(connection, function, &message);
        turn_give(&connection->send_turn);
    }
    message_clear(&message);
    value_delete(value);
    return status;
}

/* Receiving ---------------------------------------------------------------------------------------------------- */

/* Waits until a frame is there, having taken the turn, which stays taken on success. */
static int begin_receive(mproc_connection *connection, const char *function, int64_t timeout_ms) {
    deadline until = deadline_after(timeout_ms);
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    status = turn_take(&connection->receive_turn, until);
    if (status == 0) {
        status = connection_check(connection, function, connection->reader, "sends");
        if (status == 0) {
            status = frame_reader_fill(&connection->frames, connection->reader, until);
        }
        if (status != 0) {
            turn_give(&connection->receive_turn);
        }
    }
    if (status == MPROC_ETIMEDOUT) {
        return error_set(MPROC_ETIMEDOUT, 0, "%s: nothing arrived within %lld ms", function, (long long)timeout_ms);
    }
    return status == MPROC_ECLOSED ? error_closed(function, "the other end is closed, and all it sent was received")
                                   : status;
}

/* The next message stays where it is when it is of the other kind. The turn is taken. */
static int check_next(const mproc_connection *connection, const char *function, enum frame_kind wanted) {
    if (connection->frames.frame.kind == wanted) {
        return 0;
    }
    return error_set(MPROC_ETYPE, 0,
                     wanted == FRAME_VALUE
                         ? "%s: the next message is raw bytes; receive it with mproc_connection_recv_bytes"
                         : "%s: the next message is a value; receive it with mproc_connection_recv",
                     function);
}

static int decode_frame(mproc_connection *connection, const struct frame *frame, cJSON **value) {
    struct message message;
    size_t used;
    memset(&message, 0, sizeof message);
    int status = handover_receive(connection->passage, frame, &message);
    if (status == MPROC_ECLOSED) {
        status =
            error_closed("mproc_connection_recv", "the sender ended before it had handed over what its message names");
    }
    if (status == 0) {
        status = cbor_decode(frame->body, frame->size - (size_t)frame->handle_count * FRAME_TICKET_SIZE, &used,
                             message.handles, message.handle_count, value);
    }
    message_clear(&message);
    return status;
}

int mproc_connection_recv(mproc_connection *connection, cJSON **value, int64_t timeout_ms) {
    static const char function[] = "mproc_connection_recv";
    if (connection == NULL || value == NULL) {
        return error_null(function, connection == NULL ? "connection" : "value");
    }
    int status = begin_receive(connection, function, timeout_ms);
    if (status != 0) {
        return status;
    }
    status = check_next(connection, function, FRAME_VALUE);
    if (status == 0) {
        struct frame frame = frame_reader_take(&connection->frames);
        status = decode_frame(connection, &frame, value);
        memory_free(frame.body);
    }
    turn_give(&connection->receive_turn);
    return status;
}

/* Also an empty message is something to be freed. MPROC_ENOMEM: it stays the next one. */
static int take_bytes(mproc_connection *connection, void **data, size_t *size) {
    void *nothing = NULL;
    if (connection->frames.frame.size == 0) {
        nothing = memory_allocate(1);
        if (nothing == NULL) {
            return MPROC_ENOMEM;
        }
    }
    struct frame frame = frame_reader_take(&connection->frames);
    *data = frame.size > 0 ? frame.body : nothing;
    *size = frame.size;
    return 0;
}

int mproc_connection_recv_bytes(mproc_connection *connection, void **data, size_t *size, int64_t timeout_ms) {
    static const char function[] = "mproc_connection_recv_bytes";
    if (connection == NULL || data == NULL || size == NULL) {
        return error_null(function, connection == NULL ? "connection" : data == NULL ? "data" : "size");
    }
    int status = begin_receive(connection, function, timeout_ms);
    if (status != 0) {
        return status;
    }
    status = check_next(connection, function, FRAME_BYTES);
    if (status == 0) {
        status = take_bytes(connection, data, size);
    }
    turn_give(&connection->receive_turn);
    return status;
}

bool mproc_connection_poll(mproc_connection *connection, int64_t timeout_ms) {
    static const char function[] = "mproc_connection_poll";
    if (connection == NULL) {
        (void)error_null(function, "connection");
        return false;
    }
    int status = begin_receive(connection, function, timeout_ms);
    if (status == 0) {
        turn_give(&connection->receive_turn);
    }
    return status == 0 || status == MPROC_ECLOSED;
}
