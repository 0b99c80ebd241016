/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"

#include <windows.h>

#include <stdlib.h>

struct coroutine {
    void (*run)(void *context);
    void *context;
    bool has_ended;
    void *fiber;
};

static void *outside;

static void WINAPI enter(void *argument) {
    struct coroutine *coroutine = argument;
    for (;;) {
        coroutine->run(coroutine->context);
        coroutine->has_ended = true;
        SwitchToFiber(outside);
    }
}

static void make_fiber(struct coroutine *coroutine) {
    coroutine->fiber = CreateFiber(0, enter, coroutine);
    if (coroutine->fiber == NULL) {
        abort();
    }
    coroutine->has_ended = false;
}

struct coroutine *coroutine_create(void (*run)(void *context), void *context) {
    struct coroutine *created = calloc(1, sizeof *created);
    if (outside == NULL) {
        outside = ConvertThreadToFiber(NULL);
    }
    if (created == NULL || outside == NULL) {
        abort();
    }
    created->run = run;
    created->context = context;
    make_fiber(created);
    return created;
}

void coroutine_destroy(struct coroutine *coroutine) {
    DeleteFiber(coroutine->fiber);
    free(coroutine);
}

void coroutine_resume(struct coroutine *coroutine) {
    SwitchToFiber(coroutine->fiber);
}

void coroutine_yield(void) {
    SwitchToFiber(outside);
}

bool coroutine_has_ended(const struct coroutine *coroutine) {
    return coroutine->has_ended;
}

void coroutine_reset(struct coroutine *coroutine) {
    if (coroutine->has_ended) {
        coroutine->has_ended = false; /* it begins anew by itself */
        return;
    }
    DeleteFiber(coroutine->fiber);
    make_fiber(coroutine);
}

/* Beginning anew is: a new fiber. */
bool coroutine_is_slow(void) {
    return true;
}
