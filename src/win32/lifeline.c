/* SPDX-License-Identifier: MIT */
/* The job that a child is born into (spawn.c) ends with the parent, but a process that has left its job, or one that had
 * none, still has to notice. */
#include "platform/lifeline.h"

#include "base/error.h"

int lifeline_tie(handle reader) {
    (void)reader;
    return MPROC_ENOTSUP;
}
