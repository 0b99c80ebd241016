/* SPDX-License-Identifier: MIT */
/* References: JSON values that stand for an object of the library, so that it can be handed over inside any value.
 *
 * In a process a reference is {"$mproc": {"kind": "connection", "id": 7, "process": ...}}; what it stands for, a parcel,
 * waits in this process's table until the reference is sent (cbor_encode takes the parcel out and puts it into the
 * message) or taken up by an object (reference_take). cbor_decode puts a received parcel into the table of the receiver
 * and gives a reference of its own. So each parcel is in one place at any time, and is closed exactly once. */
#ifndef MPROC_VALUE_REFERENCE_H
#define MPROC_VALUE_REFERENCE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "platform/handle.h"

enum reference_kind {
    REFERENCE_CONNECTION = 1, /* numbers go over the wire: never reuse one */
    REFERENCE_QUEUE,
    REFERENCE_WORKER, /* a pool's worker: goes to a new process only */
    REFERENCE_LOCK,
    REFERENCE_SEMAPHORE,
    REFERENCE_EVENT,
    REFERENCE_CONDITION,
    REFERENCE_BARRIER,
    REFERENCE_SHARED,
    REFERENCE_LAST = REFERENCE_SHARED
};

#define PARCEL_HANDLES 5

/* All that an object is made of while it is on its way. A zeroed one is empty and valid. */
struct parcel {
    enum reference_kind kind;
    uint32_t flags;                 /* the kind's own */
    handle handles[PARCEL_HANDLES]; /* owned; the first handle_count of them */
    size_t handle_count;
    struct buffer bytes; /* owned; the kind's own */
};

/* Closes the handles and frees the bytes; the parcel is then empty and valid. */
void parcel_clear(struct parcel *parcel);

/* Puts a parcel into the table and makes the reference. The parcel's contents are taken, also on failure (NULL). */
cJSON *reference_create(struct parcel *parcel);

/* Whether the value has the form of a reference. */
bool reference_is(const cJSON *value);

/* Takes the parcel out of the table. MPROC_ETYPE: the value is no reference, or one to another kind of object (kind 0
 * takes any); MPROC_ESTATE: it was sent or taken up before, or comes from another process. */
int reference_take(const cJSON *reference, enum reference_kind kind, struct parcel *parcel);

/* Closes what stands in the table for this value, where it is a reference that was neither sent nor taken up. */
void reference_drop(const cJSON *value);

/* Closes everything in the table: the end of the process, or of the library in it. */
void reference_drop_all(void);

/* "connection" for messages to people. */
const char *reference_kind_name(enum reference_kind kind);

#endif
