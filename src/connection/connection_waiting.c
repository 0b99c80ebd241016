/* SPDX-License-Identifier: MIT */
/* A connection among the things that a thread waits for. The pipe tells that there is something to read, and only reading it
 * tells whether that is a whole message; so the turn of those who receive is taken for each look, and not in between. */
#include "connection/connection.h"
#include "wait/waiting.h"

static void on_turn_given(void *bell) {
    bell_ring(bell);
}

static int begin(struct waiting *waiting, const char *function) {
    mproc_connection *connection = waiting->thing;
    struct turn_visitor *visitor = &waiting->own.visitor;
    int status = 0;
    visitor->on_given = on_turn_given;
    turn_enter(&connection->receive_turn, visitor);
    if (turn_take(&connection->receive_turn, DEADLINE_NOW) == 0) { /* where somebody is receiving, it can */
        status = connection_check(connection, function, connection->reader, "sends");
        turn_give(&connection->receive_turn);
    }
    if (status != 0) {
        turn_leave(&connection->receive_turn, visitor);
    }
    return status;
}

/* Whether this thread has the turn; otherwise its bell rings when another one gives it back. */
static bool take_turn(struct waiting *waiting) {
    mproc_connection *connection = waiting->thing;
    struct turn_visitor *visitor = &waiting->own.visitor;
    if (waiting->bell == NULL) {
        waiting->wants_bell = turn_take(&connection->receive_turn, DEADLINE_NOW) != 0;
        return !waiting->wants_bell;
    }
    if (visitor->context == NULL) {                          /* otherwise another thread may be ringing */
        visitor->context = (void *)(uintptr_t)waiting->bell; /* only read */
    }
    return turn_try(&connection->receive_turn, visitor);
}

/* The pipe is read where the system has seen something in it. A connection that another thread has handed over meanwhile is
 * ready: a receive does not wait either. */
static void look(struct waiting *waiting) {
    mproc_connection *connection = waiting->thing;
    struct wait_source *source = waiting->source;
    source->kind = WAIT_FOR_NOTHING;
    if (!take_turn(waiting)) {
        return;
    }
    handle pipe = source->is_ready ? connection->reader : HANDLE_INVALID;
    waiting->is_ready =
        connection->has_moved || frame_reader_fill(&connection->frames, pipe, DEADLINE_NOW) != MPROC_ETIMEDOUT;
    if (!waiting->is_ready) {
        source->kind = WAIT_FOR_DATA;
        source->waited = connection->reader;
    }
    turn_give(&connection->receive_turn);
}

static void end(struct waiting *waiting) {
    mproc_connection *connection = waiting->thing;
    turn_leave(&connection->receive_turn, &waiting->own.visitor);
}

const struct waiting_kind connection_waiting = {false, begin, look, NULL, NULL, end};
