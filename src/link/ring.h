/* SPDX-License-Identifier: MIT */
/* A ring in shared memory: frames from one process to another without a system call. One side writes, the other reads.
 *
 * The writer copies a whole frame behind what is there and publishes it with one store, so that a death leaves a frame whole
 * or absent. Numbers of bytes only grow; where they stand is their rest by the capacity. The reader that finds nothing says
 * that it sleeps, looks once more, and waits for its doorbell, which the writer rings only then. */
#ifndef MPROC_LINK_RING_H
#define MPROC_LINK_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

#define RING_CAPACITY ((size_t)1 << 18)
#define RING_FRAME_MAX (RING_CAPACITY / 16)

/* As it lies in shared memory, zeroed at first. What either side writes is on a cache line of its own, and each remembers
 * what it last saw of the other's, so as to look there only when it has to. */
struct ring {
    atomic_number written; /* by the writer */
    uint64_t read_seen;    /* the writer's own */
    uint8_t gap1[48];
    atomic_number read;    /* by the reader */
    uint64_t written_seen; /* the reader's own */
    uint8_t gap2[48];
    atomic_number sleeps; /* the reader wants to be rung for */
    uint8_t gap3[56];
    uint8_t bytes[RING_CAPACITY];
};

/* Writes a frame of two parts; false: there is no room now, or it is over RING_FRAME_MAX. By one thread at a time. */
bool ring_write(struct ring *ring, const void *head, size_t head_size, const void *data, size_t data_size);

/* After writing: whether the reader has to be rung for. Says so once. */
bool ring_must_wake(struct ring *ring);

/* The next frame, as it lies in the ring until ring_skip; NULL: there is none, or what is there makes no sense. */
const uint8_t *ring_peek(struct ring *ring, size_t *size);
/* Which of these two it was. */
bool ring_is_empty(const struct ring *ring);
void ring_skip(struct ring *ring, size_t size);

/* The reader looks by itself from now on, and need not be rung for. */
void ring_wake(struct ring *ring);
/* The reader is going to sleep; false: something has come meanwhile, and it is not. */
bool ring_sleep(struct ring *ring);

#endif
