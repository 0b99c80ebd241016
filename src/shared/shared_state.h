/* SPDX-License-Identifier: MIT */
/* Shared memory in the program's first process, which keeps a handle of it, and its lock alive, as long as anybody has it. */
#ifndef MPROC_SHARED_SHARED_STATE_H
#define MPROC_SHARED_SHARED_STATE_H

#include "hub/object.h"

/* OBJECT_CREATE's argument is the number of the lock. */
enum shared_operation {
    SHARED_ALLOCATE = 1, /* argument: so many bytes */
    SHARED_OPEN,         /* the answer has a handle of it; its value: how many bytes */
    SHARED_LOCK_OF       /* the answer's value: the lock's number */
};

extern const struct object_class shared_class;

#endif
