/* SPDX-License-Identifier: MIT */
/* Runs a few threads in every order of their steps (base/step.h), one step at a time: a model checker for real code. */
#ifndef MPROC_TEST_SCHEDULE_H
#define MPROC_TEST_SCHEDULE_H

#include <stdbool.h>

#define SCHEDULE_THREADS_MAX 3

struct schedule {
    void (*threads[SCHEDULE_THREADS_MAX])(void);
    int count;
    int mortal;            /* the thread that may die at any of its steps; -1: none */
    void (*prepare)(void); /* before each run */
    void (*check)(void);   /* after each run; CMocka's assertions */
};

/* Runs all orders. Returns how many there were. */
long schedule_run_all(const struct schedule *schedule);

/* In check: whether the mortal thread died in this run. */
bool schedule_has_died(void);

#endif
