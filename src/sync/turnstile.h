/* SPDX-License-Identifier: MIT */
/* What is taken by one at a time, and given back: a lock's single permit, a semaphore's several, or a bare count.
 *
 * Taking what is free is one compare-and-replace. Whoever finds nothing waits in the cell's room; giving something back wakes who
 * has waited longest. What is free may be taken by a newcomer before the woken one comes, which is fast, but after a
 * millisecond of waiting it is reserved for those who wait, so that none starves.
 *
 * A death at any instant leaves each permit free or with its holder's number in it, and at worst somebody asleep who should
 * be awake: turnstile_forget sees to both. */
#ifndef MPROC_SYNC_TURNSTILE_H
#define MPROC_SYNC_TURNSTILE_H

#include "mproc/core.h"
#include "sync/room.h"
#include "sync/word.h"

/* A thread as a holder: never 0. */
static inline uint64_t holder_make(uint32_t process, uint32_t thread) {
    return (uint64_t)process | (uint64_t)thread << 24;
}

/* For those who are in a hurry: a permit that is free, and not reserved. */
static inline bool turnstile_take_quickly(struct cell *cell, unsigned index, uint64_t holder) {
    return !word_has(&cell->flags, CELL_RESERVED) && word_change(&cell->permits[index], 0, holder);
}

/* Having taken one: 0, or MPROC_EDIED where this is who is to be told that a holder has died. */
static inline int turnstile_ask_for_deaths(struct cell *cell) {
    return word_has(&cell->flags, CELL_DIED) && word_clear(&cell->flags, CELL_DIED) ? MPROC_EDIED : 0;
}

void turnstile_wake_next(struct room *room);

/* Having given something back: whoever waits for it is woken. */
static inline void turnstile_pass_on(struct room *room) {
    if (word_has(&room->cell->flags, CELL_WAITED_FOR)) {
        turnstile_wake_next(room);
    }
}

/* Gives this permit back, where it is the holder's. */
static inline bool turnstile_give_permit(struct room *room, unsigned index, uint64_t holder) {
    bool is_given = word_change(&room->cell->permits[index], holder, 0);
    if (is_given) {
        turnstile_pass_on(room);
    }
    return is_given;
}

/* permits: so many, with holders; 0: a count without. 0; MPROC_EDIED: taken, but a holder before has died; MPROC_ETIMEDOUT; an error of the system's. */
int turnstile_take(struct room *room, unsigned permits, uint64_t holder, deadline until);

/* Gives one back. false: there is none of this holder's (of anybody's, where any_holder); or the count is at its limit. */
bool turnstile_give(struct room *room, unsigned permits, uint64_t holder, bool any_holder);

/* How many are free. */
uint64_t turnstile_count(struct room *room, unsigned permits);

/* In the program's first process: a process has ended. */
void turnstile_forget(struct room *room, unsigned permits, uint32_t process);

/* For tests: nanoseconds of waiting in vain after which what is free is reserved. */
extern uint64_t turnstile_patience;

#endif
