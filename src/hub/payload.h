/* SPDX-License-Identifier: MIT */
/* What goes along with a request or an answer: a value in CBOR and its handles, or raw bytes. */
#ifndef MPROC_HUB_PAYLOAD_H
#define MPROC_HUB_PAYLOAD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "link/frame.h"
#include "value/message.h"

enum payload_kind { PAYLOAD_NONE, PAYLOAD_VALUE, PAYLOAD_BYTES };

/* Where the bytes themselves are. */
enum payload_place {
    PAYLOAD_HERE = 0,
    PAYLOAD_IN_STORE = 4, /* in a store of the object's own, which knows what the payload says of it */
    PAYLOAD_OUTSIDE = 8   /* in shared memory of their own: the message has the handle, and their size as 8 bytes */
};

/* Kind and place, for the wire. */
#define PAYLOAD_KIND_OF(mark) ((enum payload_kind)((mark)&3u))
#define PAYLOAD_PLACE_OF(mark) ((enum payload_place)((mark) & ~3u))

/* A payload of this many bytes or more goes through shared memory: see bench/README.md. */
#define PAYLOAD_LARGE ((size_t)1 << 20)

/* A zeroed one is empty and valid. */
struct payload {
    enum payload_kind kind;
    enum payload_place place;
    struct message message;
    size_t start; /* where it begins in the message's bytes, behind what a frame has in front of it */
};

/* Encodes a value, as cbor_encode. */
int payload_set_value(struct payload *payload, const cJSON *value);
/* Copies what stands elsewhere: a payload's bytes and mark. MPROC_ENOMEM. */
int payload_copy(struct payload *payload, unsigned mark, const void *data, size_t size);
/* Copies bytes; many of them into shared memory. MPROC_ENOMEM. */
int payload_set_bytes(struct payload *payload, const void *data, size_t size);
/* Makes a payload of the rest of a frame's body, which is taken; `message` has the handles, which are taken too. mark: what
 * payload_mark gave. */
void payload_adopt(struct payload *payload, unsigned mark, struct frame *frame, size_t start, struct message *message);

uint8_t payload_mark(const struct payload *payload);

/* Moves a large payload into shared memory, where that can be had; otherwise it stays as it is. */
void payload_move_outside(struct payload *payload);

const uint8_t *payload_data(const struct payload *payload);
size_t payload_size(const struct payload *payload);

/* The value; the handles move into it. As cbor_decode. On failure the payload is as it was, but for its handles. */
int payload_decode(struct payload *payload, cJSON **value);
/* The bytes as a block for mproc_free; the payload is empty then. MPROC_ENOMEM; MPROC_ESYSTEM: it is as it was. */
int payload_take_bytes(struct payload *payload, void **data, size_t *size);

void payload_clear(struct payload *payload);

/* A request is written in front of the payload, so that all goes out as one piece. Its bytes are taken.
 * NULL: there is no memory for the room that it needs. */
struct wire_request;
struct message *payload_wrap(struct payload *payload, const struct wire_request *request);

#endif
