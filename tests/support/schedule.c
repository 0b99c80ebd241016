/* SPDX-License-Identifier: MIT */
/* At each point where more than one thread could go on, or the mortal one die, a choice is made and noted. The next run makes
 * the same choices but the last one that has another possibility left. */
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/step.h"
#include "support/coroutine.h"
#include "support/test.h"

#define CHOICES_MAX 4096
#define SEEN_CAPACITY ((size_t)1 << 23)

struct worker {
    struct coroutine *coroutine;
    bool is_done, was_stuck;
    bool (*is_over)(const void *context); /* what it is blocked on; NULL: nothing */
    const void *context;
    uint64_t history; /* of all that it has read: where the thread is, and what it knows */
};

static const struct schedule *current;
static struct worker workers[SCHEDULE_THREADS_MAX];
static struct worker *self; /* the one that runs; NULL: whoever prepares and checks */
static bool has_died;

static int last, preemptions; /* who made the last step, -1: nobody; and how often it was not who could have */
static int choices[CHOICES_MAX], possibilities[CHOICES_MAX], depth;
static int new_from;   /* choices before this one were made by earlier runs, too */
static uint64_t *seen; /* states, by their place modulo SEEN_CAPACITY; 0: none */
static size_t seen_count;

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

static void on_saw(uint64_t value) {
    if (self != NULL) {
        self->history = mix(self->history, value);
    }
}

static void on_step(void) {
    if (self != NULL) {
        self->history = mix(self->history, 1);
        coroutine_yield();
    }
}

void schedule_block(bool (*is_over)(const void *context), const void *context) {
    self->is_over = is_over;
    self->context = context;
    on_step();
    self->is_over = NULL;
}

void schedule_knows_only(uint64_t known) {
    self->history = mix(0, known);
}

static void run_worker(void *context) {
    current->threads[(struct worker *)context - workers]();
}

/* One of `count` possibilities. */
static int choose(int count) {
    assert_true(depth < CHOICES_MAX);
    possibilities[depth] = count;
    return choices[depth++];
}

static uint64_t whole_state(void) {
    uint64_t hash = mix(current->state(), has_died);
    if (current->preemptions > 0) {
        hash = mix(hash, (uint64_t)last * CHOICES_MAX + (uint64_t)preemptions);
    }
    for (int i = 0; i < current->count; i++) {
        hash = mix(hash, workers[i].is_done ? 0 : workers[i].history);
    }
    return hash != 0 ? hash : 1;
}

/* Whether it was there before; notes it. */
static bool was_seen(uint64_t state) {
    size_t place = (size_t)state % SEEN_CAPACITY;
    while (seen[place] != 0 && seen[place] != state) {
        place = (place + 1) % SEEN_CAPACITY;
    }
    if (seen[place] == state) {
        return true;
    }
    assert_true(++seen_count < SEEN_CAPACITY / 2);
    seen[place] = state;
    return false;
}

static void let_go(struct worker *worker) {
    self = worker;
    coroutine_resume(worker->coroutine);
    self = NULL;
    worker->is_done = coroutine_has_ended(worker->coroutine);
}

static void end(struct worker *worker) {
    coroutine_reset(worker->coroutine);
    worker->is_done = true;
}

/* Ends those that have not come to their end. */
static void abandon(void) {
    for (int i = 0; i < current->count; i++) {
        if (!workers[i].is_done) {
            workers[i].was_stuck = true;
            end(&workers[i]);
        }
    }
}

/* What became of a step. */
enum advance { ADVANCED, ALL_ENDED, SEEN_BEFORE };

static bool is_able(int thread) {
    const struct worker *worker = &workers[thread];
    return !worker->is_done && (worker->is_over == NULL || worker->is_over(worker->context));
}

/* Lists the threads that may make the next step; returns how many. */
static int list_able(int able[SCHEDULE_THREADS_MAX]) {
    int count = 0;
    if (current->preemptions > 0 && preemptions == current->preemptions && last >= 0 && is_able(last)) {
        able[0] = last;
        return 1;
    }
    for (int i = 0; i < current->count; i++) {
        if (is_able(i)) {
            able[count++] = i;
        }
    }
    return count;
}

/* Lets one thread make one step. */
static enum advance advance(void) {
    int able[SCHEDULE_THREADS_MAX], count = list_able(able);
    bool can_die = current->mortal >= 0 && !workers[current->mortal].is_done;
    if (count == 0 && !can_die) {
        return ALL_ENDED;
    }
    if (current->state != NULL && depth >= new_from && was_seen(whole_state())) {
        return SEEN_BEFORE;
    }
    int choice = choose(count + (can_die ? 1 : 0));
    if (choice < count) {
        preemptions += last >= 0 && able[choice] != last && is_able(last);
        last = able[choice];
        let_go(&workers[last]);
    } else {
        has_died = true;
        end(&workers[current->mortal]);
    }
    return ADVANCED;
}

/* Whether there is an order left. */
static bool next_order(int length) {
    while (length > 0 && choices[length - 1] + 1 >= possibilities[length - 1]) {
        length--;
    }
    if (length > 0) {
        choices[length - 1]++;
        memset(choices + length, 0, (size_t)(CHOICES_MAX - length) * sizeof choices[0]);
        new_from = length;
    }
    return length > 0;
}

static void start_workers(void) {
    for (int i = 0; i < current->count; i++) {
        workers[i].coroutine = coroutine_create(run_worker, &workers[i]);
    }
}

static void stop_workers(void) {
    for (int i = 0; i < current->count; i++) {
        coroutine_destroy(workers[i].coroutine);
    }
}

/* One order. */
static void run(void) {
    enum advance result;
    depth = preemptions = 0;
    last = -1;
    has_died = false;
    for (int i = 0; i < current->count; i++) {
        struct worker *worker = &workers[i];
        worker->is_done = worker->was_stuck = false;
        worker->is_over = NULL;
        worker->history = 0;
        coroutine_reset(worker->coroutine);
    }
    current->prepare();
    step_hook = on_step;
    step_saw_hook = on_saw;
    while ((result = advance()) == ADVANCED) {
    }
    abandon();
    step_hook = NULL;
    step_saw_hook = NULL;
    if (result == ALL_ENDED) {
        current->check();
    }
}

long schedule_run_all(const struct schedule *schedule) {
    long runs = 0;
    current = schedule;
    memset(choices, 0, sizeof choices);
    new_from = 0;
    if (schedule->state != NULL) {
        seen = calloc(SEEN_CAPACITY, sizeof *seen);
        assert_non_null(seen);
        seen_count = 0;
    }
    start_workers();
    do {
        run();
        runs++;
    } while (next_order(depth));
    stop_workers();
    free(seen);
    seen = NULL;
    return runs;
}

bool schedule_was_stuck(int thread) {
    return workers[thread].was_stuck;
}

bool schedule_has_died(void) {
    return has_died;
}
