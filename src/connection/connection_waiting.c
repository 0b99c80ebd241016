/* SPDX-License-Identifier: MIT */
/* A connection among the things that a thread waits for. The pipe tells that there is something to read, and only reading it
 * tells whether that is a whole message; so the turn of those who receive is taken for each look, and not in between. */
#include "connection/connection.h"
#include "wait/waiting.h"

static void on_turn_given(void *bell) {
    bell_ring(bell);
}

static int begin(struct waiting *waiting, const char *name) {
    mproc_connection *connection = waiting->thing;
    struct turn_visitor *visitor = &waiting->own.visitor;
    int status = 0;
    visitor->on_given = on_turn_given;
    visitor->context = (void *)(uintptr_t)waiting->bell; /* only read */
    turn_enter(&connection->receive_turn, visitor);
    if (turn_try(&connection->receive_turn, visitor)) { /* where somebody is receiving, it can */
        status = connection_check(connection, name, connection->reader, "sends");
        turn_give(&connection->receive_turn);
    }
    if (status != 0) {
        turn_leave(&connection->receive_turn, visitor);
    }
    return status;
}

/* The bell rings where another thread has the turn. A connection that it has handed over meanwhile is ready: a receive does not
 * wait either. */
static void look(struct waiting *waiting) {
    mproc_connection *connection = waiting->thing;
    waiting->source->kind = WAIT_FOR_NOTHING;
    if (!turn_try(&connection->receive_turn, &waiting->own.visitor)) {
        return;
    }
    waiting->is_ready = connection->has_moved ||
                        frame_reader_fill(&connection->frames, connection->reader, DEADLINE_NOW) != MPROC_ETIMEDOUT;
    if (!waiting->is_ready) {
        waiting->source->kind = WAIT_FOR_DATA;
        waiting->source->waited = connection->reader;
    }
    turn_give(&connection->receive_turn);
}

static void end(struct waiting *waiting) {
    mproc_connection *connection = waiting->thing;
    turn_leave(&connection->receive_turn, &waiting->own.visitor);
}

const struct waiting_kind connection_waiting = {begin, look, NULL, NULL, end};
