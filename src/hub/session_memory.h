/* SPDX-License-Identifier: MIT */
/* What a process and the program's first one share: made by the latter when the process asks for it. */
#ifndef MPROC_HUB_SESSION_MEMORY_H
#define MPROC_HUB_SESSION_MEMORY_H

#include "base/atomic.h"
#include "link/ring.h"

/* As it lies in shared memory, zeroed at first. */
struct session_memory {
    atomic_number closures;  /* grows when any object is closed: what was known of objects before may not be so */
    atomic_number has_ended; /* nobody reads the ring any more */
    uint8_t gap[48];
    struct ring ring; /* postings, to the first process */
};

#endif
