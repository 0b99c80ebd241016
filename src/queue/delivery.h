/* SPDX-License-Identifier: MIT */
/* The front of a queue in shared memory, from which consumers take items without a system call.
 *
 * The queue's owner lays items out in order; each has a slot, and each slot one word that says all: which item it has, and
 * whether that is ready, taken by someone who is copying it, or gone. Taking is one compare-and-replace of this word, so
 * that the owner can tell, whenever a process dies, exactly which items it was copying: those it makes ready again. */
#ifndef MPROC_QUEUE_DELIVERY_H
#define MPROC_QUEUE_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

#define DELIVERY_SLOTS 1024
#define DELIVERY_CAPACITY ((size_t)1 << 18)
#define DELIVERY_ITEM_MAX (DELIVERY_CAPACITY / 16)

#define DELIVERY_NOBODY 0

struct delivery_slot {
    atomic_number word;
    uint32_t place, size;
};

/* As it lies in shared memory, zeroed at first. */
struct delivery {
    atomic_number front; /* all items before this one are gone; it only saves a search, and consumers move it */
    uint8_t gap[56];
    struct delivery_slot slots[DELIVERY_SLOTS];
    uint8_t bytes[DELIVERY_CAPACITY];
};

/* What the owner remembers of it. Items are numbered from 1. */
struct delivery_owner {
    struct delivery *shared;
    uint64_t next;       /* the number of the item that is laid out next */
    uint64_t first;      /* the first that is not known to be gone */
    uint64_t begin, end; /* of the bytes in use: only grow, and stand at their rest by the capacity */
};

/* An item that has been taken and is being copied. */
struct delivery_item {
    uint64_t number;
    const uint8_t *data;
    size_t size;
    unsigned mark;
};

enum delivery_result { DELIVERY_TAKEN, DELIVERY_EMPTY, DELIVERY_OTHER_KIND };

/* For the owner: */

void delivery_begin(struct delivery_owner *owner, struct delivery *shared);

/* Lays an item out. mark: 1 to 7; its last two bits are the item's kind. taker: who has taken it already; DELIVERY_NOBODY: it is ready for anyone. Returns its
 * number; 0: there is no room now, or it is over DELIVERY_ITEM_MAX. */
uint64_t delivery_add(struct delivery_owner *owner, unsigned mark, const void *data, size_t size, uint32_t taker);

/* Takes an item back that nobody has taken; false: somebody has. */
bool delivery_withdraw(struct delivery_owner *owner, uint64_t number);
/* Who has taken the item and is copying it; 0: nobody. */
uint32_t delivery_taker(const struct delivery_owner *owner, uint64_t number);
/* The item is gone, whatever its taker says. */
void delivery_drop(struct delivery_owner *owner, uint64_t number);

/* Makes all that a taker was copying ready again. Whether there was any. */
bool delivery_return(struct delivery_owner *owner, uint32_t taker);

/* How many items are ready. */
size_t delivery_count(const struct delivery_owner *owner);

/* Calls `visit` for each item that is ready, in order. */
void delivery_visit(const struct delivery_owner *owner, void (*visit)(void *context, const struct delivery_item *item),
                    void *context);

/* For anyone: */

/* Takes the first item that is ready, where it is of this kind. */
enum delivery_result delivery_take(struct delivery *shared, unsigned kind, uint32_t taker, struct delivery_item *item);

/* An item of which the owner has said that it is taken for this taker; false: it is not there. */
bool delivery_find(struct delivery *shared, uint64_t number, uint32_t taker, struct delivery_item *item);

/* Whether any item is ready. */
bool delivery_has_ready(struct delivery *shared);

/* Whether the item behind this one is ready, too. */
bool delivery_has_next(struct delivery *shared, const struct delivery_item *item);

/* The item has been copied; or it goes back to where it was. */
void delivery_finish(struct delivery *shared, const struct delivery_item *item);
void delivery_give_back(struct delivery *shared, const struct delivery_item *item);

#endif
