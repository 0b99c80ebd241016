/* SPDX-License-Identifier: MIT */
/* What a pool and its workers share, and how tasks and results stand there.
 *
 * All tasks lie in one delivery (queue/delivery.h), from which whichever worker is free takes the next: none waits behind a
 * long one, and when a worker dies it is known exactly which task it had begun. Each worker has memory of its own for what it
 * says: how far it has come, the results that it has not sent yet, and a ring in which it sends them. All of it survives
 * the worker, so that no result is lost that a task has returned. */
#ifndef MPROC_POOL_WORKER_MEMORY_H
#define MPROC_POOL_WORKER_MEMORY_H

#include "base/atomic.h"
#include "link/ring.h"
#include "queue/delivery.h"

#define POOL_WORKERS_MAX 1024
#define SLEEPER_WORDS (POOL_WORKERS_MAX / 64)

/* Made by the pool, mapped by all its workers. One worker at a time is woken: whoever is awake may do all the work before a
 * second one has come. A woken one that finds more than it takes has the next one woken (FRAME_FETCH of task 0). */
struct pool_memory {
    atomic_number ends;                    /* no more tasks will come */
    atomic_number sleeper_count;           /* bits that are set below; may be seen late */
    atomic_number sleepers[SLEEPER_WORDS]; /* a bit for each worker that waits for its doorbell */
    uint8_t gap[64 - 2 * sizeof(atomic_number)];
    struct delivery delivery;
};

/* For the worker itself: it sleeps from now on. */
void sleepers_add(struct pool_memory *memory, unsigned index);
/* For both sides: it does not sleep any more; false: the other side had seen to that. */
bool sleepers_remove(struct pool_memory *memory, unsigned index);

/* What tasks are in the delivery. */
#define TASK_KIND 1

/* The results of one task's items, one after the other; what fits into a frame of the ring. */
#define RESULTS_CAPACITY (RING_FRAME_MAX - 256)

/* One a worker. Items of a task are counted from 0; an item whose result is not in `published` and not sent is not done. */
struct worker_memory {
    atomic_number running;  /* the number of the task that it carries out; 0: none */
    atomic_number begun;    /* how many of its items have been begun */
    atomic_number begun_at; /* when that item was (uv_hrtime) */
    atomic_number rung; /* by the pool: its doorbell is on its way, or heard but not answered by looking for a task */
    atomic_number cancelled; /* by the pool: the number of a task that is to give up */
    atomic_number tasks;     /* items carried out in all */
    atomic_number busy_time; /* nanoseconds in all */
    atomic_number ready_at;  /* when it began to wait for tasks; 0: it has not come so far */
    atomic_number first;     /* of the results below: whose item the first one is */
    atomic_number published; /* how many they are, and their bytes: see PUBLISHED */
    uint8_t gap[56];
    uint8_t results[RESULTS_CAPACITY];
    struct ring ring;
};

#define PUBLISHED(count, bytes) ((uint64_t)(count) << 32 | (uint64_t)(bytes))
#define PUBLISHED_COUNT(published) ((uint32_t)((published) >> 32))
#define PUBLISHED_BYTES(published) ((uint32_t)(published))

/* How a task's function is called for each item. */
enum task_form {
    TASK_APPLY,   /* one item: arguments, named arguments, raw data */
    TASK_MAP,     /* each item is a value, the only argument */
    TASK_STARMAP, /* each item is an array of arguments */
    TASK_BYTES    /* each item is a run of bytes of the same size */
};

/* In front of a task. Behind it: the target's name; TASK_APPLY: a struct task_call and what it tells; TASK_MAP and
 * TASK_STARMAP: for each item its size as 4 bytes and its CBOR; TASK_BYTES: padding to 16, and the items. */
struct task_head {
    uint64_t number;       /* never 0 */
    uint32_t first, count; /* the items that are to be carried out; `count` is where they end */
    uint64_t item_size;    /* of TASK_BYTES */
    uint64_t result_size;  /* of TASK_BYTES */
    uint32_t name_size;
    uint8_t form;
    uint8_t is_elsewhere; /* the task is too large to stand here, or has handles: ask for it (FRAME_FETCH) */
    uint8_t unused[2];
};

/* The raw data begins at the next multiple of 16 of the task's bytes. */
struct task_call {
    uint64_t values_size, data_size;
};

#define TASK_ALIGNMENT ((size_t)16)

/* In front of results, in the ring and in FRAME_RESULTS. */
struct results_head {
    uint64_t number;
    uint32_t first, count;
};

enum result_kind {
    RESULT_VALUE,  /* CBOR; the handles of the frame are its own, and it is alone then */
    RESULT_BYTES,  /* raw bytes */
    RESULT_FAILURE /* MPROC_ETASK or another code, and its text */
};

/* In front of each result; the next one begins at a multiple of 8. */
struct result_record {
    int32_t code;
    uint32_t kind;
    uint64_t size;
};

#define RESULT_SIZE(size) ((sizeof(struct result_record) + (size_t)(size) + 7) / 8 * 8)

#endif
