/* SPDX-License-Identifier: MIT */
#include "sync/turnstile.h"

#include <uv.h>

#include "mproc/core.h"
#include "sync/word.h"

uint64_t turnstile_patience = 1000000;

/* Taking ------------------------------------------------------------------------------------------------------- */

static bool take_of_count(struct cell *cell) {
    uint64_t value = word_load(&cell->value);
    while (value > 0 && !word_change(&cell->value, value, value - 1)) {
        value = word_load(&cell->value);
    }
    return value > 0;
}

static bool take_permit(struct cell *cell, unsigned permits, uint64_t holder) {
    for (unsigned i = 0; i < permits; i++) {
        if (word_change(&cell->permits[i], 0, holder)) {
            return true;
        }
    }
    return false;
}

/* What is reserved is for those who are entitled. */
static bool try_take(struct room *room, unsigned permits, uint64_t holder, bool is_entitled) {
    uint64_t memory = step_memory_now();
    bool is_taken = false;
    if (is_entitled || !word_has(&room->cell->flags, CELL_RESERVED)) {
        is_taken = permits == 0 ? take_of_count(room->cell) : take_permit(room->cell, permits, holder);
    }
    step_learned(memory, is_taken);
    return is_taken;
}

/* Something may be free: whoever has waited longest is to look. */
void turnstile_wake_next(struct room *room) {
    if (room_wake(room, 1) > 0) {
        return;
    }
    (void)word_clear(&room->cell->flags, CELL_WAITED_FOR);
    if (room_is_waited_in(room)) { /* since then */
        word_set(&room->cell->flags, CELL_WAITED_FOR);
        (void)room_wake(room, 1);
    }
}

/* Having a slot; returns how it ended. */
static int wait_in_slot(struct room *room, int slot, unsigned permits, uint64_t holder, deadline until) {
    uint64_t begin = uv_hrtime(), memory = step_memory_now();
    bool was_woken = false, reserves = false;
    int status = 0;
    for (;;) {
        step_learned(memory, (uint64_t)was_woken << 1 | reserves);
        room_wait_on(room, slot);
        word_set(&room->cell->flags, CELL_WAITED_FOR | (reserves ? CELL_RESERVED : 0));
        if (try_take(room, permits, holder, was_woken)) {
            break;
        }
        status = room_sleep(room, slot, until);
        if (status != 0) {
            break;
        }
        reserves = was_woken && uv_hrtime() - begin >= turnstile_patience;
        was_woken = true;
    }
    bool is_woken = room_leave(room, slot);
    if (reserves) {
        (void)word_clear(&room->cell->flags, CELL_RESERVED);
    }
    if (status != 0 && (is_woken || reserves)) {
        turnstile_wake_next(room); /* what this thread does not take */
    }
    return status;
}

static int take(struct room *room, unsigned permits, uint64_t holder, deadline until) {
    uint64_t memory = step_memory_now();
    if (try_take(room, permits, holder, false)) {
        return 0;
    }
    if (until == DEADLINE_NOW) {
        return MPROC_ETIMEDOUT;
    }
    int slot = room_enter_in_time(room, room_draw_ticket(room), until);
    step_learned(memory, (uint64_t)slot);
    return slot < 0 ? slot : wait_in_slot(room, slot, permits, holder, until);
}

int turnstile_take(struct room *room, unsigned permits, uint64_t holder, deadline until) {
    int status = take(room, permits, holder, until);
    return status == 0 ? turnstile_ask_for_deaths(room->cell) : status;
}

/* Giving back -------------------------------------------------------------------------------------------------- */

static bool give_to_count(struct cell *cell) {
    uint64_t value = word_load(&cell->value), limit = word_load(&cell->limit);
    while (value < limit && !word_change(&cell->value, value, value + 1)) {
        value = word_load(&cell->value);
    }
    return value < limit;
}

static bool give_own_permit(struct room *room, unsigned permits, uint64_t holder) {
    for (unsigned i = 0; i < permits; i++) {
        if (turnstile_give_permit(room, i, holder)) {
            return true;
        }
    }
    return false;
}

static bool give_any_permit(struct room *room, unsigned permits) {
    for (unsigned i = 0; i < permits; i++) {
        uint64_t holder = word_load(&room->cell->permits[i]);
        if (holder != 0 && turnstile_give_permit(room, i, holder)) {
            return true;
        }
    }
    return false;
}

bool turnstile_give(struct room *room, unsigned permits, uint64_t holder, bool any_holder) {
    if (permits > 0) {
        return give_own_permit(room, permits, holder) || (any_holder && give_any_permit(room, permits));
    }
    bool is_given = give_to_count(room->cell);
    if (is_given) {
        turnstile_pass_on(room);
    }
    return is_given;
}

uint64_t turnstile_count(struct room *room, unsigned permits) {
    uint64_t count = permits == 0 ? word_load(&room->cell->value) : 0;
    for (unsigned i = 0; i < permits; i++) {
        count += word_load(&room->cell->permits[i]) == 0;
    }
    return count;
}

/* Deaths ------------------------------------------------------------------------------------------------------- */

static void free_permits(struct cell *cell, unsigned permits, uint32_t process) {
    for (unsigned i = 0; i < permits; i++) {
        uint64_t holder = word_load(&cell->permits[i]);
        if (holder != 0 && (uint32_t)(holder & 0xFFFFFF) == process) {
            word_set(&cell->flags, CELL_DIED); /* before anybody can take it */
            word_store(&cell->permits[i], 0);
        }
    }
}

void turnstile_forget(struct room *room, unsigned permits, uint32_t process) {
    free_permits(room->cell, permits, process);
    (void)room_forget(room, process);
    (void)word_clear(&room->cell->flags, CELL_RESERVED); /* whoever reserved it may be dead; others will do so again */
    if (room_is_waited_in(room)) {
        uint64_t count = turnstile_count(room, permits);
        word_set(&room->cell->flags, CELL_WAITED_FOR);
        (void)room_wake(room, count < CELL_SLOTS ? (unsigned)count + 1 : CELL_SLOTS);
    }
}
