/* SPDX-License-Identifier: MIT */
/* Hands open handles to another process, beside a pipe that carries the bytes.
 *
 * POSIX: a pair of sockets (SCM_RIGHTS); what was sent and never received is closed by the system when the receiving
 * end is. A ticket is 0 there: handles arrive in the order in which they were sent.
 * Windows: there is nothing to open, both ends are HANDLE_INVALID. A handle on its way is held by the first process of
 * the program (`root`), and the ticket, which the sender writes into its message, is its number there. */
#ifndef MPROC_PLATFORM_PASSAGE_H
#define MPROC_PLATFORM_PASSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/handle.h"

/* Makes the two ends; each sends and receives. */
int passage_create(handle *a, handle *b);

/* Sends a copy of a handle; the original stays open. Waits while too many are on their way.
 * Returns 0 and the ticket; MPROC_ECLOSED (no message): the other end is gone; MPROC_ESYSTEM. */
int passage_send(handle passage, int root, handle sent, uint64_t *ticket);

/* For a handle whose message could not be written after all: closes what the ticket stands for, where the system does not
 * do that by itself when the other end goes. */
void passage_withdraw(int root, uint64_t ticket);

/* Whether a ticket that nobody receives stays open, so that an end that is closed must receive what is left first. */
bool passage_keeps_tickets(void);

/* Receives the handle of this ticket; not to be inherited; the caller's. MPROC_ECLOSED (no message); MPROC_ESYSTEM. */
int passage_receive(handle passage, int root, uint64_t ticket, handle *received);

#endif
