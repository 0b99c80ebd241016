/* SPDX-License-Identifier: MIT */
/* The items of a queue that are in its owner's memory: first in, first out. Small ones lie side by side in blocks, since
 * memory of its own for each would cost more than all else that is done to it. A zeroed backlog is empty and valid. */
#ifndef MPROC_QUEUE_BACKLOG_H
#define MPROC_QUEUE_BACKLOG_H

#include "hub/payload.h"

struct backlog {
    struct backlog_block *first, *last;
    size_t count;
};

/* The first item, as it stands there. */
struct backlog_item {
    unsigned mark;
    const void *data;
    size_t size;
    struct payload *payload; /* NULL: it is these bytes and nothing else */
};

/* Adds a copy of what a payload of this mark has, and no handles. MPROC_ENOMEM. */
int backlog_append(struct backlog *backlog, unsigned mark, const void *data, size_t size);
/* Adds a payload, which is taken where that succeeds. MPROC_ENOMEM. */
int backlog_append_payload(struct backlog *backlog, struct payload *payload);

/* Moves all of `items` to the front. */
void backlog_prepend(struct backlog *backlog, struct backlog *items);

/* false: there is none. */
bool backlog_peek(const struct backlog *backlog, struct backlog_item *item);
/* Takes the first item out; there is one. MPROC_ENOMEM: it stays. */
int backlog_take(struct backlog *backlog, struct payload *payload);
/* Drops it. */
void backlog_remove(struct backlog *backlog);

void backlog_clear(struct backlog *backlog);

#endif
