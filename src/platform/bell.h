/* SPDX-License-Identifier: MIT */
/* A bell: any thread of this process rings it, and wait_any hears it beside all else. It is heard until it is cleared. */
#ifndef MPROC_PLATFORM_BELL_H
#define MPROC_PLATFORM_BELL_H

#include "platform/handle.h"

struct bell {
    handle heard; /* a source of wait_any */
    handle rung;
};

/* MPROC_ESYSTEM: no descriptors left, ... */
int bell_create(struct bell *bell);
void bell_destroy(struct bell *bell);

/* Never waits. What was done before is seen by whoever clears the bell afterwards. */
void bell_ring(const struct bell *bell);
void bell_clear(const struct bell *bell);

#endif
