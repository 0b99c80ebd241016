/* SPDX-License-Identifier: MIT */
/* A program among the things that a thread waits for. */
#include "subprocess/popen.h"
#include "wait/waiting.h"

static int begin(struct waiting *waiting, const char *function) {
    (void)function;
    waiting->source->waited = popen_begin_wait(waiting->thing);
    return 0;
}

static void end(struct waiting *waiting) {
    popen_end_wait(waiting->thing);
}

const struct waiting_kind popen_waiting = {false, begin, waiting_look_for_exit, NULL, NULL, end};
