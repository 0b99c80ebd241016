/* SPDX-License-Identifier: MIT */
/* The queue itself, as it lives in the program's first process. */
#ifndef MPROC_QUEUE_QUEUE_STATE_H
#define MPROC_QUEUE_QUEUE_STATE_H

#include "hub/object.h"

/* The argument of OBJECT_CREATE is the most items that the queue has at a time; 0: no limit. */
enum queue_operation {
    QUEUE_PUT =
        1,      /* MPROC_ECLOSED. value: whether the next puts may be posted (hub/hold.h), until something is closed */
    QUEUE_GET,  /* argument: the kind of payload, and QUEUE_HAS_DELIVERY; MPROC_ECLOSED: closed and empty; MPROC_ETYPE:
                      * the next is of another kind. value: see below */
    QUEUE_SIZE, /* value: the number of items */
    QUEUE_IS_FULL,   /* value: 0 or 1 */
    QUEUE_TASK_DONE, /* MPROC_ERANGE */
    QUEUE_JOIN,      /* answered when all items that were put have been marked done */
    QUEUE_CLOSE,
    QUEUE_AWAIT,         /* answered when a get would not wait */
    QUEUE_OPEN_DELIVERY, /* the delivery's memory (hub/shared_block.h) */
    QUEUE_OPEN_STORE     /* the store's */
};

/* Added to QUEUE_GET's argument: the process has the delivery, so that an item may be left there for it. The answer then has no
 * payload, and its value is the item's number. With a payload the value tells whether there can be a delivery. */
#define QUEUE_HAS_DELIVERY 16

extern const struct object_class queue_class;

#endif
