/* SPDX-License-Identifier: MIT */
#include "hub/payload.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/wire.h"
#include "value/cbor.h"

/* In front of what is to be sent: a frame's header and a request. */
#define ROOM (FRAME_HEADER_SIZE + sizeof(struct wire_request))

static int begin(struct payload *payload, enum payload_kind kind, size_t size) {
    static const uint8_t room[ROOM];
    int status = buffer_reserve(&payload->message.bytes, ROOM + size);
    if (status == 0) {
        status = buffer_append(&payload->message.bytes, room, sizeof room);
    }
    payload->start = ROOM;
    payload->kind = kind;
    return status;
}

int payload_set_value(struct payload *payload, const cJSON *value) {
    int status = begin(payload, PAYLOAD_VALUE, 0);
    return status == 0 ? cbor_encode(value, &payload->message) : status;
}

int payload_set_bytes(struct payload *payload, const void *data, size_t size) {
    return payload_copy(payload, PAYLOAD_BYTES, data, size);
}

int payload_copy(struct payload *payload, enum payload_kind kind, const void *data, size_t size) {
    int status = begin(payload, kind, size);
    return status == 0 ? buffer_append(&payload->message.bytes, data, size) : status;
}

void payload_adopt(struct payload *payload, enum payload_kind kind, struct frame *frame, size_t start,
                   struct message *message) {
    size_t size = frame->size - (size_t)frame->handle_count * FRAME_TICKET_SIZE;
    payload->kind = kind;
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

int payload_decode(struct payload *payload, cJSON **value) {
    size_t used;
    return cbor_decode(payload_data(payload), payload_size(payload), &used, payload->message.handles,
                       payload->message.handle_count, value);
}

void *payload_take_bytes(struct payload *payload, size_t *size) {
    uint8_t *block = payload->message.bytes.data;
    *size = payload_size(payload);
    memmove(block, block + payload->start, *size);
    memset(&payload->message.bytes, 0, sizeof payload->message.bytes);
    payload_clear(payload);
    return block;
}

void payload_clear(struct payload *payload) {
    message_clear(&payload->message);
    payload->kind = PAYLOAD_NONE;
    payload->start = 0;
}

struct message *payload_wrap(struct payload *payload, const struct wire_request *request) {
    if (payload->start == 0 && begin(payload, PAYLOAD_NONE, 0) != 0) {
        return NULL;
    }
    memcpy(payload->message.bytes.data + FRAME_HEADER_SIZE, request, sizeof *request);
    return &payload->message;
}
