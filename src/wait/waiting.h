/* SPDX-License-Identifier: MIT */
/* What mproc_wait asks of each kind of thing that can be waited for. A thing is watched by the system, or rings a bell when
 * it may have become ready, or the one or the other. */
#ifndef MPROC_WAIT_WAITING_H
#define MPROC_WAIT_WAITING_H

#include <stdbool.h>

#include "base/turn.h"
#include "hub/hold.h"
#include "mproc/wait.h"
#include "platform/bell.h"
#include "platform/wait_any.h"
#include "pool/pool.h"

/* One thing that a thread waits for, while it does. */
struct waiting {
    const struct waiting_kind *kind;
    void *thing;
    const struct bell *bell;    /* of the thread; NULL: it has none yet */
    bool wants_bell;            /* the last look could not do without: there will be another one */
    bool only_asks;             /* the thread does not wait */
    bool is_ready;              /* and not looked at any more */
    struct wait_source *source; /* what the system is to watch; what it has seen */
    union {                     /* the kind's own */
        struct turn_visitor visitor;
        struct waiter waiter;
        struct hold_question *question;
    } own;
};

struct waiting_kind {
    bool needs_bell; /* from the beginning */
    /* Checks that it can be waited for, and begins; a first look may be part of it. function: for messages. 0, and then `end` follows; or an error,
     * with its message. */
    int (*begin)(struct waiting *waiting, const char *function);
    /* Looks whether it is ready, and tells the system what to watch until it is. Never waits. */
    void (*look)(struct waiting *waiting);
    /* The time is over. Where that has to be told to somebody, what he answers is waited for by `conclude`, so that several
     * are told at once; then it is known whether it is ready. NULL: the last look has told. */
    void (*call_off)(struct waiting *waiting);
    void (*conclude)(struct waiting *waiting);
    void (*end)(struct waiting *waiting);
};

/* `look` for what is a watch (exit.h) in the source; HANDLE_INVALID: it has ended. */
void waiting_look_for_exit(struct waiting *waiting);

extern const struct waiting_kind connection_waiting, popen_waiting, process_waiting, queue_waiting, result_waiting;

#endif
