/* SPDX-License-Identifier: MIT */
/* Where a queue's large items stand: slots in shared memory, which are used again and again, so that their pages are there
 * already, and from which items are read in place.
 *
 * A slot has one word, which says whose it is, so that nothing stays behind when a process dies: the queue's owner frees
 * what the dead one was filling or reading, and what belongs to an item in the queue stays. */
#ifndef MPROC_QUEUE_STORE_H
#define MPROC_QUEUE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

/* Smaller items go with their messages; see bench/README.md. */
#define STORE_ITEM_MIN ((size_t)1 << 13)

#define STORE_SLOTS 32
#define STORE_SLOT_SIZE ((size_t)1 << 21)

/* As it lies in shared memory, zeroed at first. Each slot begins with a page, whatever the system's pages are. */
struct store {
    atomic_number words[STORE_SLOTS];
    uint8_t gap[((size_t)1 << 16) - STORE_SLOTS * sizeof(atomic_number)];
    uint8_t bytes[STORE_SLOTS][STORE_SLOT_SIZE];
};

/* What a payload says of an item that is in a store. */
struct stored_item {
    uint64_t slot, size;
};

/* Whether such an item can be there. */
bool store_has(const struct stored_item *item);

/* For any process, which tells its number: */

/* Finds a free slot and fills it; false: there is none, or the item is too large for one. */
bool store_fill(struct store *store, uint32_t process, const void *data, size_t size, struct stored_item *item);
/* An item of the queue's is this process's from now on: it was taken out, and is being read in place. */
void store_use(struct store *store, uint32_t process, const struct stored_item *item);
/* What was filled but never put, or has been read, is free again. */
void store_free(struct store *store, const struct stored_item *item);

/* For the queue's owner: */

/* The item is the queue's from now on, whoever filled it or began to use it. */
void store_keep(struct store *store, const struct stored_item *item);
/* A process has died: what was its own is free again. */
void store_forget(struct store *store, uint32_t process);

#endif
