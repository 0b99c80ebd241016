/* SPDX-License-Identifier: MIT */
/* Runs a few threads in every order of their steps (base/step.h), one step at a time: a model checker for real code. */
#ifndef MPROC_TEST_SCHEDULE_H
#define MPROC_TEST_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_THREADS_MAX 4

struct schedule {
    void (*threads[SCHEDULE_THREADS_MAX])(void);
    int count;
    int mortal;            /* the thread that may die at any of its steps; -1: none */
    void (*prepare)(void); /* before each run */
    void (*check)(void);   /* after each run; CMocka's assertions */
    /* Where there are too many orders: a number that tells what the threads share from what they could share otherwise. What
     * follows a state that was there before, with all threads as far as they were and with what they remember (base/step.h), is
     * not tried again: what matters to the check has to follow from all that. NULL: all orders. */
    uint64_t (*state)(void);
    /* How often a thread that could go on may have to wait for another one; 0: as often as there are steps. */
    int preemptions;
};

/* Runs all orders. Returns how many there were. */
long schedule_run_all(const struct schedule *schedule);

/* In a thread: goes on no sooner than this is true. Where no thread can go on any more, the run is over. */
void schedule_block(bool (*is_over)(const void *context), const void *context);

/* In check: whether a thread was still blocked then; not one that died. */
bool schedule_was_stuck(int thread);

/* In check: whether the mortal thread died in this run. */
bool schedule_has_died(void);

#endif
