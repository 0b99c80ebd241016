/* SPDX-License-Identifier: MIT */
/* Starting a process, at a cost that does not depend on this process's memory.
 *
 * The child has the standard streams and the inherited handles that the options name, and nothing else. Its signal mask is
 * empty and all signals have their default disposition. */
#ifndef MPROC_PLATFORM_SPAWN_H
#define MPROC_PLATFORM_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/handle.h"
#include "platform/program.h"

/* Whom the signals of a terminal reach, and exit_kill_group. On Windows each program has a job of its own. */
enum spawn_group {
    SPAWN_GROUP_SAME, /* this process's own */
    SPAWN_GROUP_OWN,
    SPAWN_SESSION_OWN /* and it has no terminal */
};

/* Runs a function on a thread that lives as long as this process, and waits for it. */
typedef void spawn_runner(void (*run)(void *context), void *context);

/* Whether the system can end a program with the process that has started it. */
bool spawn_can_tie(void);

#define SPAWN_STREAMS 3

/* Among `streams`: this process's own standard output. */
#define SPAWN_OWN_STDOUT ((handle)-2)

struct spawn_options {
    const struct program *program;
    const char *const *arguments; /* UTF-8, NULL-terminated, the first is the program's name */
    const handle *inherited;      /* handles for the child, which stay open here too */
    size_t inherited_count;
    const char *const *environment; /* "NAME=value", UTF-8, NULL-terminated; NULL: this process's own */
    const char *folder;             /* to be run in, UTF-8; NULL: this process's */
    /* stdin, stdout, stderr of the child; HANDLE_INVALID: this process's own. NULL: the null device, and this process's own
     * two. */
    const handle *streams;
    enum spawn_group group;
    bool is_ours; /* a child that sees the end of this process by itself; on Windows in a job with its siblings */
    /* Where it is not: the system is to end it with this process (spawn_can_tie), which may need this thread. NULL: it outlives
     * it. */
    spawn_runner *runner;
};

struct spawned {
    int pid;
    handle watch; /* see exit.h; HANDLE_INVALID: it has ended already, and the application has collected it */
    handle group; /* for exit_kill_group; HANDLE_INVALID: it has none of its own */
};

/* The number by which the child will know the index-th inherited handle. */
handle spawn_child_handle(const handle *inherited, size_t index);

/* Whether two names of variables mean the same one. */
bool spawn_same_variable(const char *a, size_t a_length, const char *b, size_t b_length);

/* Starts the process. 0; MPROC_ENOTFOUND; MPROC_EPERM; MPROC_ENOMEM; MPROC_ESYSTEM. */
int spawn_process(const struct spawn_options *options, struct spawned *spawned);

#endif
