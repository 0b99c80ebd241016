/* SPDX-License-Identifier: MIT */
/* Writing to a pipe that is full at the moment: the hub carries on, in order. */
#ifndef MPROC_HUB_STREAM_H
#define MPROC_HUB_STREAM_H

#include "base/buffer.h"
#include "platform/handle.h"

/* The write end of a pipe that the hub writes to. */
struct hub_stream;

/* Gives the hub a pipe's end, which is taken, also on failure. MPROC_ENOMEM; MPROC_ESYSTEM: no thread or loop. */
int hub_stream_open(struct hub_stream **stream, handle writer);

/* Writes the bytes after all that were given before; they are taken, also on failure. MPROC_ENOMEM; MPROC_ECLOSED (no
 * message): nobody reads the pipe any more. */
int hub_stream_write(struct hub_stream *stream, struct buffer *bytes);

/* Closes the pipe; what is not written yet is dropped. NULL is fine. */
void hub_stream_close(struct hub_stream *stream);

#endif
