/* SPDX-License-Identifier: MIT */
/* One-way pipes of bytes. No end is ever inherited, unless it is named in spawn_options.
 *
 * A pipe is used by one reader and one writer at a time: whoever calls sees to that. All waits are on the pipe itself.
 * Windows: both ends are overlapped named pipes, so that a wait can have a limit and libuv can take an end over. */
#ifndef MPROC_PLATFORM_PIPE_H
#define MPROC_PLATFORM_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "platform/handle.h"

/* A run of bytes to be written. */
struct pipe_bytes {
    const void *data;
    size_t size;
};

/* Makes a pipe. MPROC_ESYSTEM: no descriptors left, ... On failure both are untouched. */
int pipe_create(handle *reader, handle *writer);

/* Makes a pipe whose other end another program is to have, as its standard input (which it reads) or output. */
int pipe_create_for_program(handle *ours, handle *theirs, bool is_read_by_program);

/* Reads what is there, at least 1 byte, at most capacity (which is not 0), waiting for the first one until the deadline.
 * Returns 0; MPROC_ETIMEDOUT; MPROC_ECLOSED: end of data, no error message is set for these two; MPROC_ESYSTEM. */
int pipe_read(handle reader, void *data, size_t capacity, deadline until, size_t *size);

/* Writes all the parts, waiting while the pipe is full. Returns 0; MPROC_ECLOSED (no message): nobody can read any more;
 * MPROC_ESYSTEM. Never raises SIGPIPE. */
int pipe_write(handle writer, const struct pipe_bytes *parts, size_t count);

/* Writes as much as fits without waiting, maybe nothing. Errors as pipe_write. */
int pipe_write_some(handle writer, const void *data, size_t size, size_t *written);

/* A transfer that the system has begun and not ended: on Windows a write cannot be called back without doubt about how much
 * was taken. */
struct pipe_pending;

/* One of several transfers at a time: reading into `data`, or writing it; size is not 0. */
struct pipe_transfer {
    handle pipe;
    bool is_write;
    void *data; /* only read, where it is written */
    size_t size;
    size_t done; /* how much of it, this time */
    int status;  /* 0; MPROC_ECLOSED (no message): the end of data, or nobody can read any more; MPROC_ESYSTEM */
    /* NULL in it at first. Further transfers of this pipe have the same, and a write the same data from where it got to. */
    struct pipe_pending **pending;
};

#define PIPE_TRANSFERS_MAX 3

/* Transfers something by at least one of these, waiting until the deadline for the first that can go on. 0: each tells how
 * much of it was done; MPROC_ETIMEDOUT (no message); MPROC_ESYSTEM. */
int pipe_transfer_any(struct pipe_transfer *transfers, size_t count, deadline until);

/* Gives up what is pending, in whatever state, before its pipe is closed. NULL is fine. */
void pipe_drop_pending(struct pipe_pending *pending);

/* Lets libuv read or write an end from now on, through a uv_pipe_t that has been initialized without ipc. Takes the end, also
 * on failure. 0 or MPROC_ESYSTEM (no message: there is nobody to read it). */
int pipe_open_in_loop(uv_pipe_t *pipe, handle given);

#endif
