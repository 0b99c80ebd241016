/* SPDX-License-Identifier: MIT */
/* The door of the program's first process: any process that descends from it can knock, and hands over its side's
 * counterpart of a pair of pipes and a passage. All of them inherit the same sending end.
 *
 * POSIX: a pair of datagram sockets; a knock is one datagram with three descriptors.
 * Windows: a pipe; a knock is one record that names the process and two of its handles, which the first process fetches. A
 * process killed meanwhile leaves nothing behind. */
#ifndef MPROC_PLATFORM_DOOR_H
#define MPROC_PLATFORM_DOOR_H

#include <uv.h>

#include "platform/handle.h"

/* Makes the door. On failure both are untouched. MPROC_ESYSTEM. */
int door_create(handle *receiver, handle *sender);

/* What the first process receives: its side of a link, which is the callback's. */
struct door_visitor {
    int pid;
    handle reader, writer, passage;
};

/* Hands the ends `reader` and `writer` over, which are taken, also on failure; `passage` receives the caller's end of a new
 * one. MPROC_ECLOSED (no message): the first process has ended; MPROC_ESYSTEM. */
int door_knock(handle sender, handle reader, handle writer, handle *passage);

struct door;

/* Calls `on_visitor` on the loop's thread for each knock. Takes the receiver, also on failure. On the loop's thread.
 * MPROC_ENOMEM; MPROC_ESYSTEM. */
int door_open(struct door **door, uv_loop_t *loop, handle receiver, void (*on_visitor)(const struct door_visitor *));

/* On the loop's thread. NULL is fine. */
void door_close(struct door *door);

#endif
