/* SPDX-License-Identifier: MIT */
#include "link/link.h"

#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/hub.h"
#include "platform/lifeline.h"
#include "platform/pipe.h"

struct link {
    handle reader;
    handle writer; /* HANDLE_INVALID once the hub has taken it */
    uv_mutex_t send_lock;
    struct hub_stream *stream; /* what the hub writes for this link; NULL while all has fitted */
    struct frame_reader frames;
};

static int create(struct link **link, handle reader, handle writer) {
    struct link *created = memory_allocate(sizeof *created);
    if (created == NULL) {
        return MPROC_ENOMEM;
    }
    if (uv_mutex_init(&created->send_lock) != 0) {
        memory_free(created);
        return error_no_memory(sizeof created->send_lock);
    }
    created->reader = reader;
    created->writer = writer;
    *link = created;
    return 0;
}

int link_create(struct link **link, handle child_handles[LINK_HANDLES]) {
    handle our_reader = HANDLE_INVALID, our_writer = HANDLE_INVALID;
    handle their_reader = HANDLE_INVALID, their_writer = HANDLE_INVALID;
    int status = pipe_create(&their_reader, &our_writer);
    if (status == 0) {
        status = pipe_create(&our_reader, &their_writer);
    }
    if (status == 0) {
        status = create(link, our_reader, our_writer);
    }
    if (status == 0) {
        child_handles[0] = their_reader;
        child_handles[1] = their_writer;
        return 0;
    }
    handle_close(our_reader);
    handle_close(our_writer);
    handle_close(their_reader);
    handle_close(their_writer);
    return status;
}

int link_open(struct link **link, const handle handles[LINK_HANDLES]) {
    int status = create(link, handles[0], handles[1]);
    if (status != 0) {
        handle_close(handles[0]);
        handle_close(handles[1]);
    }
    return status;
}

/* From now on the hub writes, because the rest of a frame has to go before the next one. */
static int hand_to_hub(struct link *link) {
    int status = hub_stream_open(&link->stream, link->writer);
    link->writer = HANDLE_INVALID; /* taken, in any case */
    return status;
}

static int send_bytes(struct link *link, struct buffer *bytes) {
    size_t written = 0;
    int status = 0;
    if (link->stream == NULL && link->writer == HANDLE_INVALID) {
        return MPROC_ECLOSED;
    }
    if (link->stream == NULL) {
        status = pipe_write_some(link->writer, bytes->data, bytes->size, &written);
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

int link_send(struct link *link, enum frame_kind kind, const void *body, size_t size) {
    uint8_t header[FRAME_HEADER_SIZE];
    struct buffer bytes = {0};
    frame_write_header(header, kind, 0, size);
    int status = buffer_reserve(&bytes, sizeof header + size);
    if (status == 0) {
        status = buffer_append(&bytes, header, sizeof header);
    }
    if (status == 0) {
        status = buffer_append(&bytes, body, size);
    }
    if (status == 0) {
        uv_mutex_lock(&link->send_lock);
        status = send_bytes(link, &bytes);
        uv_mutex_unlock(&link->send_lock);
    }
    buffer_clear(&bytes);
    return status;
}

int link_receive(struct link *link, deadline until, struct frame *frame) {
    int status = frame_reader_fill(&link->frames, link->reader, until);
    if (status == 0) {
        *frame = frame_reader_take(&link->frames);
    }
    return status;
}

int link_tie(struct link *link) {
    return lifeline_tie(link->reader);
}

void link_end(struct link *link) {
    if (link != NULL) {
        uv_mutex_lock(&link->send_lock);
        hub_stream_close(link->stream);
        handle_close(link->writer);
        link->stream = NULL;
        link->writer = HANDLE_INVALID;
        uv_mutex_unlock(&link->send_lock);
    }
}

void link_destroy(struct link *link) {
    if (link != NULL) {
        link_end(link);
        handle_close(link->reader);
        frame_reader_clear(&link->frames);
        uv_mutex_destroy(&link->send_lock);
        memory_free(link);
    }
}
