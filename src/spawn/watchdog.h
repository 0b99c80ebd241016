/* SPDX-License-Identifier: MIT */
/* A small process, one for each that needs it, that ends other programs when the process that started them has ended, where the
 * system does not do so by itself (spawn_can_tie). It is started from the program's own executable, sits in a session of its
 * own, so that no terminal's signal reaches it, and holds no stream of the program's. It is nobody's child, as the process
 * between has ended: an application that waits for all its children must not wait for it.
 *
 * It is told over a pipe whom to watch; the end of that pipe is the end of the process it works for. If it is ended itself, which
 * is seen by the end of another pipe, the next call starts another one. A process that is killed between the start of a program and telling of it leaves that program
 * running. */
#ifndef MPROC_SPAWN_WATCHDOG_H
#define MPROC_SPAWN_WATCHDOG_H

#include "platform/handle.h"

#define WATCHDOG_START_OPTION "--mproc-start-watchdog"
#define WATCHDOG_OPTION "--mproc-watchdog"

/* Starts the watchdog, where there is none: before the program is, so that hardly any time is left in between. MPROC_ENOMEM;
 * MPROC_ESYSTEM: it cannot be started. From any thread, as all that follows. */
int watchdog_prepare(void);

/* Has a process, and the group that it leads (HANDLE_INVALID: none), killed when this process ends. Errors as of
 * watchdog_prepare. */
int watchdog_watch(int pid, handle group);

/* For a process that has ended, before it is collected, and its number is given to another one. */
void watchdog_forget(int pid);

/* For tests: its number; 0: there is none. */
int watchdog_pid(void);

/* What the process between does, and the watchdog. They end this process; they return only where the command line is not one that
 * mproc has written: MPROC_EINVAL. */
int watchdog_start(char **argv);
int watchdog_run(char **argv);

#endif
