/* SPDX-License-Identifier: MIT */
/* What a process does first that mproc has started, and the option by which it knows that it is one. */
#ifndef MPROC_SPAWN_CHILD_H
#define MPROC_SPAWN_CHILD_H

#include "mproc/core.h"

#define CHILD_OPTION "--mproc-child"

/* What every child is started with: its link, the door of the program's first process (platform/door.h), and the program, which
 * is not handed on everywhere. */
enum child_handle { CHILD_READER, CHILD_WRITER, CHILD_DOOR, CHILD_PROGRAM, CHILD_HANDLES };

/* Sets the runtime up, carries out the target and ends the process. Returns only where the command line is not one that
 * mproc has written: MPROC_EINVAL. */
int child_run(char **argv, const mproc_target *targets);

#endif
