/* SPDX-License-Identifier: MIT */
/* The object behind mproc_process, for the files of this folder:
 *
 *   process.c          making one, waiting for it, ending it, asking it
 *   start.c            starting it
 *   children.c         all children together
 *   process_waiting.c  what mproc_wait does
 *
 * One lock for all processes of this one guards every field that changes. Nobody waits for a process while holding it. A
 * thread that waits counts itself in, and the watch stays open until the last one has left. */
#ifndef MPROC_PROCESS_PROCESS_H
#define MPROC_PROCESS_PROCESS_H

#include <stdbool.h>

#include "link/link.h"
#include "mproc/process.h"
#include "spawn/preparation.h"

enum process_kind { PROCESS_CHILD, PROCESS_CURRENT, PROCESS_PARENT };

enum process_state {
    PROCESS_CREATED,
    PROCESS_STARTING, /* a thread is in mproc_process_start */
    PROCESS_RUNNING,
    PROCESS_ENDED
};

struct mproc_process {
    enum process_kind kind;
    enum process_state state;
    struct identity identity;
    unsigned number; /* N of "Process-N" */
    const mproc_target *target;
    struct arguments call; /* until it has been started */
    bool call_is_used;     /* its handles have gone to mproc_process_run */

    handle watch;
    struct link *link;
    int waiting; /* threads that wait on the watch */
    int exitcode;
    bool exitcode_is_unknown;
    bool was_guarded;               /* the child has reached mproc_init */
    bool is_hidden;                 /* a pool's worker: not among the active children */
    const char *const *environment; /* NULL: this process's own; stays whoever's it is */
    bool is_forgotten;              /* the handle was destroyed while the process was running */

    struct mproc_process *previous, *next; /* in the list of children that run */
};

/* The lock, ready for use. */
void processes_lock(void);
void processes_unlock(void);

/* The children are to be ended at shutdown, after whatever is registered later. */
void processes_expect_end(void);

/* The next number for a name. The lock is held. */
unsigned processes_next_number(void);

/* Enters a child that has started, and from then on this process waits for it at its end. The lock is held. */
void processes_enter(struct mproc_process *process);

/* Notices the end of a child that has ended: collects its exit code and releases what it took. Frees it where its handle
 * was destroyed. Returns whether it has ended. The lock is held. */
bool processes_collect(struct mproc_process *process);

/* Between these two the watch stays open; HANDLE_INVALID: the process has ended. The second notices its end. The lock is not
 * held. */
handle processes_begin_wait(struct mproc_process *process);
void processes_end_wait(struct mproc_process *process);

/* Waits for the end, and notices it. The lock is not held. 0 or MPROC_ETIMEDOUT or MPROC_ESYSTEM. */
int processes_wait(struct mproc_process *process, deadline until);

/* Whether it can be waited for; function: for the message. 0 or MPROC_ESTATE. The lock is not held. */
int process_check_wait(struct mproc_process *process, const char *function);

/* Collects those that have ended among the children that nobody has a handle of any more. The lock is held. */
void processes_collect_forgotten(void);

/* Why a process of this kind, or in this state, cannot do what was asked: MPROC_ESTATE. The lock is held. */
int process_error_state(const char *function, const struct mproc_process *process);

/* Frees the object and all that it holds. */
void process_free(struct mproc_process *process);

#endif
