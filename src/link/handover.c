/* SPDX-License-Identifier: MIT */
#include "link/handover.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/passage.h"
#include "spawn/runtime.h"

int handover_send(handle passage, struct message *message) {
    uint64_t tickets[PASSAGE_HANDLES_MAX];
    size_t count = message->handle_count;
    if (count == 0) {
        return 0;
    }
    if (count > PASSAGE_HANDLES_MAX) {
        return error_set(MPROC_ERANGE, 0,
                         "the references in a message stand for %llu handles; at most %d can go together, so "
                         "send several messages",
                         (unsigned long long)count, PASSAGE_HANDLES_MAX);
    }
    int status = buffer_reserve(&message->bytes, count * FRAME_TICKET_SIZE);
    if (status == 0) {
        status = passage_send(passage, runtime.root_pid, message->handles, count, tickets);
    }
    return status == 0 ? buffer_append(&message->bytes, tickets, count * FRAME_TICKET_SIZE) : status;
}

static void read_tickets(const uint8_t *end, size_t count, uint64_t *tickets) {
    memcpy(tickets, end - count * FRAME_TICKET_SIZE, count * FRAME_TICKET_SIZE); /* they need not be aligned there */
}

void handover_withdraw(handle passage, const struct message *message) {
    uint64_t tickets[PASSAGE_HANDLES_MAX];
    if (message->handle_count > 0) {
        read_tickets(message->bytes.data + message->bytes.size, message->handle_count, tickets);
        passage_withdraw(passage, runtime.root_pid, tickets, message->handle_count);
    }
}

int handover_receive(handle passage, const struct frame *frame, struct message *message) {
    uint64_t tickets[PASSAGE_HANDLES_MAX];
    size_t count = frame->handle_count;
    if (count == 0) {
        return 0;
    }
    if (count > PASSAGE_HANDLES_MAX) {
        return error_set(MPROC_EINVAL, 0, "what arrived is not a message of mproc: it has too many handles");
    }
    message->handles = memory_allocate(count * sizeof *message->handles);
    if (message->handles == NULL) {
        return MPROC_ENOMEM;
    }
    message->handle_capacity = count;
    read_tickets(frame->body + frame->size, count, tickets);
    int status = passage_receive(passage, runtime.root_pid, tickets, count, message->handles);
    message->handle_count = status == 0 ? count : 0;
    return status;
}
