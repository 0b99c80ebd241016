/* SPDX-License-Identifier: MIT */
/* Waiting for the first of any number of things that the system knows. */
#ifndef MPROC_PLATFORM_WAIT_ANY_H
#define MPROC_PLATFORM_WAIT_ANY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "platform/handle.h"

enum wait_kind {
    WAIT_FOR_NOTHING, /* it is passed over */
    WAIT_FOR_EXIT,    /* a watch (exit.h): the process has ended */
    WAIT_FOR_DATA,    /* a pipe's reader: there is something to read, or the end of data. Others may be reading it */
    WAIT_FOR_BELL     /* what is heard of a bell (bell.h) */
};

struct wait_source {
    enum wait_kind kind;
    handle waited;
    bool is_ready;
};

/* Waits until at least one is ready, and tells of each whether it is. Nothing is taken out of any. 0; MPROC_ETIMEDOUT (no
 * message): none is; MPROC_ENOMEM; MPROC_ESYSTEM. */
int wait_any(struct wait_source *sources, size_t count, deadline until);

#endif
