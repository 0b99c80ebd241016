/* SPDX-License-Identifier: MIT */
/* The state of one lock, semaphore, event, condition or barrier, as it lies in memory that all its processes share. All zeros
 * at first but for the limit. */
#ifndef MPROC_SYNC_CELL_H
#define MPROC_SYNC_CELL_H

#include "base/atomic.h"

#define CELL_SIZE 4096
#define CELL_PERMITS 192
#define CELL_SLOTS 300

/* Bits of `flags`. */
#define CELL_WAITED_FOR ((uint64_t)1) /* some may sleep in slots */
#define CELL_RESERVED ((uint64_t)2)   /* only those who were woken, or have waited for long, may take */
#define CELL_DIED ((uint64_t)4)       /* a holder has died, and nobody was told yet */
#define CELL_CROWDED ((uint64_t)8)    /* some wait for a slot */

struct cell {
    atomic_number flags;
    atomic_number depth;                 /* how many times its holder has acquired a lock; the holder's alone */
    atomic_number value;                 /* of a semaphore without holders, an event, a barrier */
    atomic_number limit;                 /* a semaphore's maximum; a barrier's parties; 1: the lock is recursive */
    atomic_number permit_count;          /* those that there are; 0: `value` counts, without holders */
    atomic_number permits[CELL_PERMITS]; /* each 0, or its holder; a lock has one */
    atomic_number last_ticket;
    atomic_number slots_used;        /* no slot from here on was ever taken */
    atomic_number departures;        /* of slots, while it is crowded */
    atomic_number slots[CELL_SLOTS]; /* who waits; see room.h */
};

#endif
