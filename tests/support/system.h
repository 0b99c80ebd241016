/* SPDX-License-Identifier: MIT */
/* What tests ask of the system, the same on all: implemented in system_posix.c and system_win32.c. */
#ifndef MPROC_TEST_SYSTEM_H
#define MPROC_TEST_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open descriptors or handles of this process. */
size_t system_open_handles(void);

/* Pieces of shared memory, and files, that are mapped in this process. Where the system does not tell, 0. */
size_t system_mappings(void);

/* Whether there is shared memory that somebody could open by its name, and that looks like ours. */
bool system_has_named_memory(void);

/* Threads of this process; only in system_posix.c. Where the system does not tell, 1. */
size_t system_threads(void);

/* Ends any process at once, as the system's own tools do. */
void system_kill(int pid);
/* The same; false: it has ended. */
bool system_kill_if_alive(int pid);
/* The exit code that such a process has for mproc. */
int system_kill_code(void);

/* Waits until a process is gone, child or not; false: it was still there after the timeout. */
bool system_wait_until_gone(int pid, int timeout_ms);

/* Does what no program survives. */
void system_crash(void);
/* The exit code that such a process has for mproc. */
int system_crash_code(void);

/* Halts all of a process, whatever it is doing, and lets it go on. */
void system_halt(int pid);
void system_resume(int pid);
/* What becomes of a process's exit code here: POSIX keeps 8 bits. */
int system_exit_code(int code);

/* Opens something that children of a careless program would inherit. */
intptr_t system_open_inheritable(void);
bool system_handle_is_open(intptr_t number);
void system_close_handle(intptr_t number);

/* From now on this process can open nothing more. */
void system_forbid_handles(void);

/* Reads standard input: how many bytes come at once; 0: it has ended. */
int system_read_stdin(void);

/* Blocks and ignores signals, as an application may, and undoes it. Nothing where there are none. */
void system_spoil_signals(void);
void system_restore_signals(void);
/* Whether no signal is blocked or ignored. */
bool system_signals_are_default(void);

/* Between these two, what this process and its children write to standard error is kept; the second gives it, to be
 * freed with free. */
void system_capture_stderr(void);
char *system_captured_stderr(void);

/* Why a test cannot pass here, or NULL: the one list of what a system cannot do, by the test's name. */
const char *system_cannot(const char *test);

/* The program's arguments as UTF-8: Windows gives main another encoding. What is there is replaced. */
void system_arguments(int *argc, char ***argv);

/* Starting a process takes tens of milliseconds here (Wine, sanitizers), so that tests make do with fewer. */
bool system_is_slow_to_spawn(void);

#endif
