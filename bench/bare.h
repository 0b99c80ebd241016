/* SPDX-License-Identifier: MIT */
/* What the system itself takes, with nothing of mproc: the limit that mproc is measured against. */
#ifndef MPROC_BENCH_BARE_H
#define MPROC_BENCH_BARE_H

#include <stddef.h>
#include <stdint.h>

/* Starts a program with one argument (NULL, on POSIX: none) and waits for its end. 0, or -1. */
int bare_spawn_and_wait(const char *program, const char *argument);

/* Starts a Python that runs a script, feeds it nothing, and reads one number that it prints; -1: there is none. */
double bare_python_number(const char *script);

/* Memory that a process has for itself alone (Private_Dirty), in KiB; -1: the system does not tell. */
long bare_private_kibibytes(int pid);

/* Open descriptors of this process; -1: there are none here. */
int bare_open_descriptors(void);

/* A child that is this program with `argument` and two pipes, as standard input and output. */
struct bare_child {
    intptr_t to, from, process;
};
int bare_child_start(struct bare_child *child, const char *self, const char *argument);
void bare_child_end(struct bare_child *child);

/* Reads or writes all of it, in a loop. 0, or -1. */
int bare_read(intptr_t pipe, void *data, size_t size);
int bare_write(intptr_t pipe, const void *data, size_t size);

/* The standard input and output of a bare child, as pipes. */
intptr_t bare_input(void);
intptr_t bare_output(void);

/* Acquiring and releasing the system's own lock between processes, so many times, by this process alone: nanoseconds for each
 * time. POSIX: a process-shared pthread mutex, which can be robust; Windows: a kernel mutex. -1: there is none. */
double bare_lock_alone(int times, int is_robust);

/* Two processes that do so at the same time, each so many times: millions a second of both. -1: there is none. */
double bare_lock_contended(int times, int is_robust);

/* Two processes that wake each other by turns with the system's own means, so many times there and back: microseconds for each.
 * -1: there is none. */
double bare_handover(int times);

/* Eight bytes through one of so many pipes after the other, so many times: written, waited for on all of them, and read by one
 * thread: microseconds for each. -1: there is no such wait. */
double bare_wait(int pipes, int times);

#endif
