/* SPDX-License-Identifier: MIT */
#include "support/coroutine.h"

#include <setjmp.h>
#include <stdlib.h>
#include <uv.h>

#include "base/thread_local.h"

struct coroutine {
    void (*run)(void *context);
    void *context;
    uv_thread_t thread;
    uv_sem_t go, stopped;
    bool has_begun, has_ended, is_reset, is_destroyed;
    jmp_buf grave;
};

static THREAD_LOCAL struct coroutine *self;

static void stop(void) {
    uv_sem_post(&self->stopped);
    uv_sem_wait(&self->go);
}

static void run_thread(void *argument) {
    self = argument;
    uv_sem_wait(&self->go);
    while (!self->is_destroyed) {
        if (setjmp(self->grave) == 0) {
            self->run(self->context);
            self->has_ended = true;
        }
        stop();
    }
}

struct coroutine *coroutine_create(void (*run)(void *context), void *context) {
    struct coroutine *created = calloc(1, sizeof *created);
    if (created == NULL) {
        abort();
    }
    created->run = run;
    created->context = context;
    if (uv_sem_init(&created->go, 0) != 0 || uv_sem_init(&created->stopped, 0) != 0 ||
        uv_thread_create(&created->thread, run_thread, created) != 0) {
        abort();
    }
    return created;
}

void coroutine_destroy(struct coroutine *coroutine) {
    coroutine_reset(coroutine);
    coroutine->is_destroyed = true;
    uv_sem_post(&coroutine->go);
    (void)uv_thread_join(&coroutine->thread);
    uv_sem_destroy(&coroutine->go);
    uv_sem_destroy(&coroutine->stopped);
    free(coroutine);
}

void coroutine_resume(struct coroutine *coroutine) {
    coroutine->has_begun = true;
    uv_sem_post(&coroutine->go);
    uv_sem_wait(&coroutine->stopped);
}

void coroutine_yield(void) {
    stop();
    if (self->is_reset) {
        longjmp(self->grave, 1);
    }
}

bool coroutine_has_ended(const struct coroutine *coroutine) {
    return coroutine->has_ended;
}

void coroutine_reset(struct coroutine *coroutine) {
    if (coroutine->has_begun && !coroutine->has_ended) {
        coroutine->is_reset = true;
        coroutine_resume(coroutine);
        coroutine->is_reset = false;
    }
    coroutine->has_begun = coroutine->has_ended = false;
}

bool coroutine_is_slow(void) {
    return true;
}
