/* SPDX-License-Identifier: MIT */
/* Where threads of any processes wait for something of a cell's: each in a slot of its own, which tells whose it is, so that
 * those of a dead process can be forgotten, and in the order of their arrival, so that none is passed over.
 *
 * A slot's word: its state in 8 bits, the number of its process in 24, its ticket in 32. */
#ifndef MPROC_SYNC_ROOM_H
#define MPROC_SYNC_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "sync/cell.h"

enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_WOKEN };

struct room;

/* Sleeping and waking as the system has it, or by way of the hub. */
struct room_system {
    /* Sleeps while the low half of the word is `seen`, or for a shorter time. 0; MPROC_ETIMEDOUT; an error of the system's. */
    int (*sleep)(struct room *room, atomic_number *word, uint32_t seen, deadline until);
    /* Wakes all who sleep on the word. */
    void (*wake)(struct room *room, atomic_number *word);
};

/* A cell as one process uses it. */
struct room {
    struct cell *cell;
    const struct room_system *system;
    uint32_t process; /* its number, from 1; other processes' are others */
};

/* The next one: those who draw it earlier are woken earlier. */
uint32_t room_draw_ticket(struct room *room);
/* Takes a slot, in which this thread waits from now on. -1: all are taken. */
int room_enter(struct room *room, uint32_t ticket);
/* The same, but waits for a slot where all are taken. MPROC_ETIMEDOUT; an error of the system's. */
int room_enter_in_time(struct room *room, uint32_t ticket, deadline until);
/* Gives the slot another ticket. Nobody has cause to wake it now. */
void room_exchange_ticket(struct room *room, int slot, uint32_t ticket);

/* Sleeps until the slot is not waiting any more. 0; MPROC_ETIMEDOUT; an error of the system's. */
int room_sleep(struct room *room, int slot, deadline until);
/* Waits on with the same ticket, where it was woken. */
void room_wait_on(struct room *room, int slot);
/* Gives the slot back. Whether it was woken. */
bool room_leave(struct room *room, int slot);

/* Wakes those who have waited longest, at most so many. Returns how many. */
unsigned room_wake(struct room *room, unsigned count);
/* Wakes all who wait. */
void room_wake_all(struct room *room);
bool room_is_waited_in(struct room *room);

/* In the program's first process. Frees the slots of one that has ended. Returns how many of them had been woken. */
unsigned room_forget(struct room *room, uint32_t process);
/* Whether it has a slot with this ticket. */
bool room_has(struct room *room, uint32_t process, uint32_t ticket);

#endif
