/* SPDX-License-Identifier: MIT */
/* A lock whose wait can have a limit: callers of one thing wait for their turn, each no longer than it wants to. */
#ifndef MPROC_BASE_TURN_H
#define MPROC_BASE_TURN_H

#include <stdbool.h>
#include <uv.h>

#include "base/clock.h"

struct turn {
    uv_mutex_t mutex;
    uv_cond_t given;
    bool taken;
};

/* 0 or MPROC_ENOMEM; after a failure the turn must not be destroyed. */
int turn_create(struct turn *turn);
void turn_destroy(struct turn *turn);

/* 0, and then turn_give follows; MPROC_ETIMEDOUT (no message). */
int turn_take(struct turn *turn, deadline until);
void turn_give(struct turn *turn);

#endif
