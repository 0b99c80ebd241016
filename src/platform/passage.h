/* SPDX-License-Identifier: MIT */
/* Hands open handles to another process, beside a pipe that carries the bytes.
 *
 * A ticket stands for each handle on its way; the sender writes it into its message, and the receiver takes it from there.
 * POSIX: a pair of sockets (SCM_RIGHTS); what was sent and never received is closed by the system when the receiving
 * end is. A ticket is 0 there: handles arrive in the order in which they were sent.
 * Windows: a passage is the process in whose table the handles wait, and a ticket is a handle's number there. Whoever sends
 * over a connection does not know which process will receive, so that copies wait in the program's first process, `root`, and
 * both ends are HANDLE_INVALID. Between the first process and one that it knows, a passage is a handle of the latter: what
 * that one sends are its own handles, which it keeps until they have been received. */
#ifndef MPROC_PLATFORM_PASSAGE_H
#define MPROC_PLATFORM_PASSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/handle.h"

/* As many handles as one message can have: what is sent together arrives together or not at all. */
#define PASSAGE_HANDLES_MAX 250

/* Makes the two ends; each sends and receives. */
int passage_create(handle *a, handle *b);

/* Sends copies of 1 to PASSAGE_HANDLES_MAX handles, all or none; the originals stay open. Waits while too many are on their
 * way. Returns 0 and the tickets; MPROC_ECLOSED (no message): the other end is gone; MPROC_ESYSTEM. */
int passage_send(handle passage, int root, const handle *sent, size_t count, uint64_t *tickets);

/* For handles whose message could not be written after all: closes what the tickets stand for, where the system does not
 * do that by itself when the other end goes. */
void passage_withdraw(handle passage, int root, const uint64_t *tickets, size_t count);

/* Whether a ticket that nobody receives stays open, so that an end that is closed must receive what is left first. */
bool passage_keeps_tickets(void);

/* Receives the handles of these tickets, as they were sent together; not to be inherited; the caller's. On failure none is.
 * MPROC_ECLOSED (no message); MPROC_ESYSTEM. */
int passage_receive(handle passage, int root, const uint64_t *tickets, size_t count, handle *received);

#endif
