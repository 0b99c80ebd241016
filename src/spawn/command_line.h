/* SPDX-License-Identifier: MIT */
/* The command line by which a process that mproc has started from the program's own executable knows what it is: an option, and
 * the numbers of the handles that it has inherited. */
#ifndef MPROC_SPAWN_COMMAND_LINE_H
#define MPROC_SPAWN_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/handle.h"

#define COMMAND_LINE_ARGUMENTS 3
#define COMMAND_LINE_HANDLES_MAX 4

struct command_line {
    const char *list[COMMAND_LINE_ARGUMENTS + 1]; /* NULL-terminated */
    char numbers[COMMAND_LINE_HANDLES_MAX * 24];
};

/* Writes it. handles: by the numbers that the child will know; HANDLE_INVALID: not there. Keeps argument0 and option. */
void command_line_write(struct command_line *line, const char *argument0, const char *option, const handle *handles,
                        size_t count);

/* Whether a process has been started with this option. */
bool command_line_has(int argc, char **argv, const char *option);

/* Reads the numbers, and adopts the handles: the first `required` have to be there. MPROC_EINVAL: mproc has not written this
 * line. */
int command_line_read(char **argv, handle *handles, size_t count, size_t required);

#endif
