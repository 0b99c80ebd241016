/* SPDX-License-Identifier: MIT */
/* A link: what a process and its child speak through, for as long as both live. Each side has one.
 *
 * Frames go both ways, whole and in order. Sending never waits for the other side: what does not fit is carried on by the
 * hub. When a process ends, in whatever way, the other side's link ends. What carries the bytes is the business of this
 * folder alone: a pipe each way. */
#ifndef MPROC_LINK_LINK_H
#define MPROC_LINK_LINK_H

#include "base/clock.h"
#include "link/frame.h"

struct link;

/* What the child needs to open its side: handles to inherit. */
#define LINK_HANDLES 2

/* Makes a link; the parent's side is returned, the child's handles are the caller's: to be inherited and then closed. */
int link_create(struct link **link, handle child_handles[LINK_HANDLES]);

/* The child's side, from the handles that it inherited, which are taken, also on failure. */
int link_open(struct link **link, const handle handles[LINK_HANDLES]);

/* Sends one frame without handles, from any thread; the body is copied. 0; MPROC_ENOMEM; MPROC_ECLOSED (no message): the
 * other side has ended; MPROC_ESYSTEM. */
int link_send(struct link *link, enum frame_kind kind, const void *body, size_t size);

/* Receives the next frame, on one thread at a time; as frame_reader_fill. The body is the caller's. */
int link_receive(struct link *link, deadline until, struct frame *frame);

/* Lets the system end this process with the other side's; as lifeline_tie. All that the other side has sent was received,
 * and it sends nothing more. */
int link_tie(struct link *link);

/* Lets the other side see the end of the link, while this side can still receive. NULL is fine. */
void link_end(struct link *link);

/* Closes this side; unsent frames are dropped. NULL is fine. */
void link_destroy(struct link *link);

#endif
