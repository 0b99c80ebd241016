/* SPDX-License-Identifier: MIT */
#include "link/link.h"

#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/stream.h"
#include "link/handover.h"
#include "platform/lifeline.h"
#include "platform/pipe.h"

struct link {
    struct link_ends ends; /* the writer is HANDLE_INVALID once the hub has taken it */
    enum link_patience patience;
    uv_mutex_t send_lock;
    struct hub_stream *stream; /* what the hub writes for this link; NULL while all has fitted */
    struct frame_reader frames;
};

void link_close_ends(struct link_ends *ends) {
    static const struct link_ends none = LINK_NO_ENDS;
    handle_close(ends->reader);
    handle_close(ends->writer);
    handle_close(ends->passage);
    *ends = none;
}

int link_create_ends(struct link_ends *ours, struct link_ends *theirs) {
    struct link_ends made[2] = {LINK_NO_ENDS, LINK_NO_ENDS};
    int status = pipe_create(&made[0].reader, &made[1].writer);
    if (status == 0) {
        status = pipe_create(&made[1].reader, &made[0].writer);
    }
    if (status != 0) {
        link_close_ends(&made[0]);
        link_close_ends(&made[1]);
        return status;
    }
    *ours = made[0];
    *theirs = made[1];
    return 0;
}

int link_open(struct link **link, struct link_ends *ends, enum link_patience patience) {
    static const struct link_ends none = LINK_NO_ENDS;
    struct link *opened = memory_allocate(sizeof *opened);
    int status = opened != NULL ? 0 : MPROC_ENOMEM;
    if (status == 0 && uv_mutex_init(&opened->send_lock) != 0) {
        status = error_no_memory(sizeof opened->send_lock);
    }
    if (status != 0) {
        memory_free(opened);
        link_close_ends(ends);
        return status;
    }
    opened->ends = *ends;
    opened->patience = patience;
    *ends = none;
    *link = opened;
    return 0;
}

int link_begin_message(struct message *message) {
    static const uint8_t room[FRAME_HEADER_SIZE];
    return buffer_append(&message->bytes, room, sizeof room);
}

/* From now on the hub writes, because the rest of a frame has to go before the next one. */
static int hand_to_hub(struct link *link) {
    int status = hub_stream_open(&link->stream, link->ends.writer);
    link->ends.writer = HANDLE_INVALID; /* taken, in any case */
    return status;
}

static int send_bytes(struct link *link, struct buffer *bytes) {
    size_t written = 0;
    int status = 0;
    if (link->patience == LINK_WAITS) {
        struct pipe_bytes part = {bytes->data, bytes->size};
        return pipe_write(link->ends.writer, &part, 1);
    }
    if (link->stream == NULL) {
        status = pipe_write_some(link->ends.writer, bytes->data, bytes->size, &written);
        if (status != 0 || written == bytes->size) {
            return status;
        }
        status = hand_to_hub(link);
    }
    if (status == 0) {
        buffer_consume(bytes, written);
        status = hub_stream_write(link->stream, bytes);
    }
    return status;
}

/* The lock is held. */
static int send_frame(struct link *link, enum frame_kind kind, struct message *message) {
    if (link->stream == NULL && link->ends.writer == HANDLE_INVALID) {
        return MPROC_ECLOSED;
    }
    int status = handover_send(link->ends.passage, message);
    if (status != 0) {
        return status;
    }
    frame_write_header(message->bytes.data, kind, message->handle_count, message->bytes.size - FRAME_HEADER_SIZE);
    return send_bytes(link, &message->bytes); /* where it fails, the link has ended, and with it what was handed over */
}

int link_send(struct link *link, enum frame_kind kind, struct message *message) {
    uv_mutex_lock(&link->send_lock);
    int status = send_frame(link, kind, message);
    uv_mutex_unlock(&link->send_lock);
    buffer_clear(&message->bytes);
    return status;
}

int link_send_copy(struct link *link, enum frame_kind kind, const void *data, size_t size,
                   const struct message *handles) {
    struct message message = {{0}, NULL, 0, 0};
    int status = link_begin_message(&message);
    if (status == 0) {
        status = buffer_append(&message.bytes, data, size);
    }
    if (status == 0) {
        message.handles = handles != NULL ? handles->handles : NULL; /* lent */
        message.handle_count = handles != NULL ? handles->handle_count : 0;
        status = link_send(link, kind, &message);
    }
    buffer_clear(&message.bytes);
    return status;
}

int link_receive(struct link *link, deadline until, struct frame *frame) {
    int status = frame_reader_fill(&link->frames, link->ends.reader, until);
    if (status == 0) {
        *frame = frame_reader_take(&link->frames);
    }
    return status;
}

handle link_reader(const struct link *link) {
    return link->ends.reader;
}

int link_receive_handles(struct link *link, const struct frame *frame, struct message *message) {
    return handover_receive(link->ends.passage, frame, message);
}

int link_tie(struct link *link) {
    return lifeline_tie(link->ends.reader);
}

void link_end(struct link *link) {
    if (link != NULL) {
        uv_mutex_lock(&link->send_lock);
        hub_stream_close(link->stream);
        handle_close(link->ends.writer);
        link->stream = NULL;
        link->ends.writer = HANDLE_INVALID;
        uv_mutex_unlock(&link->send_lock);
    }
}

void link_destroy(struct link *link) {
    if (link != NULL) {
        link_end(link);
        link_close_ends(&link->ends);
        frame_reader_clear(&link->frames);
        uv_mutex_destroy(&link->send_lock);
        memory_free(link);
    }
}
