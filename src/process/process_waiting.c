/* SPDX-License-Identifier: MIT */
/* A process among the things that a thread waits for. */
#include "process/process.h"
#include "wait/waiting.h"

static int begin(struct waiting *waiting, const char *function) {
    int status = process_check_wait(waiting->thing, function);
    if (status == 0) {
        waiting->source->waited = processes_begin_wait(waiting->thing);
    }
    return status;
}

static void end(struct waiting *waiting) {
    processes_end_wait(waiting->thing);
}

const struct waiting_kind process_waiting = {false, begin, waiting_look_for_exit, NULL, NULL, end};
