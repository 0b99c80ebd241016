/* SPDX-License-Identifier: MIT */
#include "queue/delivery.h"

#include <string.h>

#include "base/step.h"

#define ALIGNMENT ((size_t)16)

/* A slot's word: the item's number (its last bits: see distance), who has taken it, its mark, and what is with it. */
enum slot_state { SLOT_READY = 1, SLOT_TAKEN, SLOT_GONE };

#define STATE_BITS 2
#define MARK_BITS 3
#define KIND_MASK 3u
#define TAKER_BITS 24
#define NUMBER_SHIFT (STATE_BITS + MARK_BITS + TAKER_BITS)
#define NUMBERS ((uint64_t)1 << (64 - NUMBER_SHIFT)) /* then they begin anew */

static uint64_t make_word(uint64_t number, unsigned mark, uint32_t taker, enum slot_state state) {
    return number << NUMBER_SHIFT | (uint64_t)taker << (STATE_BITS + MARK_BITS) | (uint64_t)mark << STATE_BITS |
           (uint64_t)state;
}

/* How far the word's number is ahead of this one; they are never far apart, so that the last bits tell, for ever. */
static int64_t distance(uint64_t word, uint64_t number) {
    uint64_t ahead = ((word >> NUMBER_SHIFT) - number) % NUMBERS;
    return ahead < NUMBERS / 2 ? (int64_t)ahead : -(int64_t)(NUMBERS - ahead);
}

static uint32_t taker_of(uint64_t word) {
    return (uint32_t)(word >> (STATE_BITS + MARK_BITS)) & ((1u << TAKER_BITS) - 1);
}

static unsigned mark_of(uint64_t word) {
    return (unsigned)(word >> STATE_BITS) & ((1u << MARK_BITS) - 1);
}

static enum slot_state state_of(uint64_t word) {
    return (enum slot_state)(word & ((1u << STATE_BITS) - 1));
}

static struct delivery_slot *slot_of(struct delivery *shared, uint64_t number) {
    return &shared->slots[number % DELIVERY_SLOTS];
}

