/* SPDX-License-Identifier: MIT */
/* Watching a process for its end, and ending it.
 *
 * A watch is a handle that stays valid whatever the process does, and never speaks of another process that was given
 * the same number later: a pidfd on Linux, a kqueue with NOTE_EXIT on macOS and the BSDs, the process's HANDLE on
 * Windows. No SIGCHLD handler, no wait for any process but the one. */
#ifndef MPROC_PLATFORM_EXIT_H
#define MPROC_PLATFORM_EXIT_H

#include "base/clock.h"
#include "platform/handle.h"

/* SIGTERM and SIGKILL, of the same numbers everywhere; on Windows they are reported as -15 and -9. */
#define EXIT_TERMINATE 15
#define EXIT_KILL 9

/* Watches a process by its number: the parent, or a child just started. MPROC_ENOTFOUND: it is gone already;
 * MPROC_ENOTSUP: the system is too old for it. */
int exit_watch(int pid, handle *watch);

/* Waits for the end; any number of threads may. 0 it has ended; MPROC_ETIMEDOUT (no message); MPROC_ESYSTEM. */
int exit_wait(handle watch, deadline until);

/* After the end, once: how the child ended, as mproc_process_exitcode tells it. MPROC_ENOTFOUND: the application has
 * collected it, so that it is unknown. */
int exit_collect(handle watch, int pid, int *exitcode);

/* Sends a signal. 0, also where it has ended; MPROC_EPERM; MPROC_ENOTSUP: on Windows all but these two; MPROC_ESYSTEM. */
int exit_send(handle watch, int pid, int signal);

/* Makes all end that are in the group that spawn_process gave a program. It has not been collected, so that the group's
 * number is its own. HANDLE_INVALID is fine: nothing happens. */
void exit_kill_group(handle group);

/* Gives a group up, whose members go on. HANDLE_INVALID is fine. */
void exit_forget_group(handle group);

#endif
