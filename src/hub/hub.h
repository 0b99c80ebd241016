/* SPDX-License-Identifier: MIT */
/* The hub: one libuv loop on one thread of this process, which does what no caller may wait for. Everything of libuv's is
 * touched by this thread alone; others give it jobs. */
#ifndef MPROC_HUB_HUB_H
#define MPROC_HUB_HUB_H

#include <stdbool.h>
#include <uv.h>

/* Something for the hub's thread to do; part of a larger struct, whose owner leaves it alone until it runs. */
struct hub_job {
    void (*run)(struct hub_job *job);
    struct hub_job *next;
};

/* Starts the thread where it does not run. MPROC_ENOMEM; MPROC_ESYSTEM: no thread or loop. */
int hub_start(void);

/* Whether it runs. */
bool hub_is_running(void);

/* Has the job run, after all that were given before. The hub runs. */
void hub_post(struct hub_job *job);

/* Runs a function on the hub's thread, and waits for it. The hub runs, and this is another thread. */
void hub_run(void (*run)(void *context), void *context);

/* The loop, for the hub's thread. */
uv_loop_t *hub_loop(void);

/* Ends the thread, once all that was opened on its loop has been closed. Does nothing where there is none. */
void hub_stop(void);

#endif
