/* SPDX-License-Identifier: MIT */
#include "sync/room.h"

#include "mproc/core.h"
#include "sync/word.h"

static enum slot_state state_of(uint64_t word) {
    return (enum slot_state)(word & 0xFF);
}

static uint32_t process_of(uint64_t word) {
    return (uint32_t)(word >> 8) & 0xFFFFFF;
}

static uint32_t ticket_of(uint64_t word) {
    return (uint32_t)(word >> 32);
}

static uint64_t make_word(enum slot_state state, uint32_t process, uint32_t ticket) {
    return (uint64_t)state | (uint64_t)process << 8 | (uint64_t)ticket << 32;
}

static int slots_used(const struct room *room) {
    return (int)word_load(&room->cell->slots_used);
}

/* Slots are looked at up to the last one that was ever used. */
static void count_slot(struct room *room, int slot) {
    atomic_number *used = &room->cell->slots_used;
    uint64_t before = atomic_load(used);
    while (before <= (uint64_t)slot && !word_change(used, before, (uint64_t)slot + 1)) {
        before = atomic_load(used);
    }
}

uint32_t room_draw_ticket(struct room *room) {
    return (uint32_t)word_add(&room->cell->last_ticket, 1);
}

int room_enter(struct room *room, uint32_t ticket) {
    uint64_t word = make_word(SLOT_WAITING, room->process, ticket);
    for (int slot = 0; slot < CELL_SLOTS; slot++) {
        if (atomic_load(&room->cell->slots[slot]) == 0) {
            count_slot(room, slot); /* before it is taken: whoever wakes has to see it */
            if (word_change(&room->cell->slots[slot], 0, word)) {
                return slot;
            }
        }
    }
    return -1;
}

int room_enter_in_time(struct room *room, uint32_t ticket, deadline until) {
    struct cell *cell = room->cell;
    for (;;) {
        uint32_t departures = (uint32_t)word_load(&cell->departures);
        int slot = room_enter(room, ticket);
        if (slot < 0) {
            word_set(&cell->flags, CELL_CROWDED);
            slot = room_enter(room, ticket); /* one that was left before that */
        }
        if (slot >= 0) {
            return slot;
        }
        int status = room->system->sleep(room, &cell->departures, departures, until);
        if (status != 0) {
            return status;
        }
    }
}

void room_exchange_ticket(struct room *room, int slot, uint32_t ticket) {
    word_store(&room->cell->slots[slot], make_word(SLOT_WAITING, room->process, ticket));
}

int room_sleep(struct room *room, int slot, deadline until) {
    atomic_number *word = &room->cell->slots[slot];
    for (;;) {
        uint64_t seen = word_load(word);
        if (state_of(seen) != SLOT_WAITING) {
            return 0;
        }
        int status = room->system->sleep(room, word, (uint32_t)seen, until);
        if (status != 0) {
            return status;
        }
    }
}

void room_wait_on(struct room *room, int slot) {
    uint64_t word = atomic_load(&room->cell->slots[slot]); /* where it is woken, nobody else changes it */
    if (state_of(word) == SLOT_WOKEN) {
        word_store(&room->cell->slots[slot], make_word(SLOT_WAITING, room->process, ticket_of(word)));
    }
}

static void note_departure(struct room *room) {
    struct cell *cell = room->cell;
    if (word_has(&cell->flags, CELL_CROWDED) && word_clear(&cell->flags, CELL_CROWDED)) {
        (void)word_add(&cell->departures, 1);
        room->system->wake(room, &cell->departures);
    }
}

bool room_leave(struct room *room, int slot) {
    bool was_woken = state_of(word_swap(&room->cell->slots[slot], 0)) == SLOT_WOKEN;
    note_departure(room);
    return was_woken;
}

/* The waiting slot with the oldest ticket, and its word; -1: there is none. Tickets go around. */
static int find_oldest(const struct room *room, uint64_t *found) {
    int oldest = -1, used = slots_used(room);
    for (int slot = 0; slot < used; slot++) {
        uint64_t word = word_load(&room->cell->slots[slot]);
        bool is_older = oldest < 0 || (int32_t)(ticket_of(word) - ticket_of(*found)) < 0;
        if (state_of(word) == SLOT_WAITING && is_older) {
            oldest = slot;
            *found = word;
        }
    }
    return oldest;
}

/* Wakes who has waited longest. false: nobody waits. */
static bool wake_oldest(struct room *room) {
    uint64_t memory = step_memory_now(), word = 0;
    bool is_woken = false;
    int slot;
    while (!is_woken && (slot = find_oldest(room, &word)) >= 0) {
        uint64_t changed = make_word(SLOT_WOKEN, process_of(word), ticket_of(word));
        is_woken = word_change(&room->cell->slots[slot], word, changed);
        if (is_woken) {
            room->system->wake(room, &room->cell->slots[slot]);
        }
        step_learned(memory, is_woken);
    }
    step_learned(memory, is_woken);
    return is_woken;
}

unsigned room_wake(struct room *room, unsigned count) {
    unsigned woken = 0;
    while (woken < count && wake_oldest(room)) {
        woken++;
    }
    return woken;
}

void room_wake_all(struct room *room) {
    int used = slots_used(room);
    for (int slot = 0; slot < used; slot++) {
        uint64_t word = word_load(&room->cell->slots[slot]);
        if (state_of(word) == SLOT_WAITING &&
            word_change(&room->cell->slots[slot], word, make_word(SLOT_WOKEN, process_of(word), ticket_of(word)))) {
            room->system->wake(room, &room->cell->slots[slot]);
        }
    }
}

bool room_is_waited_in(struct room *room) {
    uint64_t memory = step_memory_now(), word;
    bool is_waited_in = find_oldest(room, &word) >= 0;
    step_learned(memory, is_waited_in);
    return is_waited_in;
}

/* Frees it where it is the dead one's. Whether it had been woken then. */
static bool forget_slot(struct room *room, atomic_number *slot, uint32_t process) {
    uint64_t memory = step_memory_now(), word = word_load(slot);
    bool is_dead = process_of(word) == process, is_woken = state_of(word) == SLOT_WOKEN;
    if (is_dead) {
        is_woken = state_of(word_swap(slot, 0)) == SLOT_WOKEN;
    } else if (is_woken) {
        room->system->wake(room, slot); /* the dead one may have had that before it */
    }
    step_learned(memory, is_dead && is_woken);
    return is_dead && is_woken;
}

unsigned room_forget(struct room *room, uint32_t process) {
    uint64_t memory = step_memory_now();
    unsigned woken = 0;
    int used = slots_used(room);
    for (int slot = 0; slot < used; slot++) {
        woken += forget_slot(room, &room->cell->slots[slot], process);
    }
    word_set(&room->cell->flags, CELL_CROWDED); /* it may have died before it told of a departure */
    note_departure(room);
    step_learned(memory, woken);
    return woken;
}

bool room_has(struct room *room, uint32_t process, uint32_t ticket) {
    int used = slots_used(room);
    for (int slot = 0; slot < used; slot++) {
        uint64_t word = word_load(&room->cell->slots[slot]);
        if (process_of(word) == process && ticket_of(word) == ticket) {
            return true;
        }
    }
    return false;
}
