/* SPDX-License-Identifier: MIT */
/* Callers put commands into a list and wake the loop, which carries them out in order. Everything of libuv's is touched by
 * the hub's thread alone. A stream belongs to its caller until hub_stream_close, then to the loop, which frees it once
 * libuv has let go of it. */
#include "hub/hub.h"

#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/pipe.h"
#include "platform/self.h"

/* libuv's buffers have 32 bits for their size on Windows; more goes in pieces. */
#define PIECE_MAX ((size_t)1 << 30)

enum command_kind { COMMAND_OPEN, COMMAND_WRITE, COMMAND_CLOSE, COMMAND_STOP };

struct command {
    enum command_kind kind;
    struct hub_stream *stream;
    struct buffer bytes;
    struct command *next;
    uv_write_t request;
};

struct hub_stream {
    uv_pipe_t pipe;
    handle writer; /* until the loop has opened it */
    bool is_open;
    bool is_broken;             /* under the hub's mutex: nobody reads it */
    struct command open, close; /* so that these two cannot fail for want of memory */
};

struct hub {
    uv_mutex_t mutex; /* of the list, the flags of streams, and `running` */
    struct command *first, *last;
    bool running;
    uv_loop_t loop;
    uv_async_t wake;
    uv_thread_t thread;
    struct command stop;
};

static struct hub hub;
static uv_once_t hub_once = UV_ONCE_INIT;
static int hub_mutex_error;

static void create_mutex(void) {
    hub_mutex_error = uv_mutex_init(&hub.mutex);
}

static void free_command(struct command *command) {
    if (command != NULL) {
        buffer_clear(&command->bytes);
        memory_free(command);
    }
}

static void on_closed(uv_handle_t *closed) {
    memory_free(closed->data);
}

static void mark_broken(struct hub_stream *stream) {
    uv_mutex_lock(&hub.mutex);
    stream->is_broken = true;
    uv_mutex_unlock(&hub.mutex);
}

static void close_file(uv_file file) {
    uv_fs_t request;
    if (file >= 0) {
        (void)uv_fs_close(NULL, &request, file, NULL); /* it is given up whatever close says */
        uv_fs_req_cleanup(&request);
    }
}

static void carry_out_open(struct hub_stream *stream) {
    int file = pipe_to_uv_file(stream->writer);
    (void)uv_pipe_init(&hub.loop, &stream->pipe, 0); /* cannot fail for a loop that runs */
    stream->pipe.data = stream;
    stream->is_open = file >= 0 && uv_pipe_open(&stream->pipe, file) == 0;
    if (!stream->is_open) {
        close_file(file);
        mark_broken(stream);
    }
}

static void on_written(uv_write_t *request, int status) {
    struct command *command = request->data;
    if (status != 0 && status != UV_ECANCELED) { /* cancelled: the stream is being closed */
        mark_broken(command->stream);
    }
    free_command(command);
}

/* Takes the command: libuv needs its bytes until they are written. */
static void carry_out_write(struct command *command) {
    struct hub_stream *stream = command->stream;
    uv_buf_t bytes = uv_buf_init((char *)command->bytes.data, (unsigned)command->bytes.size);
    command->request.data = command;
    if (!stream->is_open || uv_write(&command->request, (uv_stream_t *)&stream->pipe, &bytes, 1, on_written) != 0) {
        mark_broken(stream);
        free_command(command);
    }
}

static void carry_out(struct command *command) {
    switch (command->kind) {
    case COMMAND_OPEN:
        carry_out_open(command->stream);
        break;
    case COMMAND_WRITE:
        carry_out_write(command);
        break;
    case COMMAND_CLOSE:
        uv_close((uv_handle_t *)&command->stream->pipe, on_closed);
        break;
    case COMMAND_STOP:
        uv_close((uv_handle_t *)&hub.wake, NULL);
        break;
    }
}

