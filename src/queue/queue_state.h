/* SPDX-License-Identifier: MIT */
/* The queue itself, as it lives in the program's first process. */
#ifndef MPROC_QUEUE_QUEUE_STATE_H
#define MPROC_QUEUE_QUEUE_STATE_H

#include "hub/object.h"

/* The argument of OBJECT_CREATE is the most items that the queue has at a time; 0: no limit. */
enum queue_operation {
    QUEUE_PUT = 1, /* MPROC_ECLOSED */
    QUEUE_GET, /* argument: the kind of payload; MPROC_ECLOSED: closed and empty; MPROC_ETYPE: the next is of another */
    QUEUE_SIZE,      /* value: the number of items */
    QUEUE_IS_FULL,   /* value: 0 or 1 */
    QUEUE_TASK_DONE, /* MPROC_ERANGE */
    QUEUE_JOIN,      /* answered when all items that were put have been marked done */
    QUEUE_CLOSE
};

extern const struct object_class queue_class;

#endif
