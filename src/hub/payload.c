/* SPDX-License-Identifier: MIT */
#include "hub/payload.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/wire.h"
#include "platform/shared_memory.h"
#include "value/cbor.h"

/* In front of what is to be sent: a frame's header and a request. */
#define ROOM (FRAME_HEADER_SIZE + sizeof(struct wire_request))

static int begin(struct payload *payload, unsigned mark, size_t size) {
    static const uint8_t room[ROOM];
    int status = buffer_reserve(&payload->message.bytes, ROOM + size);
    if (status == 0) {
        status = buffer_append(&payload->message.bytes, room, sizeof room);
    }
    payload->start = ROOM;
    payload->kind = PAYLOAD_KIND_OF(mark);
    payload->place = PAYLOAD_PLACE_OF(mark);
    return status;
}

int payload_set_value(struct payload *payload, const cJSON *value) {
    int status = begin(payload, PAYLOAD_VALUE, 0);
    return status == 0 ? cbor_encode(value, &payload->message) : status;
}

/* Copies the bytes into shared memory. On failure the payload is empty. */
static int copy_outside(struct payload *payload, enum payload_kind kind, const void *data, size_t size) {
    handle memory;
    uint64_t length = size;
    int status = shared_memory_create_from(data, size, &memory);
    if (status == 0) {
        status = message_add_handle(&payload->message, memory);
    }
    if (status == 0) {
        status = payload_copy(payload, (unsigned)kind | PAYLOAD_OUTSIDE, &length, sizeof length);
    }
    if (status != 0) {
        payload_clear(payload);
    }
    return status;
}

int payload_set_bytes(struct payload *payload, const void *data, size_t size) {
    if (size >= PAYLOAD_LARGE && copy_outside(payload, PAYLOAD_BYTES, data, size) == 0) {
        return 0;
    }
    return payload_copy(payload, PAYLOAD_BYTES, data, size);
}

void payload_move_outside(struct payload *payload) {
    struct payload moved;
    memset(&moved, 0, sizeof moved);
    if (payload->kind != PAYLOAD_NONE && payload->place == PAYLOAD_HERE && payload->message.handle_count == 0 &&
        payload_size(payload) >= PAYLOAD_LARGE &&
        copy_outside(&moved, payload->kind, payload_data(payload), payload_size(payload)) == 0) {
        payload_clear(payload);
        *payload = moved;
    }
}

uint8_t payload_mark(const struct payload *payload) {
    return (uint8_t)((unsigned)payload->kind | (unsigned)payload->place);
}

int payload_copy(struct payload *payload, unsigned mark, const void *data, size_t size) {
    int status = begin(payload, mark, size);
    return status == 0 ? buffer_append(&payload->message.bytes, data, size) : status;
}

void payload_adopt(struct payload *payload, unsigned mark, struct frame *frame, size_t start, struct message *message) {
    size_t size = frame->size - (size_t)frame->handle_count * FRAME_TICKET_SIZE;
    payload->kind = PAYLOAD_KIND_OF(mark);
    payload->place = PAYLOAD_PLACE_OF(mark);
    payload->message = *message;
    payload->message.bytes.data = frame->body;
    payload->message.bytes.size = payload->message.bytes.capacity = size;
    payload->start = start;
    frame->body = NULL;
    memset(message, 0, sizeof *message);
}

const uint8_t *payload_data(const struct payload *payload) {
    return payload->message.bytes.data + payload->start;
}

size_t payload_size(const struct payload *payload) {
    return payload->message.bytes.size - payload->start;
}

/* The memory that an outside payload is in. */
static int map_outside(const struct payload *payload, void **view, size_t *size) {
    uint64_t length = 0;
    if (payload_size(payload) != sizeof length || payload->message.handle_count != 1) {
        return error_set(MPROC_EINVAL, 0, "what arrived is not a message of mproc");
    }
    memcpy(&length, payload_data(payload), sizeof length);
    *size = (size_t)length;
    return shared_memory_map(payload->message.handles[0], *size, view);
}

int payload_decode(struct payload *payload, cJSON **value) {
    size_t size = 0, used;
    void *view = NULL;
    if (payload->place == PAYLOAD_HERE) {
        return cbor_decode(payload_data(payload), payload_size(payload), &used, payload->message.handles,
                           payload->message.handle_count, value);
    }
    int status = map_outside(payload, &view, &size);
    if (status == 0) {
        status = cbor_decode(view, size, &used, NULL, 0, value);
        shared_memory_unmap(view, size);
    }
    return status;
}

static void *take_block(struct payload *payload, size_t *size) {
    uint8_t *block = payload->message.bytes.data;
    *size = payload_size(payload);
    memmove(block, block + payload->start, *size);
    memset(&payload->message.bytes, 0, sizeof payload->message.bytes);
    return block;
}

static void unmap(void *context, void *block, size_t size) {
    (void)context;
    shared_memory_unmap(block, size);
}

int payload_take_bytes(struct payload *payload, void **data, size_t *size) {
    int status = 0;
    if (payload->place == PAYLOAD_OUTSIDE) { /* they stay where they are until mproc_free */
        status = map_outside(payload, data, size);
        if (status == 0) {
            status = memory_keep_foreign(*data, *size, unmap, NULL);
            if (status != 0) {
                shared_memory_unmap(*data, *size);
            }
        }
    } else {
        *data = take_block(payload, size);
    }
    if (status == 0) {
        payload_clear(payload);
    }
    return status;
}

void payload_clear(struct payload *payload) {
    message_clear(&payload->message);
    memset(payload, 0, sizeof *payload);
}

struct message *payload_wrap(struct payload *payload, const struct wire_request *request) {
    if (payload->start == 0 && begin(payload, PAYLOAD_NONE, 0) != 0) {
        return NULL;
    }
    memcpy(payload->message.bytes.data + FRAME_HEADER_SIZE, request, sizeof *request);
    return &payload->message;
}
