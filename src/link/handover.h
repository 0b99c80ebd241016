/* SPDX-License-Identifier: MIT */
/* The handles of a message: they go through a passage, ahead of the frame, which ends with their tickets. */
#ifndef MPROC_LINK_HANDOVER_H
#define MPROC_LINK_HANDOVER_H

#include "link/frame.h"
#include "value/message.h"

/* Sends copies of the message's handles and appends their tickets to its bytes. 0; MPROC_ERANGE: more than
 * PASSAGE_HANDLES_MAX; MPROC_ECLOSED (no message); MPROC_ENOMEM; MPROC_ESYSTEM. */
int handover_send(handle passage, struct message *message);

/* Undoes handover_send, where the frame could not be written. */
void handover_withdraw(handle passage, const struct message *message);

/* Receives the handles that go along with a frame into an empty message. Errors as passage_receive, or MPROC_ENOMEM. */
int handover_receive(handle passage, const struct frame *frame, struct message *message);

#endif
