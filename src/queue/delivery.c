/* SPDX-License-Identifier: MIT */
#include "queue/delivery.h"

#include <string.h>

#include "base/step.h"

#define ALIGNMENT ((size_t)16)

/* A slot's word: the item's number, its kind, what is with it, and who has taken it. */
enum slot_state { SLOT_READY = 1, SLOT_TAKEN, SLOT_GONE };

#define STATE_BITS 2
#define KIND_BITS 2
#define TAKER_BITS 24
#define NUMBER_SHIFT (STATE_BITS + KIND_BITS + TAKER_BITS)

static uint64_t make_word(uint64_t number, unsigned kind, uint32_t taker, enum slot_state state) {
    return number << NUMBER_SHIFT | (uint64_t)taker << (STATE_BITS + KIND_BITS) | (uint64_t)kind << STATE_BITS |
           (uint64_t)state;
}

static uint64_t number_of(uint64_t word) {
    return word >> NUMBER_SHIFT;
}

static uint32_t taker_of(uint64_t word) {
    return (uint32_t)(word >> (STATE_BITS + KIND_BITS)) & ((1u << TAKER_BITS) - 1);
}

static unsigned kind_of(uint64_t word) {
    return (unsigned)(word >> STATE_BITS) & ((1u << KIND_BITS) - 1);
}

static enum slot_state state_of(uint64_t word) {
    return (enum slot_state)(word & ((1u << STATE_BITS) - 1));
}

static struct delivery_slot *slot_of(struct delivery *shared, uint64_t number) {
    return &shared->slots[number % DELIVERY_SLOTS];
}

/* Only forward: what is gone does not come back. */
static void raise_front(struct delivery *shared, uint64_t number) {
    uint64_t front = atomic_load_acquire(&shared->front);
    while (front < number && !atomic_compare_replace(&shared->front, front, number)) {
        front = atomic_load_acquire(&shared->front);
    }
}

/* The owner ---------------------------------------------------------------------------------------------------- */

void delivery_begin(struct delivery_owner *owner, struct delivery *shared) {
    memset(owner, 0, sizeof *owner);
    owner->shared = shared;
    owner->next = owner->first = 1;
    atomic_store_release(&shared->front, 1);
}

static size_t bytes_of(const struct delivery_slot *slot) {
    return (slot->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool is_gone(const struct delivery_slot *slot) {
    return state_of(atomic_load_acquire(&slot->word)) == SLOT_GONE;
}

/* Lets go of what stands in front and is gone. Nobody may search for it any more when its slot is used again. */
static void reclaim(struct delivery_owner *owner) {
    while (owner->first < owner->next && is_gone(slot_of(owner->shared, owner->first))) {
        const struct delivery_slot *slot = slot_of(owner->shared, owner->first);
        size_t offset = (size_t)(owner->begin % DELIVERY_CAPACITY);
        owner->begin += offset != slot->place ? DELIVERY_CAPACITY - offset : 0; /* what was left free at the end */
        owner->begin += bytes_of(slot);
        owner->first++;
    }
    raise_front(owner->shared, owner->first);
}

/* Where `size` bytes can stand; false: nowhere now. */
static bool reserve(struct delivery_owner *owner, size_t size, uint32_t *place) {
    size_t offset = (size_t)(owner->end % DELIVERY_CAPACITY);
    size_t needed = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t skipped = needed > DELIVERY_CAPACITY - offset ? DELIVERY_CAPACITY - offset : 0;
    if (owner->end + skipped + needed - owner->begin > DELIVERY_CAPACITY) {
        return false;
    }
    owner->end += skipped + needed;
    *place = skipped > 0 ? 0 : (uint32_t)offset;
    return true;
}

uint64_t delivery_add(struct delivery_owner *owner, unsigned kind, const void *data, size_t size, uint32_t taker) {
    uint32_t place = 0;
    reclaim(owner);
    if (size > DELIVERY_ITEM_MAX || owner->next - owner->first == DELIVERY_SLOTS || !reserve(owner, size, &place)) {
        return 0;
    }
    uint64_t number = owner->next++;
    struct delivery_slot *slot = slot_of(owner->shared, number);
    slot->place = place;
    slot->size = (uint32_t)size;
    if (size > 0) {
        memcpy(owner->shared->bytes + place, data, size);
    }
    step();
    atomic_store_release(&slot->word,
                         make_word(number, kind, taker, taker == DELIVERY_NOBODY ? SLOT_READY : SLOT_TAKEN));
    return number;
}

bool delivery_return(struct delivery_owner *owner, uint32_t taker) {
    bool has_returned = false;
    for (uint64_t number = owner->first; number < owner->next; number++) {
        struct delivery_slot *slot = slot_of(owner->shared, number);
        uint64_t word = atomic_load_acquire(&slot->word);
        if (state_of(word) == SLOT_TAKEN && taker_of(word) == taker) {
            atomic_store_release(&slot->word, make_word(number, kind_of(word), DELIVERY_NOBODY, SLOT_READY));
            has_returned = true;
        }
    }
    return has_returned;
}

size_t delivery_count(const struct delivery_owner *owner) {
    size_t count = 0;
    for (uint64_t number = owner->first; number < owner->next; number++) {
        count += state_of(atomic_load_acquire(&slot_of(owner->shared, number)->word)) == SLOT_READY;
    }
    return count;
}

/* Anyone ------------------------------------------------------------------------------------------------------- */

static void describe(struct delivery *shared, uint64_t word, struct delivery_item *item) {
    const struct delivery_slot *slot = slot_of(shared, number_of(word));
    item->number = number_of(word);
    item->kind = kind_of(word);
    item->data = shared->bytes + slot->place;
    item->size = slot->size;
}

enum delivery_result delivery_take(struct delivery *shared, unsigned kind, uint32_t taker, struct delivery_item *item) {
    uint64_t gone = atomic_load_acquire(&shared->front), number = gone;
    for (;;) {
        struct delivery_slot *slot = slot_of(shared, number);
        uint64_t word = atomic_load_acquire(&slot->word);
        step();
        if (number_of(word) < number) {
            return DELIVERY_EMPTY; /* not laid out yet */
        }
        if (number_of(word) > number) {
            gone = number = atomic_load_acquire(&shared->front); /* overtaken: this one is long gone */
        } else if (state_of(word) == SLOT_READY && kind_of(word) != kind) {
            return DELIVERY_OTHER_KIND;
        } else if (state_of(word) != SLOT_READY) {
            gone += state_of(word) == SLOT_GONE && gone == number;
            number++;
        } else if (atomic_compare_replace(&slot->word, word, make_word(number, kind, taker, SLOT_TAKEN))) {
            step();
            raise_front(shared, gone);
            describe(shared, word, item);
            return DELIVERY_TAKEN;
        }
    }
}

bool delivery_find(struct delivery *shared, uint64_t number, uint32_t taker, struct delivery_item *item) {
    uint64_t word = atomic_load_acquire(&slot_of(shared, number)->word);
    if (number_of(word) != number || state_of(word) != SLOT_TAKEN || taker_of(word) != taker) {
        return false;
    }
    describe(shared, word, item);
    return true;
}

void delivery_finish(struct delivery *shared, const struct delivery_item *item) {
    step();
    atomic_store_release(&slot_of(shared, item->number)->word,
                         make_word(item->number, item->kind, DELIVERY_NOBODY, SLOT_GONE));
}

void delivery_give_back(struct delivery *shared, const struct delivery_item *item) {
    atomic_store_release(&slot_of(shared, item->number)->word,
                         make_word(item->number, item->kind, DELIVERY_NOBODY, SLOT_READY));
}