static void on_wake(uv_async_t *wake) {
    (void)wake;
    uv_mutex_lock(&hub.mutex);
    struct command *command = hub.first;
    hub.first = hub.last = NULL;
    uv_mutex_unlock(&hub.mutex);
    while (command != NULL) {
        struct command *next = command->next;
        carry_out(command);
        command = next;
    }
}

static void run_loop(void *unused) {
    (void)unused;
    (void)uv_run(&hub.loop, UV_RUN_DEFAULT); /* ends when all handles have been closed */
}

/* The mutex is held. */
static int start_thread(void) {
    struct self_signals signals;
    int error = uv_loop_init(&hub.loop);
    if (error != 0) {
        return error_set(MPROC_ESYSTEM, error, "cannot make the hub's event loop: %s", uv_strerror(error));
    }
    error = uv_async_init(&hub.loop, &hub.wake, on_wake);
    if (error == 0) {
        self_block_signals(&signals);
        error = uv_thread_create(&hub.thread, run_loop, NULL);
        self_restore_signals(&signals);
        if (error != 0) {
            uv_close((uv_handle_t *)&hub.wake, NULL);
            (void)uv_run(&hub.loop, UV_RUN_DEFAULT); /* lets go of the handle */
        }
    }
    if (error != 0) {
        (void)uv_loop_close(&hub.loop); /* nothing is left in it */
        return error_set(MPROC_ESYSTEM, error, "cannot start the hub's thread: %s", uv_strerror(error));
    }
    hub.running = true;
    return 0;
}

/* The mutex is held, and the hub runs. */
static void post(struct command *command, enum command_kind kind, struct hub_stream *stream) {
    command->kind = kind;
    command->stream = stream;
    command->next = NULL;
    if (hub.last != NULL) {
        hub.last->next = command;
    } else {
        hub.first = command;
    }
    hub.last = command;
    (void)uv_async_send(&hub.wake); /* fails for a closed handle only */
}

int hub_stream_open(struct hub_stream **stream, handle writer) {
    struct hub_stream *opened = memory_allocate(sizeof *opened);
    int status = opened != NULL ? 0 : MPROC_ENOMEM;
    uv_once(&hub_once, create_mutex);
    if (status == 0 && hub_mutex_error != 0) {
        status = error_set(MPROC_ESYSTEM, hub_mutex_error, "cannot make the hub's lock");
    }
    if (status == 0) {
        uv_mutex_lock(&hub.mutex);
        status = hub.running ? 0 : start_thread();
        if (status == 0) {
            opened->writer = writer;
            post(&opened->open, COMMAND_OPEN, opened);
            *stream = opened;
        }
        uv_mutex_unlock(&hub.mutex);
    }
    if (status != 0) {
        handle_close(writer);
        memory_free(opened);
    }
    return status;
}

/* At most PIECE_MAX bytes, which are taken, also on failure. */
static int write_piece(struct hub_stream *stream, struct buffer *bytes) {
    struct command *command = memory_allocate(sizeof *command);
    int status = 0;
    if (command == NULL) {
        buffer_clear(bytes);
        return MPROC_ENOMEM;
    }
    command->bytes = *bytes;
    memset(bytes, 0, sizeof *bytes);
    uv_mutex_lock(&hub.mutex);
    if (stream->is_broken) {
        status = MPROC_ECLOSED;
    } else {
        post(command, COMMAND_WRITE, stream);
        command = NULL;
    }
    uv_mutex_unlock(&hub.mutex);
    free_command(command);
    return status;
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
        uv_mutex_lock(&hub.mutex);
        post(&stream->close, COMMAND_CLOSE, stream);
        uv_mutex_unlock(&hub.mutex);
    }
}

void hub_stop(void) {
    uv_once(&hub_once, create_mutex);
    if (!hub.running) {
        return;
    }
    uv_mutex_lock(&hub.mutex);
    post(&hub.stop, COMMAND_STOP, NULL);
    hub.running = false;
    uv_mutex_unlock(&hub.mutex);
    (void)uv_thread_join(&hub.thread);
    (void)uv_loop_close(&hub.loop); /* nothing is left in it */
}
