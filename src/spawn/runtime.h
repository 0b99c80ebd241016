/* SPDX-License-Identifier: MIT */
/* What mproc_init has set up: who this process is, what it may run, and what it starts others from. Written by mproc_init
 * and mproc_shutdown, which no other call of mproc may overlap; read by all. */
#ifndef MPROC_SPAWN_RUNTIME_H
#define MPROC_SPAWN_RUNTIME_H

#include <stdbool.h>

#include "mproc/core.h"
#include "platform/program.h"

#define PROCESS_NAME_MAX 255

/* A process as its relatives know it. */
struct identity {
    char name[PROCESS_NAME_MAX + 1];
    int pid;
    bool daemon;
};

struct runtime {
    bool is_ready;
    bool is_child;
    unsigned generation;         /* counts calls of mproc_init */
    const mproc_target *targets; /* the application's */
    const char *argument0;       /* the application's */
    struct program *program;
    bool is_other_program; /* mproc_set_executable was called */
    char *path;            /* "1:2:", what the names of this process's children begin with after "Process-" */
    int root_pid;          /* the first process of the program */
    handle door;           /* of the first process: see platform/door.h; HANDLE_INVALID until hub/root.h has made it */
    struct identity self, parent;
};

extern struct runtime runtime;

/* 0, or MPROC_EGUARD with the line to write. */
int runtime_check(const char *function);

/* The table's row of a function or name; NULL: none. */
const mproc_target *runtime_target_of(mproc_fn fn);
const mproc_target *runtime_target_named(const char *name);

/* Calls `function` when mproc_shutdown runs; the last one registered first. Registering again does nothing. */
void runtime_at_shutdown(void (*function)(void));
void runtime_call_shutdown_functions(void);

#endif
