/* SPDX-License-Identifier: MIT */
/* Starting a process, at a cost that does not depend on this process's memory.
 *
 * The child has the null device as standard input, this process's stdout and stderr, the inherited handles that the
 * options name, and nothing else. Its signal mask is empty and all signals have their default disposition.
 * Windows: it is born into a job that ends with this process. */
#ifndef MPROC_PLATFORM_SPAWN_H
#define MPROC_PLATFORM_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/handle.h"
#include "platform/program.h"

struct spawn_options {
    const struct program *program;
    const char *const *arguments; /* UTF-8, NULL-terminated, the first is the program's name */
    const handle *inherited;      /* handles for the child, which stay open here too */
    size_t inherited_count;
    const char *const *environment; /* "NAME=value", UTF-8, NULL-terminated; NULL: this process's own */
};

struct spawned {
    int pid;
    handle watch; /* see exit.h; HANDLE_INVALID: it has ended already, and the application has collected it */
};

/* The number by which the child will know the index-th inherited handle. */
handle spawn_child_handle(const handle *inherited, size_t index);

/* Whether two names of variables mean the same one. */
bool spawn_same_variable(const char *a, size_t a_length, const char *b, size_t b_length);

/* Starts the process. 0; MPROC_ENOTFOUND; MPROC_EPERM; MPROC_ENOMEM; MPROC_ESYSTEM. */
int spawn_process(const struct spawn_options *options, struct spawned *spawned);

#endif
