/* SPDX-License-Identifier: MIT */
#include "value/message.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define CAPACITY_MIN 4

int message_add_handle(struct message *message, handle added) {
    if (message->handle_count == message->handle_capacity) {
        size_t capacity = message->handle_capacity > 0 ? message->handle_capacity * 2 : CAPACITY_MIN;
        handle *handles = memory_resize(message->handles, capacity * sizeof *handles);
        if (handles == NULL) {
            handle_close(added);
            return MPROC_ENOMEM;
        }
        message->handles = handles;
        message->handle_capacity = capacity;
    }
    message->handles[message->handle_count++] = added;
    return 0;
}

int message_copy_handles(const struct message *message, struct message *copy) {
    int status = 0;
    memset(copy, 0, sizeof *copy);
    for (size_t i = 0; i < message->handle_count && status == 0; i++) {
        handle duplicate = HANDLE_INVALID;
        status = handle_duplicate(message->handles[i], &duplicate);
        if (status == 0) {
            status = message_add_handle(copy, duplicate);
        }
    }
    if (status != 0) {
        message_clear(copy);
    }
    return status;
}

void message_clear(struct message *message) {
    for (size_t i = 0; i < message->handle_count; i++) {
        handle_close(message->handles[i]);
    }
    memory_free(message->handles);
    buffer_clear(&message->bytes);
    memset(message, 0, sizeof *message);
}