static void describe(struct delivery *shared, uint64_t number, uint64_t word, struct delivery_item *item) {
    const struct delivery_slot *slot = slot_of(shared, number);
    item->number = number;
    item->mark = mark_of(word);
    item->data = shared->bytes + slot->place;
    item->size = slot->size;
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

/* Lets go of what stands in front and is gone: only when there is no room, since looking at what others write to takes
 * long, and then of all at once. Nobody may search for it any more when its slot is used again. */
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

/* A slot, and where `size` bytes can stand; false: there is no room. */
static bool reserve(struct delivery_owner *owner, size_t size, uint32_t *place) {
    size_t offset = (size_t)(owner->end % DELIVERY_CAPACITY);
    size_t needed = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t skipped = needed > DELIVERY_CAPACITY - offset ? DELIVERY_CAPACITY - offset : 0;
    if (owner->next - owner->first == DELIVERY_SLOTS ||
        owner->end + skipped + needed - owner->begin > DELIVERY_CAPACITY) {
        return false;
    }
    owner->end += skipped + needed;
    *place = skipped > 0 ? 0 : (uint32_t)offset;
    return true;
}

uint64_t delivery_add(struct delivery_owner *owner, unsigned mark, const void *data, size_t size, uint32_t taker) {
    uint32_t place = 0;
    if (size > DELIVERY_ITEM_MAX) {
        return 0;
    }
    if (!reserve(owner, size, &place)) {
        reclaim(owner);
        if (!reserve(owner, size, &place)) {
            return 0;
        }
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
                         make_word(number, mark, taker, taker == DELIVERY_NOBODY ? SLOT_READY : SLOT_TAKEN));
    return number;
}

bool delivery_withdraw(struct delivery_owner *owner, uint64_t number) {
    struct delivery_slot *slot = slot_of(owner->shared, number);
    uint64_t word = atomic_load_acquire(&slot->word);
    return distance(word, number) == 0 && state_of(word) == SLOT_READY &&
           atomic_compare_replace(&slot->word, word, make_word(number, mark_of(word), DELIVERY_NOBODY, SLOT_GONE));
}

uint32_t delivery_taker(const struct delivery_owner *owner, uint64_t number) {
    uint64_t word = atomic_load_acquire(&slot_of(owner->shared, number)->word);
    return distance(word, number) == 0 && state_of(word) == SLOT_TAKEN ? taker_of(word) : 0;
}

void delivery_drop(struct delivery_owner *owner, uint64_t number) {
    struct delivery_slot *slot = slot_of(owner->shared, number);
    uint64_t word = atomic_load_acquire(&slot->word);
    if (distance(word, number) == 0) {
        atomic_store_release(&slot->word, make_word(number, mark_of(word), DELIVERY_NOBODY, SLOT_GONE));
    }
}

bool delivery_return(struct delivery_owner *owner, uint32_t taker) {
    bool has_returned = false;
    for (uint64_t number = owner->first; number < owner->next; number++) {
        struct delivery_slot *slot = slot_of(owner->shared, number);
        uint64_t word = atomic_load_acquire(&slot->word);
        if (state_of(word) == SLOT_TAKEN && taker_of(word) == taker) {
            atomic_store_release(&slot->word, make_word(number, mark_of(word), DELIVERY_NOBODY, SLOT_READY));
            has_returned = true;
        }
    }
    return has_returned;
}

void delivery_visit(const struct delivery_owner *owner, void (*visit)(void *context, const struct delivery_item *item),
                    void *context) {
    for (uint64_t number = owner->first; number < owner->next; number++) {
        uint64_t word = atomic_load_acquire(&slot_of(owner->shared, number)->word);
        struct delivery_item item;
        if (state_of(word) == SLOT_READY) {
            describe(owner->shared, number, word, &item);
            visit(context, &item);
        }
    }
}

static void count_item(void *context, const struct delivery_item *item) {
    (void)item;
    ++*(size_t *)context;
}

size_t delivery_count(const struct delivery_owner *owner) {
    size_t count = 0;
    delivery_visit(owner, count_item, &count);
    return count;
}

/* Anyone ------------------------------------------------------------------------------------------------------- */

/* A search for the first item that is ready. */
struct search {
    uint64_t number; /* where it stands */
    uint64_t gone;   /* all before this one are gone */
    uint64_t word;   /* of what was found */
};

static struct search begin_search(struct delivery *shared) {
    uint64_t front = atomic_load_acquire(&shared->front);
    struct search search = {front, front, 0};
    return search;
}

static bool find_ready(struct delivery *shared, struct search *search) {
    for (;;) {
        search->word = atomic_load_acquire(&slot_of(shared, search->number)->word);
        step();
        int64_t ahead = distance(search->word, search->number);
        if (ahead < 0) {
            return false; /* not laid out yet */
        }
        if (ahead > 0) {
            *search = begin_search(shared); /* overtaken: this one is long gone */
        } else if (state_of(search->word) == SLOT_READY) {
            return true;
        } else {
            search->gone += state_of(search->word) == SLOT_GONE && search->gone == search->number;
            search->number++;
        }
    }
}

enum delivery_result delivery_take(struct delivery *shared, unsigned kind, uint32_t taker, struct delivery_item *item) {
    struct search search = begin_search(shared);
    while (find_ready(shared, &search)) {
        unsigned mark = mark_of(search.word);
        if ((mark & KIND_MASK) != kind) {
            return DELIVERY_OTHER_KIND;
        }
        if (atomic_compare_replace(&slot_of(shared, search.number)->word, search.word,
                                   make_word(search.number, mark, taker, SLOT_TAKEN))) {
            step();
            raise_front(shared, search.gone);
            describe(shared, search.number, search.word, item);
            return DELIVERY_TAKEN;
        } /* else somebody was faster: it is looked at once more */
    }
    return DELIVERY_EMPTY;
}

bool delivery_has_ready(struct delivery *shared) {
    struct search search = begin_search(shared);
    return find_ready(shared, &search);
}

bool delivery_find(struct delivery *shared, uint64_t number, uint32_t taker, struct delivery_item *item) {
    uint64_t word = atomic_load_acquire(&slot_of(shared, number)->word);
    if (distance(word, number) != 0 || state_of(word) != SLOT_TAKEN || taker_of(word) != taker) {
        return false;
    }
    describe(shared, number, word, item);
    return true;
}

bool delivery_has_next(struct delivery *shared, const struct delivery_item *item) {
    uint64_t word = atomic_load(&slot_of(shared, item->number + 1)->word);
    return distance(word, item->number + 1) == 0 && state_of(word) == SLOT_READY;
}

void delivery_finish(struct delivery *shared, const struct delivery_item *item) {
    step();
    atomic_store_release(&slot_of(shared, item->number)->word,
                         make_word(item->number, item->mark, DELIVERY_NOBODY, SLOT_GONE));
}

void delivery_give_back(struct delivery *shared, const struct delivery_item *item) {
    atomic_store_release(&slot_of(shared, item->number)->word,
                         make_word(item->number, item->mark, DELIVERY_NOBODY, SLOT_READY));
}
