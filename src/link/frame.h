/* SPDX-License-Identifier: MIT */
/* Frames: how messages stand in a pipe, for links and connections alike.
 *
 * A header of 16 bytes (kind, how many handles go along, size of the body), the body, and at the body's end a ticket of 8
 * bytes for each handle (platform/passage.h). Both sides are the same program on the same machine, so numbers stand as the
 * machine has them. */
#ifndef MPROC_LINK_FRAME_H
#define MPROC_LINK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "platform/handle.h"

enum frame_kind {
    FRAME_PREPARATION = 1, /* to a new child: what it is to do */
    FRAME_READY,           /* from a new child: it has reached mproc_init */
    FRAME_VALUE,           /* a CBOR value */
    FRAME_BYTES,           /* raw bytes */
    FRAME_REQUEST,         /* to the first process: what is asked of a shared object; see hub/wire.h */
    FRAME_REPLY,           /* from it: the answer */
    FRAME_CANCEL,          /* to it: the answer is not waited for any longer */
    FRAME_SETTLE,          /* to it: what came with the answer was taken, or is given back */
    FRAME_DOORBELL,        /* either way: there is something in shared memory */
    FRAME_FETCH,   /* from a pool's worker: the number of a task that it wants sent; 0: there is work for others */
    FRAME_TASK,    /* to it: that task */
    FRAME_RESULTS, /* from it: what does not go through its ring */
    FRAME_FAILED   /* from it: its initializer has failed, and why */
};

#define FRAME_HEADER_SIZE 16
#define FRAME_TICKET_SIZE 8

struct frame {
    enum frame_kind kind;
    uint32_t handle_count;
    uint8_t *body; /* from memory.h; NULL: an empty frame */
    size_t size;   /* with the tickets */
};

/* Writes the header of a frame into 16 bytes. */
void frame_write_header(uint8_t *header, enum frame_kind kind, size_t handle_count, size_t size);

#define FRAME_AHEAD_CAPACITY 4096

/* Takes frames out of a pipe; it may read ahead, and may stop in the middle of a frame and go on later. A zeroed one is
 * empty and valid. */
struct frame_reader {
    uint8_t ahead[FRAME_AHEAD_CAPACITY]; /* read and not used yet: [start, end) */
    size_t start, end;
    struct buffer saved; /* what another process had read ahead before the pipe's end moved here; comes first */
    bool has_header;
    struct frame frame; /* the one being read */
    size_t filled;      /* bytes of its body that are there */
};

/* Waits until a whole frame is there. pipe: HANDLE_INVALID: only what has been read is looked at. 0; MPROC_ETIMEDOUT or
 * MPROC_ECLOSED (no message), the latter also where the pipe ends in the middle of a frame; MPROC_ENOMEM: nothing is lost, try
 * again; MPROC_EINVAL: this is no frame. */
int frame_reader_fill(struct frame_reader *reader, handle pipe, deadline until);

/* For whoever is given the bytes as they come: takes what it can use of them, and not more than up to the end of a frame.
 * 0: a frame is complete; MPROC_ETIMEDOUT (no message): all was used, and more is wanted; MPROC_ENOMEM; MPROC_EINVAL. */
int frame_reader_feed(struct frame_reader *reader, const uint8_t *data, size_t size, size_t *used);

/* The frame that fill or feed has completed; the body is the caller's. */
struct frame frame_reader_take(struct frame_reader *reader);

/* Moves all that was read and not taken to the end of `bytes`. 0 or MPROC_ENOMEM: then all is as it was. */
int frame_reader_save(struct frame_reader *reader, struct buffer *bytes);
/* Lets a new reader begin with these bytes, which it takes. */
void frame_reader_load(struct frame_reader *reader, struct buffer *bytes);

void frame_reader_clear(struct frame_reader *reader);

#endif
