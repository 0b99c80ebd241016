/* SPDX-License-Identifier: MIT */
/* Functions that run by turns in one thread, each until it yields: coroutine_posix.c with contexts, coroutine_win32.c with fibers,
 * and coroutine_threads.c with threads that wait for each other, where the others cannot be had. */
#ifndef MPROC_TEST_COROUTINE_H
#define MPROC_TEST_COROUTINE_H

#include <stdbool.h>

struct coroutine;

/* It has not begun yet. */
struct coroutine *coroutine_create(void (*run)(void *context), void *context);
void coroutine_destroy(struct coroutine *coroutine);

/* Runs it until it yields or ends. Not from within one. */
void coroutine_resume(struct coroutine *coroutine);
bool coroutine_has_ended(const struct coroutine *coroutine);
/* It will begin anew, wherever it is. */
void coroutine_reset(struct coroutine *coroutine);

/* From within one: whoever has resumed it goes on. */
void coroutine_yield(void);

/* Whether a turn, or beginning anew, takes microseconds. */
bool coroutine_is_slow(void);

#endif
