/* SPDX-License-Identifier: MIT */
/* A link: what two processes speak through, for as long as both live: a process and its child, or any process and the
 * program's first one. Each side has one.
 *
 * Frames go both ways, whole and in order. When a process ends, in whatever way, the other side's link ends. What carries
 * the bytes is the business of this folder alone: a pipe each way. */
#ifndef MPROC_LINK_LINK_H
#define MPROC_LINK_LINK_H

#include "base/clock.h"
#include "link/frame.h"
#include "value/message.h"

struct link;

/* A side's handles. HANDLE_INVALID: no passage, and then no handles can be sent; no reader: somebody else reads it. */
struct link_ends {
    handle reader, writer, passage;
};

#define LINK_NO_ENDS                                                                                                   \
    { HANDLE_INVALID, HANDLE_INVALID, HANDLE_INVALID }

/* What sending does when the pipe is full. */
enum link_patience {
    LINK_NEVER_WAITS, /* the hub carries on with what does not fit */
    LINK_WAITS        /* so that what was sent is safe when this process is killed */
};

/* The pipes of a link without a passage, both sides. */
int link_create_ends(struct link_ends *ours, struct link_ends *theirs);
void link_close_ends(struct link_ends *ends);

/* A side of a link from its handles, which are taken, also on failure. MPROC_ENOMEM. */
int link_open(struct link **link, struct link_ends *ends, enum link_patience patience);

/* Begins a message that is to be sent: makes room for the frame's header. It has to be the first thing in its bytes. */
int link_begin_message(struct message *message);

/* Sends a message that was begun so, with copies of its handles, as one frame, from any thread. Its bytes are taken, its
 * handles are not. 0; MPROC_ENOMEM; MPROC_ERANGE: too many handles; MPROC_ECLOSED (no message): the other side has ended;
 * MPROC_ESYSTEM. */
int link_send(struct link *link, enum frame_kind kind, struct message *message);

/* The same with a copy of these bytes. handles: whose copies go along; NULL: none. Errors as link_send, or MPROC_ENOMEM. */
int link_send_copy(struct link *link, enum frame_kind kind, const void *data, size_t size,
                   const struct message *handles);

/* Receives the next frame, on one thread at a time; as frame_reader_fill. The body is the caller's. */
int link_receive(struct link *link, deadline until, struct frame *frame);

/* What is ready whenever more than link_receive has received may have come. */
handle link_reader(const struct link *link);

/* Receives the handles of a frame, as handover_receive. */
int link_receive_handles(struct link *link, const struct frame *frame, struct message *message);

/* Lets the system end this process with the other side's; as lifeline_tie. All that the other side has sent was received,
 * and it sends nothing more. */
int link_tie(struct link *link);

/* Lets the other side see the end of the link, while this side can still receive. NULL is fine. */
void link_end(struct link *link);

/* Closes this side; unsent frames are dropped. NULL is fine. */
void link_destroy(struct link *link);

#endif
