/* SPDX-License-Identifier: MIT */
/* The moment of the start itself: start_linux.c by clone, which can tie a program to this process; start_bsd.c by posix_spawn.
 * Neither copies the parent's memory, nor runs code of the application in between. */
#ifndef MPROC_POSIX_START_H
#define MPROC_POSIX_START_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "platform/spawn.h"

struct start {
    const char *path;
    char *const *arguments, *const *environment;
    const char *folder; /* to be run in; NULL: this process's */
    const int *
        descriptors; /* what becomes 0, 1, 2, ... in the child, and all that it has; -1: nothing. None of them is in the
                             * way of another's place: it stands in its own, or past them all */
    size_t descriptor_count;
    enum spawn_group group;
    bool ends_with_thread; /* as soon as the calling thread ends, where the system can */
};

enum start_step { START_FOLDER, START_PROGRAM };

/* 0, or the errno of what failed, and what that was. */
int start_run(const struct start *start, pid_t *pid, enum start_step *failed);

#endif
