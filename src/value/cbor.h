/* SPDX-License-Identifier: MIT */
/* Values on the wire: CBOR (RFC 8949) straight from and to cJSON trees.
 *
 * Whole numbers of up to 2^53 are CBOR integers; all others, and -0.0, are 64-bit floats, so that each double arrives
 * bit by bit. A reference is tag 0x6D70 around [kind, flags, first handle, handles, bytes]. */
#ifndef MPROC_VALUE_CBOR_H
#define MPROC_VALUE_CBOR_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value/message.h"

/* As deep as cJSON itself parses. */
#define CBOR_DEPTH_MAX 1000

/* Appends the value to the message, and the handles of the references in it. On failure the message is as it was, but
 * references that had been reached are closed. MPROC_EINVAL: a number is not finite, or a key or text is missing or is
 * not UTF-8; MPROC_ETYPE: an item is of no JSON kind (cJSON_Raw, cJSON_Invalid); MPROC_ERANGE: nested too deep, or the
 * message would be over MPROC_MESSAGE_MAX; MPROC_ESTATE: a reference that was sent before; MPROC_ENOMEM. The messages
 * say where, as in: `[2]."age" is not a number that can be sent: nan`. */
int cbor_encode(const cJSON *value, struct message *message);

/* Reads one value from `data`; `used` receives how many bytes it took. The handles that references name are moved into
 * the table of references and become HANDLE_INVALID in `handles`. MPROC_EINVAL: not what cbor_encode writes;
 * MPROC_ENOMEM. */
int cbor_decode(const uint8_t *data, size_t size, size_t *used, handle *handles, size_t handle_count, cJSON **value);

/* Reads a number without an allocation: into an item that is the caller's own, and in no list. false: it is something
 * else, or malformed. */
bool cbor_decode_number(const uint8_t *data, size_t size, cJSON *number);

#endif
