/* SPDX-License-Identifier: MIT */
/* What goes along with a request or an answer: a value in CBOR and its handles, or raw bytes. */
#ifndef MPROC_HUB_PAYLOAD_H
#define MPROC_HUB_PAYLOAD_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "link/frame.h"
#include "value/message.h"

enum payload_kind { PAYLOAD_NONE, PAYLOAD_VALUE, PAYLOAD_BYTES };

/* A zeroed one is empty and valid. */
struct payload {
    enum payload_kind kind;
    struct message message;
    size_t start; /* where it begins in the message's bytes, behind what a frame has in front of it */
};

/* Encodes a value, as cbor_encode. */
int payload_set_value(struct payload *payload, const cJSON *value);
/* Copies what was encoded before. MPROC_ENOMEM. */
int payload_copy(struct payload *payload, enum payload_kind kind, const void *data, size_t size);
/* Copies bytes. MPROC_ENOMEM. */
int payload_set_bytes(struct payload *payload, const void *data, size_t size);
/* Makes a payload of the rest of a frame's body, which is taken; `message` has the handles, which are taken too. */
void payload_adopt(struct payload *payload, enum payload_kind kind, struct frame *frame, size_t start,
                   struct message *message);

const uint8_t *payload_data(const struct payload *payload);
size_t payload_size(const struct payload *payload);

/* The value; the handles move into it. As cbor_decode. On failure the payload is as it was, but for its handles. */
int payload_decode(struct payload *payload, cJSON **value);
/* The bytes as a block for mproc_free; the payload is empty then. */
void *payload_take_bytes(struct payload *payload, size_t *size);

void payload_clear(struct payload *payload);

/* A request is written in front of the payload, so that all goes out as one piece. Its bytes are taken.
 * NULL: there is no memory for the room that it needs. */
struct wire_request;
struct message *payload_wrap(struct payload *payload, const struct wire_request *request);

#endif
