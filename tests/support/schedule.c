/* SPDX-License-Identifier: MIT */
/* At each point where more than one thread could go on, or the mortal one die, a choice is made and noted. The next run makes
 * the same choices but the last one that has another possibility left. */
#include "schedule.h"

#include <setjmp.h>
#include <string.h>
#include <uv.h>

#include "base/step.h"
#include "base/thread_local.h"
#include "test.h"

#define CHOICES_MAX 256

struct worker {
    uv_thread_t thread;
    uv_sem_t go;
    bool is_done, must_die;
    jmp_buf grave;
};

static const struct schedule *current;
static struct worker workers[SCHEDULE_THREADS_MAX];
static uv_sem_t stopped; /* the running thread has come to a step, or to its end */
static bool has_died, is_over;
static THREAD_LOCAL struct worker *self;

static int choices[CHOICES_MAX], possibilities[CHOICES_MAX], depth;

static void on_step(void) {
    if (self == NULL) {
        return; /* the thread that prepares and checks */
    }
    uv_sem_post(&stopped);
    uv_sem_wait(&self->go);
    if (self->must_die) {
        longjmp(self->grave, 1);
    }
}

static void run_worker(void *argument) {
    self = argument;
    for (;;) {
        uv_sem_wait(&self->go);
        if (is_over) {
            return;
        }
        if (setjmp(self->grave) == 0) {
            current->threads[self - workers]();
        }
        self->is_done = true;
        uv_sem_post(&stopped);
    }
}

/* One of `count` possibilities. */
static int choose(int count) {
    assert_true(depth < CHOICES_MAX);
    possibilities[depth] = count;
    return choices[depth++];
}

/* Lets one thread make one step; false: all have ended. */
static bool advance(void) {
    struct worker *able[SCHEDULE_THREADS_MAX + 1];
    int count = 0;
    bool can_die = false;
    for (int i = 0; i < current->count; i++) {
        if (!workers[i].is_done) {
            able[count++] = &workers[i];
            can_die = can_die || i == current->mortal;
        }
    }
    if (count == 0) {
        return false;
    }
    int choice = choose(count + (can_die ? 1 : 0));
    struct worker *chosen = choice < count ? able[choice] : &workers[current->mortal];
    chosen->must_die = choice == count;
    has_died = has_died || chosen->must_die;
    uv_sem_post(&chosen->go);
    uv_sem_wait(&stopped);
    return true;
}

/* Whether there is an order left. */
static bool next_order(int length) {
    while (length > 0 && choices[length - 1] + 1 >= possibilities[length - 1]) {
        length--;
    }
    if (length > 0) {
        choices[length - 1]++;
        memset(choices + length, 0, (size_t)(CHOICES_MAX - length) * sizeof choices[0]);
    }
    return length > 0;
}

static void start_workers(void) {
    is_over = false;
    assert_int_equal(uv_sem_init(&stopped, 0), 0);
    for (int i = 0; i < current->count; i++) {
        assert_int_equal(uv_sem_init(&workers[i].go, 0), 0);
        assert_int_equal(uv_thread_create(&workers[i].thread, run_worker, &workers[i]), 0);
    }
}

static void stop_workers(void) {
    is_over = true;
    for (int i = 0; i < current->count; i++) {
        uv_sem_post(&workers[i].go);
        assert_int_equal(uv_thread_join(&workers[i].thread), 0);
        uv_sem_destroy(&workers[i].go);
    }
    uv_sem_destroy(&stopped);
}

long schedule_run_all(const struct schedule *schedule) {
    long runs = 0;
    current = schedule;
    memset(choices, 0, sizeof choices);
    start_workers();
    do {
        depth = 0;
        has_died = false;
        for (int i = 0; i < current->count; i++) {
            workers[i].is_done = workers[i].must_die = false;
        }
        schedule->prepare();
        step_hook = on_step;
        while (advance()) {
        }
        step_hook = NULL;
        schedule->check();
        runs++;
    } while (next_order(depth));
    stop_workers();
    return runs;
}

bool schedule_has_died(void) {
    return has_died;
}
