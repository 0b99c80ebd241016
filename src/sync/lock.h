/* SPDX-License-Identifier: MIT */
/* A lock, for those who have one inside of something else. */
#ifndef MPROC_SYNC_LOCK_H
#define MPROC_SYNC_LOCK_H

#include "sync/room.h"

/* Whether this thread holds it. */
bool lock_is_held(const struct room *room);
/* Takes it. 0; MPROC_EDIED: taken; MPROC_ETIMEDOUT; an error of the system's. */
int lock_take(struct room *room, uint64_t depth, deadline until);
/* Gives it up, however often this thread, which holds it, has acquired it; returns how often. */
uint64_t lock_give(struct room *room);

#endif
