/* SPDX-License-Identifier: MIT */
/* What a process knows of itself, and does to itself. */
#ifndef MPROC_PLATFORM_SELF_H
#define MPROC_PLATFORM_SELF_H

#include <stdint.h>

/* CPUs that this process may use by the limits of its container; 0: no such limit. */
int self_cpu_quota(void);

/* Ends this process at once: no exit handlers, no flushing. */
void self_exit_now(int exitcode);

/* Lets others run on this thread's CPU, where any want to. */
void self_yield(void);

/* From now on Ctrl-C does not end this process: its parent decides. */
void self_ignore_interrupt(void);

/* The name that process lists show, where it would be the number of a descriptor. */
void self_set_name(const char *name);

/* A number that no other process of this machine has now or had lately: tells references of one program from another's. */
uint64_t self_unique(void);

/* Keeps the system's signals away from the calling thread, so that an application's handlers never run on a thread of
 * the library; a thread inherits it from the one that makes it. */
struct self_signals {
    uint64_t opaque[16];
};
void self_block_signals(struct self_signals *saved);
void self_restore_signals(const struct self_signals *saved);

#endif
