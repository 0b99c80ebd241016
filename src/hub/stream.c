/* SPDX-License-Identifier: MIT */
/* A stream belongs to its caller until hub_stream_close, then to the loop, which frees it once libuv has let go of it. */
#include "hub/stream.h"

#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/hub.h"
#include "platform/pipe.h"

/* libuv's buffers have 32 bits for their size on Windows; more goes in pieces. */
#define PIECE_MAX ((size_t)1 << 30)

struct hub_stream {
    struct hub_job open, close; /* part of it, so that these two cannot fail for want of memory */
    uv_pipe_t pipe;
    handle writer; /* until the loop has opened it */
    bool is_open;
    uv_mutex_t mutex; /* of is_broken */
    bool is_broken;   /* nobody reads the pipe */
};

struct piece {
    struct hub_job job;
    struct hub_stream *stream;
    struct buffer bytes;
    uv_write_t request;
};

static void free_piece(struct piece *piece) {
    if (piece != NULL) {
        buffer_clear(&piece->bytes);
        memory_free(piece);
    }
}

static void mark_broken(struct hub_stream *stream) {
    uv_mutex_lock(&stream->mutex);
    stream->is_broken = true;
    uv_mutex_unlock(&stream->mutex);
}

/* On the hub's thread ------------------------------------------------------------------------------------------ */

static void open_stream(struct hub_job *job) {
    struct hub_stream *stream = (struct hub_stream *)job; /* its first member */
    (void)uv_pipe_init(hub_loop(), &stream->pipe, 0);     /* cannot fail for a loop that runs */
    stream->pipe.data = stream;
    stream->is_open = pipe_open_in_loop(&stream->pipe, stream->writer) == 0;
    if (!stream->is_open) {
        mark_broken(stream);
    }
}

static void on_written(uv_write_t *request, int status) {
    struct piece *piece = request->data;
    if (status != 0 && status != UV_ECANCELED) { /* cancelled: the stream is being closed */
        mark_broken(piece->stream);
    }
    free_piece(piece);
}

/* libuv needs the bytes until they are written. */
static void write_in_loop(struct hub_job *job) {
    struct piece *piece = (struct piece *)job; /* its first member */
    struct hub_stream *stream = piece->stream;
    uv_buf_t bytes = uv_buf_init((char *)piece->bytes.data, (unsigned)piece->bytes.size);
    piece->request.data = piece;
    if (!stream->is_open || uv_write(&piece->request, (uv_stream_t *)&stream->pipe, &bytes, 1, on_written) != 0) {
        mark_broken(stream);
        free_piece(piece);
    }
}

static void on_closed(uv_handle_t *closed) {
    struct hub_stream *stream = closed->data;
    uv_mutex_destroy(&stream->mutex);
    memory_free(stream);
}

static void close_stream(struct hub_job *job) {
    struct hub_stream *stream = (struct hub_stream *)((char *)job - offsetof(struct hub_stream, close));
    uv_close((uv_handle_t *)&stream->pipe, on_closed);
}

/* On any thread ------------------------------------------------------------------------------------------------ */

int hub_stream_open(struct hub_stream **stream, handle writer) {
    struct hub_stream *opened = memory_allocate(sizeof *opened);
    int status = opened != NULL ? hub_start() : MPROC_ENOMEM;
    if (status == 0 && uv_mutex_init(&opened->mutex) != 0) {
        status = error_no_memory(sizeof opened->mutex);
    }
    if (status != 0) {
        handle_close(writer);
        memory_free(opened);
        return status;
    }
    opened->writer = writer;
    opened->open.run = open_stream;
    opened->close.run = close_stream;
    hub_post(&opened->open);
    *stream = opened;
    return 0;
}

/* At most PIECE_MAX bytes, which are taken, also on failure. */
static int write_piece(struct hub_stream *stream, struct buffer *bytes) {
    struct piece *piece = memory_allocate(sizeof *piece);
    if (piece == NULL) {
        buffer_clear(bytes);
        return MPROC_ENOMEM;
    }
    piece->job.run = write_in_loop;
    piece->stream = stream;
    piece->bytes = *bytes;
    memset(bytes, 0, sizeof *bytes);
    uv_mutex_lock(&stream->mutex);
    bool is_broken = stream->is_broken;
    uv_mutex_unlock(&stream->mutex);
    if (is_broken) {
        free_piece(piece);
        return MPROC_ECLOSED;
    }
    hub_post(&piece->job);
    return 0;
}

int hub_stream_write(struct hub_stream *stream, struct buffer *bytes) {
    int status = 0;
    while (bytes->size > PIECE_MAX && status == 0) {
        struct buffer piece = {0};
        status = buffer_append(&piece, bytes->data, PIECE_MAX);
        if (status == 0) {
            buffer_consume(bytes, PIECE_MAX);
            status = write_piece(stream, &piece);
        }
    }
    if (status == 0) {
        status = write_piece(stream, bytes);
    }
    buffer_clear(bytes);
    return status;
}

void hub_stream_close(struct hub_stream *stream) {
    if (stream != NULL) {
        hub_post(&stream->close);
    }
}
