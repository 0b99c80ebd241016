/* SPDX-License-Identifier: MIT */
/* The program that children are started from. */
#ifndef MPROC_PLATFORM_PROGRAM_H
#define MPROC_PLATFORM_PROGRAM_H

#include "platform/handle.h"

struct program;

/* This process's own executable. Linux opens it, so that a file replaced or deleted on disk does not matter.
 * inherited: the handle by which the parent passed it on (program_child_handle), or HANDLE_INVALID. */
int program_open_self(struct program **program, handle inherited);

/* Another file. MPROC_ENOTFOUND; MPROC_EPERM: it may not be run. */
int program_open_path(struct program **program, const char *path);

/* What a name stands for: a path where it has a folder in it, which is relative to where the program is to run on POSIX, and
 * to here on Windows; otherwise a program in one of the folders of `search_path`, of which the environment's PATH consists
 * (NULL: the system's own). folder: where it is to run; NULL: here. MPROC_ENOTFOUND; MPROC_EPERM: it may not be run, or is
 * none; MPROC_EINVAL: an empty name. */
int program_find(struct program **program, const char *name, const char *search_path, const char *folder);

/* NULL is fine. */
void program_close(struct program *program);

/* The number by which a child will know the program, for its own program_open_self; HANDLE_INVALID: not passed on. */
handle program_child_handle(const struct program *program);

#endif
