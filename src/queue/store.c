/* SPDX-License-Identifier: MIT */
#include "queue/store.h"

#include <string.h>

#include "base/step.h"

/* A slot's word: free, the queue's, or a process's, by its number. */
#define SLOT_FREE 0
#define SLOT_KEPT 1
#define FIRST_PROCESS 2

static uint64_t word_of(uint32_t process) {
    return (uint64_t)process + FIRST_PROCESS;
}

bool store_has(const struct stored_item *item) {
    return item->slot < STORE_SLOTS && item->size <= STORE_SLOT_SIZE;
}

/* Always the first that is free, whose pages were used last. */
static bool claim(struct store *store, uint32_t process, uint64_t *slot) {
    for (uint64_t i = 0; i < STORE_SLOTS; i++) {
        if (atomic_load_any(&store->words[i]) == SLOT_FREE &&
            atomic_compare_replace(&store->words[i], SLOT_FREE, word_of(process))) {
            *slot = i;
            return true;
        }
    }
    return false;
}

bool store_fill(struct store *store, uint32_t process, const void *data, size_t size, struct stored_item *item) {
    item->size = size;
    step();
    if (size > STORE_SLOT_SIZE || !claim(store, process, &item->slot)) {
        return false;
    }
    step();
    memcpy(store->bytes[item->slot], data, size);
    step();
    return true;
}

void store_use(struct store *store, uint32_t process, const struct stored_item *item) {
    step();
    atomic_store_release(&store->words[item->slot], word_of(process));
}

void store_free(struct store *store, const struct stored_item *item) {
    step();
    atomic_store_release(&store->words[item->slot], SLOT_FREE);
}

void store_keep(struct store *store, const struct stored_item *item) {
    atomic_store_release(&store->words[item->slot], SLOT_KEPT);
}

void store_forget(struct store *store, uint32_t process) {
    for (size_t i = 0; i < STORE_SLOTS; i++) {
        (void)atomic_compare_replace(&store->words[i], word_of(process), SLOT_FREE);
    }
}
