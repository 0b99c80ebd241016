/* SPDX-License-Identifier: MIT */
/* A lock whose wait can have a limit: callers of one thing wait for their turn, each no longer than it wants to. */
#ifndef MPROC_BASE_TURN_H
#define MPROC_BASE_TURN_H

#include <stdbool.h>
#include <uv.h>

#include "base/clock.h"

/* Somebody who tries now and then, and does other things in between. */
struct turn_visitor {
    void (*on_given)(void *context); /* the turn that was refused may be had now; never waits */
    void *context;
    bool was_refused;
    struct turn_visitor *next;
};

struct turn {
    uv_mutex_t mutex;
    uv_cond_t given;
    bool taken;
    struct turn_visitor *visitors;
};

/* 0 or MPROC_ENOMEM; after a failure the turn must not be destroyed. */
int turn_create(struct turn *turn);
void turn_destroy(struct turn *turn);

/* 0, and then turn_give follows; MPROC_ETIMEDOUT (no message). */
int turn_take(struct turn *turn, deadline until);
void turn_give(struct turn *turn);

/* Between these two a visitor may try; whether the turn was free: then it is the visitor's, and turn_give follows. */
void turn_enter(struct turn *turn, struct turn_visitor *visitor);
bool turn_try(struct turn *turn, struct turn_visitor *visitor);
void turn_leave(struct turn *turn, const struct turn_visitor *visitor);

bool turn_has_visitors(struct turn *turn);

#endif
