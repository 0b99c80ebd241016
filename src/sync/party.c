/* SPDX-License-Identifier: MIT */
#include "sync/party.h"

#include "mproc/core.h"
#include "sync/word.h"

#define ROUND_BITS 16
#define ROUND_MASK ((uint64_t)0xFFFF)
#define BROKEN ((uint64_t)1 << 32)
#define HISTORY_SHIFT 33
#define HISTORY_ROUNDS 31

static uint64_t round_of(uint64_t word) {
    return word & ROUND_MASK;
}

static uint64_t arrived_in(uint64_t word) {
    return word >> ROUND_BITS & ROUND_MASK;
}

/* The next round, in which nobody has arrived; the last one came to its end, or did not. */
static uint64_t next_round(uint64_t word, bool was_completed) {
    uint64_t history = (word >> HISTORY_SHIFT) << 1 | was_completed;
    return history << HISTORY_SHIFT | ((round_of(word) + 1) & ROUND_MASK);
}

/* How many rounds have passed since that one; and whether it came to its end, where any have. Of one that is longer ago than the
 * word tells of, that is not known. */
static uint64_t rounds_since(uint64_t word, uint64_t round, bool *was_completed) {
    uint64_t passed = (round_of(word) - round) & ROUND_MASK;
    *was_completed = passed > 0 && passed <= HISTORY_ROUNDS && (word >> HISTORY_SHIFT >> (passed - 1) & 1) != 0;
    return passed;
}

/* Counts this thread, whose slot has the round for a ticket. The word was *before; false: it is broken. */
static bool arrive(struct room *room, int slot, uint64_t round, uint64_t *before) {
    struct cell *cell = room->cell;
    uint64_t parties = atomic_load(&cell->limit);
    for (;;) {
        uint64_t word = word_load(&cell->value);
        bool is_last = arrived_in(word) + 1 == parties;
        if ((word & BROKEN) != 0) {
            return false;
        }
        if (round_of(word) != round) {
            round = round_of(word);
            room_exchange_ticket(room, slot, (uint32_t)round);
        }
        if (word_change(&cell->value, word, is_last ? next_round(word, true) : word + ((uint64_t)1 << ROUND_BITS))) {
            *before = word;
            return true;
        }
    }
}

/* Breaks this round, where it is still on. */
static void break_round(struct room *room, uint64_t round) {
    uint64_t word = word_load(&room->cell->value);
    while (round_of(word) == round && (word & BROKEN) == 0 && !word_change(&room->cell->value, word, word | BROKEN)) {
        word = word_load(&room->cell->value);
    }
    room_wake_all(room);
}

/* 0; MPROC_ECLOSED; or what ended the wait. */
static int wait_for_end(struct room *room, int slot, uint64_t round, deadline until) {
    for (;;) {
        bool was_completed;
        room_wait_on(room, slot);
        uint64_t word = word_load(&room->cell->value);
        if (rounds_since(word, round, &was_completed) > 0) {
            return was_completed ? 0 : MPROC_ECLOSED;
        }
        if ((word & BROKEN) != 0) {
            return MPROC_ECLOSED;
        }
        int status = room_sleep(room, slot, until);
        if (status != 0) {
            return status;
        }
    }
}

/* Having a slot, whose ticket is that round. */
static int arrive_and_wait(struct room *room, int slot, uint64_t round, deadline until) {
    uint64_t before = 0;
    if (!arrive(room, slot, round, &before)) {
        return MPROC_ECLOSED;
    }
    int order = (int)arrived_in(before);
    if ((uint64_t)order + 1 == atomic_load(&room->cell->limit)) {
        room_wake_all(room);
        return order;
    }
    int status = wait_for_end(room, slot, round_of(before), until);
    if (status != 0 && status != MPROC_ECLOSED) {
        break_round(room, round_of(before));
        bool was_completed; /* while this thread gave up */
        (void)rounds_since(word_load(&room->cell->value), round_of(before), &was_completed);
        status = was_completed ? 0 : status;
    }
    return status == 0 ? order : status;
}

int party_wait(struct room *room, deadline until) {
    uint64_t round = round_of(word_load(&room->cell->value));
    int slot = room_enter_in_time(room, (uint32_t)round, until);
    if (slot < 0) {
        return slot;
    }
    int result = arrive_and_wait(room, slot, round, until);
    (void)room_leave(room, slot);
    return result;
}

void party_break(struct room *room) {
    break_round(room, round_of(word_load(&room->cell->value)));
}

void party_reset(struct room *room) {
    uint64_t word = word_load(&room->cell->value);
    while (!word_change(&room->cell->value, word, next_round(word, false))) {
        word = word_load(&room->cell->value);
    }
    room_wake_all(room);
}

/* The dead one's round is broken, where others wait in it; whom it was to wake are woken. */
void party_forget(struct room *room, uint32_t process) {
    uint64_t word = word_load(&room->cell->value);
    if (arrived_in(word) > 0 && room_has(room, process, (uint32_t)round_of(word))) {
        break_round(room, round_of(word));
    }
    (void)room_forget(room, process);
    room_wake_all(room);
}
