/* SPDX-License-Identifier: MIT */
/* The preparation: the first frame on a link, all that a new process has to know. */
#ifndef MPROC_SPAWN_PREPARATION_H
#define MPROC_SPAWN_PREPARATION_H

#include "link/frame.h"
#include "spawn/runtime.h"
#include "value/message.h"

/* What the call's arguments become when they are given: the values encoded, with the handles in them, and the raw payload. */
struct arguments {
    struct message values; /* args, then kwargs */
    uint8_t *data;         /* aligned to 16; NULL: none */
    size_t size;
};

/* Appends args and kwargs; NULL is none. Both are taken, also on failure. function: for the messages. */
int arguments_encode(struct message *values, const char *function, cJSON *args, cJSON *kwargs);
/* Whether raw data of this size can be handed over: 0 or MPROC_ERANGE. */
int arguments_check_data(const char *function, size_t size);
/* Encodes the arguments; NULL is none. args and kwargs are taken, also on failure. function: for the messages. */
int arguments_create(struct arguments *call, const char *function, cJSON *args, cJSON *kwargs, const void *data,
                     size_t size);
/* Decodes the arguments; the call's handles move into the values. */
int arguments_decode(struct arguments *call, cJSON **args, cJSON **kwargs);
void arguments_clear(struct arguments *call);

struct preparation {
    char *target;
    char *path; /* see runtime.path */
    int root_pid;
    struct identity self, parent;
    struct arguments call;
    uint8_t *body; /* of the frame it was read from, in which call.data stands; NULL where it was not read */
};

/* Writes the body of the frame. child_handles: the numbers by which the child will know the call's handles. */
int preparation_encode(const struct preparation *preparation, const handle *child_handles, struct buffer *body);

/* Reads it; the frame's body is taken, also on failure. The handles are adopted. */
int preparation_decode(struct preparation *preparation, struct frame *frame);

/* Frees what preparation_decode allocated. */
void preparation_clear(struct preparation *preparation);

#endif
