/* SPDX-License-Identifier: MIT */
/* What stands in the frames between a process and the program's first one, ahead of a payload. Both sides are the same
 * program on the same machine, so numbers stand as the machine has them. */
#ifndef MPROC_HUB_WIRE_H
#define MPROC_HUB_WIRE_H

#include <stdint.h>

struct wire_request {
    uint64_t object, tag;
    int64_t argument;
    uint32_t operation;
    uint8_t kind, may_wait, payload, unused;
};

/* A request of no kind, about no object, wants the session's own memory, as a handle. */

/* In a ring: a request as in a frame, ahead of its payload. Tag 0: a posting, which wants no answer. */

struct wire_reply {
    uint64_t tag;
    int64_t value;
    int32_t status;
    uint32_t payload;
};

/* FRAME_CANCEL has the tag alone. */
struct wire_settle {
    uint64_t tag;
    uint64_t was_taken;
};

#endif
