/* SPDX-License-Identifier: MIT */
/* Locks, semaphores, events, conditions and barriers in the program's first process: where their cells are, what becomes of them
 * when a process dies, and waiting and waking where the system cannot do that between processes. */
#ifndef MPROC_SYNC_SYNC_STATE_H
#define MPROC_SYNC_SYNC_STATE_H

#include "hub/object.h"

enum sync_operation {
    SYNC_OPEN = 1, /* argument: 1 where the process wants the memory; the answer's value: see sync_answer_* */
    SYNC_SLEEP,    /* argument: sync_argument of the word and what was seen in it */
    SYNC_WAKE,     /* argument: of the word */
    SYNC_LOCK_OF   /* of a condition, the answer's value: its lock's number */
};

/* What OBJECT_CREATE's argument says: of a lock, whether it is recursive; of a semaphore, value << 32 | maximum; of a condition,
 * its lock's number; of a barrier, its parties. */

static inline int64_t sync_argument(uint32_t word, uint32_t seen) {
    return (int64_t)((uint64_t)word << 32 | seen);
}

/* SYNC_OPEN's answer: the asking process's number, from 1, in 24 bits, then the arena in 24, then the index in it. */
static inline uint32_t sync_answer_process(int64_t value) {
    return (uint32_t)value & 0xFFFFFF;
}

static inline uint32_t sync_answer_arena(int64_t value) {
    return (uint32_t)(value >> 24) & 0xFFFFFF;
}

static inline uint32_t sync_answer_index(int64_t value) {
    return (uint32_t)(value >> 48);
}

extern const struct object_class lock_class, semaphore_class, event_class, condition_class, barrier_class;

#endif
