/* SPDX-License-Identifier: MIT */
/* The first process's side of what another process asks of shared objects, from its knock at the door to its end. */
#ifndef MPROC_HUB_SESSION_H
#define MPROC_HUB_SESSION_H

#include "hub/object.h"
#include "platform/door.h"

/* A process has knocked: takes its ends. On the hub's thread. */
void session_begin(const struct door_visitor *visitor);

/* A call of a session's is done: sends the answer. With the objects' lock. */
void session_answer(struct call *call);

/* The number of a session's process: see call_taker. */
uint32_t session_number(const struct session *session);

/* Has each process look again at what it believes of closed objects, before its next posting. With the objects' lock. */
void sessions_note_closure(void);

/* Carries out what the processes have posted so far. With the objects' lock. */
void sessions_drain(void);

/* For tests: how many processes have a session now. */
size_t sessions_count(void);

/* Ends them all. On the hub's thread. */
void sessions_end_all(void);

#endif
