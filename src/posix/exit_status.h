/* SPDX-License-Identifier: MIT */
/* What exit_linux.c and exit_kqueue.c share. */
#ifndef MPROC_POSIX_EXIT_STATUS_H
#define MPROC_POSIX_EXIT_STATUS_H

#include <signal.h>

#include "base/clock.h"
#include "platform/handle.h"

/* Waits until the watch can be read, which it can from the end of its process on. As exit_wait. */
int exit_status_wait_readable(handle watch, deadline until);

/* Turns what waitid gave into what exit_collect gives. status and number: its result and errno. */
int exit_status_read(int status, int number, const siginfo_t *info, int pid, int *exitcode);

#endif
