/* SPDX-License-Identifier: MIT */
/* Shared memory of an object: made by the program's first process, and mapped by others when they ask for it. */
#ifndef MPROC_HUB_SHARED_BLOCK_H
#define MPROC_HUB_SHARED_BLOCK_H

#include "base/atomic.h"
#include "hub/object.h"

/* The owner's side. */
struct shared_block {
    handle memory;
    void *view; /* NULL: there is none */
    size_t size;
};

#define SHARED_BLOCK_NONE                                                                                              \
    { HANDLE_INVALID, NULL, 0 }

/* Makes it, zeroed, where it is not there yet. Errors as shared_memory_create and shared_memory_map. */
int shared_block_create(struct shared_block *block, size_t size);
/* Adds a handle of it to a call's answer, for shared_block_map. */
int shared_block_share(const struct shared_block *block, struct call *call);
void shared_block_clear(struct shared_block *block);

/* The other side: a view that is shared by those who use it. */
struct shared_view {
    void *memory;
    size_t size;
    uint32_t process; /* the number by which the owner knows this process: see call_taker */
    atomic_number users;
};

/* Maps what came with an answer. NULL: nothing did, or it cannot be mapped. */
void *shared_block_map(const struct answer *answer, size_t size);

/* The same, for several users; one is counted. The answer's value is the process's number. */
struct shared_view *shared_view_open(const struct answer *answer, size_t size);
void shared_view_use(struct shared_view *view);
/* NULL is fine. The last one unmaps it. */
void shared_view_unuse(struct shared_view *view);

#endif
