/* SPDX-License-Identifier: MIT */
/* A barrier's state. One word tells the round, how many have arrived in it, whether it is broken, and of the last rounds which
 * came to their end: 16, 16, 1 and 31 bits. So each step of it is one compare-and-replace, and a waiter learns from the word alone
 * what became of its round, whoever was to wake it. */
#ifndef MPROC_SYNC_PARTY_H
#define MPROC_SYNC_PARTY_H

#include "sync/room.h"

#define PARTIES_MAX CELL_SLOTS

/* Arrives and waits for all the others. The order of arrival, from 0; MPROC_ECLOSED: the barrier is or was broken;
 * MPROC_ETIMEDOUT: not all came in time, and the barrier is broken now; an error of the system's. */
int party_wait(struct room *room, deadline until);
void party_break(struct room *room);
/* Those who wait are told that it was broken; for those who come, it is as new. */
void party_reset(struct room *room);
/* In the program's first process: a process has ended. */
void party_forget(struct room *room, uint32_t process);

#endif
