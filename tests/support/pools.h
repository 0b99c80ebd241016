/* SPDX-License-Identifier: MIT */
/* Pools of a test, and what they carry out. */
#ifndef MPROC_TEST_POOLS_H
#define MPROC_TEST_POOLS_H

#include "mproc.h"
#include "support/test.h"

/* Targets: a number's square; the sum of a, b and, where it is there, c; the worker's pid; sleeps for so many milliseconds, and
 * returns them. */
void square(mproc_task *task);
void add(mproc_task *task);
void tell_pid(mproc_task *task);
void nap(mproc_task *task);

mproc_pool *create_pool(int workers);
mproc_pool *create_pool_with(int workers, mproc_pool_options options);
/* Closes it, waits for all of its work, and frees it. */
void end_pool(mproc_pool *pool);

/* A group's setup: what is open once a pool has come and gone is noted, for nothing_is_left_open. `nap` is in its targets. */
int set_up_pools(void **state);

/* args is taken. */
mproc_async_result *submit(mproc_pool *pool, mproc_fn fn, cJSON *args);
/* Waits for a result that is a number, and frees it. */
int get_number(mproc_async_result *result);

/* 0 to count - 1, in an array. */
cJSON *numbers(int count);
/* The distinct numbers in an array. */
int count_distinct(const cJSON *values);

#endif
