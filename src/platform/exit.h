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

enum exit_request {
    EXIT_REQUEST_TERMINATE, /* SIGTERM; on Windows it is reported as -15 */
    EXIT_REQUEST_KILL       /* SIGKILL; on Windows it is reported as -9 */
};

/* Watches a process by its number: the parent, or a child just started. MPROC_ENOTFOUND: it is gone already;
 * MPROC_ENOTSUP: the system is too old for it. */
int exit_watch(int pid, handle *watch);

/* Waits for the end; any number of threads may. 0 it has ended; MPROC_ETIMEDOUT (no message); MPROC_ESYSTEM. */
int exit_wait(handle watch, deadline until);

/* After the end, once: how the child ended, as mproc_process_exitcode tells it. MPROC_ENOTFOUND: the application has
 * collected it, so that it is unknown. */
int exit_collect(handle watch, int pid, int *exitcode);

/* Asks the child to end, or makes it. 0, also where it has ended; MPROC_EPERM; MPROC_ESYSTEM. */
int exit_send(handle watch, int pid, enum exit_request request);

#endif
