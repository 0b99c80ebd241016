/* SPDX-License-Identifier: MIT */
/* An end of a connection, for the files of this folder: connection.c is what a caller calls, connection_waiting.c what
 * mproc_wait does. */
#ifndef MPROC_CONNECTION_CONNECTION_H
#define MPROC_CONNECTION_CONNECTION_H

#include "base/turn.h"
#include "link/frame.h"
#include "mproc/connection.h"
#include "platform/handle.h"

struct mproc_connection {
    struct turn send_turn, receive_turn;
    handle reader, writer; /* HANDLE_INVALID: this end does not receive, or does not send */
    handle passage;
    bool has_moved;
    struct frame_reader frames;
};

/* Whether it can be used in this direction, which needs this handle: 0; MPROC_ESTATE; MPROC_EPERM. direction: what an end
 * without it does. That direction's turn is taken. */
int connection_check(const mproc_connection *connection, const char *function, handle needed, const char *direction);

#endif
