/* SPDX-License-Identifier: MIT */
#include "hub/reader.h"

#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/hub.h"
#include "platform/pipe.h"

#define CHUNK_SIZE 65536

struct hub_reader {
    struct hub_job open;
    uv_pipe_t pipe;
    handle reader; /* until the loop has opened it */
    const struct hub_reader_events *events;
    void *context;
};

/* One for all: what is read is used before the next read. */
static uint8_t chunk[CHUNK_SIZE];

static void give_chunk(uv_handle_t *pipe, size_t suggested, uv_buf_t *buffer) {
    (void)pipe;
    (void)suggested;
    *buffer = uv_buf_init((char *)chunk, sizeof chunk);
}

static void on_read(uv_stream_t *pipe, ssize_t count, const uv_buf_t *buffer) {
    struct hub_reader *reader = pipe->data;
    if (count > 0) {
        reader->events->on_data(reader->context, (const uint8_t *)buffer->base, (size_t)count);
    } else if (count < 0) {
        (void)uv_read_stop(pipe); /* cannot fail */
        reader->events->on_end(reader->context);
    }
}

static void open_reader(struct hub_job *job) {
    struct hub_reader *reader = (struct hub_reader *)job; /* its first member */
    (void)uv_pipe_init(hub_loop(), &reader->pipe, 0);     /* cannot fail for a loop that runs */
    reader->pipe.data = reader;
    if (pipe_open_in_loop(&reader->pipe, reader->reader) != 0 ||
        uv_read_start((uv_stream_t *)&reader->pipe, give_chunk, on_read) != 0) {
        reader->events->on_end(reader->context);
    }
}

int hub_reader_open(struct hub_reader **reader, handle pipe, const struct hub_reader_events *events, void *context) {
    struct hub_reader *opened = memory_allocate(sizeof *opened);
    if (opened == NULL) {
        handle_close(pipe);
        return MPROC_ENOMEM;
    }
    opened->open.run = open_reader;
    opened->reader = pipe;
    opened->events = events;
    opened->context = context;
    *reader = opened;
    hub_post(&opened->open);
    return 0;
}

static void on_closed(uv_handle_t *closed) {
    memory_free(closed->data);
}

void hub_reader_close(struct hub_reader *reader) {
    if (reader != NULL) {
        uv_close((uv_handle_t *)&reader->pipe, on_closed);
    }
}
