/* SPDX-License-Identifier: MIT */
/* What spawn.c needs to know of a program. */
#ifndef MPROC_POSIX_PROGRAM_H
#define MPROC_POSIX_PROGRAM_H

#include "platform/handle.h"

/* Where a child finds the open program; inherited handles follow it. */
#define PROGRAM_CHILD_HANDLE ((handle)3)

struct program {
    handle file; /* the open executable, or HANDLE_INVALID where it is started by its path */
    char *path;  /* what exec is given, in the child */
};

/* For program_open_path, and for systems that only know paths. Takes the path, also on failure. */
int program_create(struct program **program, handle file, char *path);

#endif
