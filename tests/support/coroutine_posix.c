/* SPDX-License-Identifier: MIT */
/* A context for the first entry ever; from then on longjmp, which makes no system call. */
#include "support/coroutine.h"

#include <setjmp.h>
#include <stdlib.h>
#include <ucontext.h>

#define STACK_SIZE ((size_t)256 * 1024)

struct coroutine {
    void (*run)(void *context);
    void *context;
    bool has_stack_frame, has_begun, has_ended;
    jmp_buf start, place; /* where it begins, once there is a frame to begin in; where it has yielded */
    void *stack;
};

static jmp_buf outside;
static struct coroutine *current;

struct coroutine *coroutine_create(void (*run)(void *context), void *context) {
    struct coroutine *created = calloc(1, sizeof *created);
    if (created == NULL || (created->stack = malloc(STACK_SIZE)) == NULL) {
        abort();
    }
    created->run = run;
    created->context = context;
    return created;
}

void coroutine_destroy(struct coroutine *coroutine) {
    free(coroutine->stack);
    free(coroutine);
}

/* This frame stays: every run begins in it. */
static void enter(void) {
    (void)_setjmp(current->start);
    current->has_begun = true;
    current->run(current->context);
    current->has_ended = true;
    _longjmp(outside, 1);
}

static void enter_first(struct coroutine *coroutine) {
    ucontext_t entry;
    coroutine->has_stack_frame = true;
    if (getcontext(&entry) != 0) {
        abort();
    }
    entry.uc_stack.ss_sp = coroutine->stack;
    entry.uc_stack.ss_size = STACK_SIZE;
    entry.uc_link = NULL;
    makecontext(&entry, enter, 0);
    (void)setcontext(&entry);
}

void coroutine_resume(struct coroutine *coroutine) {
    current = coroutine;
    if (_setjmp(outside) == 0) {
        if (!coroutine->has_stack_frame) {
            enter_first(coroutine);
        }
        _longjmp(coroutine->has_begun ? coroutine->place : coroutine->start, 1);
    }
    current = NULL;
}

void coroutine_yield(void) {
    if (_setjmp(current->place) == 0) {
        _longjmp(outside, 1);
    }
}

bool coroutine_has_ended(const struct coroutine *coroutine) {
    return coroutine->has_ended;
}

void coroutine_reset(struct coroutine *coroutine) {
    coroutine->has_begun = coroutine->has_ended = false;
}

bool coroutine_is_slow(void) {
    return false;
}
