/* SPDX-License-Identifier: MIT */
/* Shared memory for cells, many to a piece: the program's first process makes the pieces and gives out cells, which are used again;
 * other processes map a piece when they first use a cell in it. A piece stays until the library is shut down. */
#ifndef MPROC_SYNC_ARENA_H
#define MPROC_SYNC_ARENA_H

#include "hub/object.h"
#include "sync/cell.h"

struct arena_place {
    uint32_t arena, index;
};

/* In the first process: a zeroed cell. MPROC_ENOMEM; MPROC_ESYSTEM. */
int arena_take(struct arena_place *place, struct cell **cell);
void arena_give(const struct arena_place *place);
/* Adds a handle of the piece to a call's answer, for arena_add. */
int arena_share(const struct arena_place *place, struct call *call);

/* The cell, where this process has the piece; NULL: it has not. */
struct cell *arena_find(const struct arena_place *place);
/* Maps what came with an answer. MPROC_ENOMEM; MPROC_ESYSTEM. */
int arena_add(const struct arena_place *place, const struct answer *answer);

/* When no cell is used any more. */
void arenas_clear(void);

#endif
