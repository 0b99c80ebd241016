/* SPDX-License-Identifier: MIT */
/* What is sent from one process to another: bytes, and the open handles that go along with them. A zeroed one is empty
 * and valid. */
#ifndef MPROC_VALUE_MESSAGE_H
#define MPROC_VALUE_MESSAGE_H

#include <stddef.h>

#include "base/buffer.h"
#include "platform/handle.h"

struct message {
    struct buffer bytes;
    handle *handles; /* owned; HANDLE_INVALID where one has been given away */
    size_t handle_count;
    size_t handle_capacity;
};

/* Adds a handle, which is taken: closed on failure. 0 or MPROC_ENOMEM. */
int message_add_handle(struct message *message, handle added);
/* Makes a message with copies of the handles of another, and no bytes. On failure it is empty. */
int message_copy_handles(const struct message *message, struct message *copy);
/* Closes what handles are left and frees the bytes; the message is then empty and valid. */
void message_clear(struct message *message);

#endif
