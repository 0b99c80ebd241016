/* SPDX-License-Identifier: MIT */
/* What a process does first that mproc has started, and the command line by which it knows that it is one. */
#ifndef MPROC_SPAWN_CHILD_H
#define MPROC_SPAWN_CHILD_H

#include <stdbool.h>

#include "mproc/core.h"
#include "platform/handle.h"
#include "platform/program.h"

#define CHILD_ARGUMENTS 3
#define CHILD_ARGUMENT_CAPACITY 96

/* What every child inherits: its link, and the door of the program's first process (platform/door.h). */
enum child_handle { CHILD_READER, CHILD_WRITER, CHILD_DOOR, CHILD_HANDLES };

/* The command line of a child. */
struct child_arguments {
    const char *list[CHILD_ARGUMENTS + 1]; /* NULL-terminated */
    char handles[CHILD_ARGUMENT_CAPACITY];
};

/* Writes the command line. program: the number by which the child will know the program, or HANDLE_INVALID. */
void child_arguments_write(struct child_arguments *arguments, const char *argument0,
                           const handle handles[CHILD_HANDLES], handle program);

/* Whether this is the command line of a child. */
bool child_arguments_match(int argc, char **argv);

/* Sets the runtime up, carries out the target and ends the process. Returns only where the command line is not one that
 * mproc has written: MPROC_EINVAL. */
int child_run(char **argv, const mproc_target *targets);

#endif
