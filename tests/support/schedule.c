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
#define DIES SCHEDULE_THREADS_MAX /* in the place of a thread: the mortal one dies */
#define FIRST_CAPACITY ((size_t)1 << 12)

struct worker {
    struct coroutine *coroutine;
    bool is_done, was_stuck;
    bool (*is_over)(const void *context); /* what it is blocked on; NULL: nothing */
    const void *context;
    uint64_t memory; /* of what it has read, and how many steps it has made */
};

static const struct schedule *current;
static struct worker workers[SCHEDULE_THREADS_MAX];
static struct worker *self; /* the one that runs; NULL: whoever prepares and checks */
static bool has_died;

struct choice {
    int taker;                      /* who made the step, or DIES */
    int possibility, possibilities; /* which it was, of how many */
    int last;                       /* after it: who has made the last step that was one */
    int preemptions;                /* after it: how often one that could go on had to wait */
};

static struct choice choices[CHOICES_MAX];
static int depth;
static int new_from; /* choices before this one are made as in the run before, but for the last of them */

static uint64_t *seen; /* states, by their place modulo the capacity; 0: none */
static size_t seen_count, seen_capacity;

static void on_step(void) {
    if (self != NULL) {
        step_remember(1);
        coroutine_yield();
    }
}

void schedule_block(bool (*is_over)(const void *context), const void *context) {
    self->is_over = is_over;
    self->context = context;
    on_step();
    self->is_over = NULL;
}

static void run_worker(void *context) {
    current->threads[(struct worker *)context - workers]();
}

/* States that were there before --------------------------------------------------------------------------------- */

static uint64_t whole_state(const struct choice *before) {
    uint64_t hash = step_mix(current->state(), has_died);
    if (current->preemptions > 0) {
        hash = step_mix(hash, (uint64_t)before->last * CHOICES_MAX + (uint64_t)before->preemptions);
    }
    for (int i = 0; i < current->count; i++) {
        hash = step_mix(step_mix(hash, workers[i].memory), workers[i].is_done);
    }
    return hash != 0 ? hash : 1;
}

static size_t place_of(uint64_t state) {
    size_t place = (size_t)state % seen_capacity;
    while (seen[place] != 0 && seen[place] != state) {
        place = (place + 1) % seen_capacity;
    }
    return place;
}

static void make_room(size_t capacity) {
    uint64_t *before = seen;
    size_t before_capacity = seen_capacity;
    seen = calloc(capacity, sizeof *seen);
    assert_non_null(seen);
    seen_capacity = capacity;
    for (size_t i = 0; i < before_capacity; i++) {
        if (before[i] != 0) {
            seen[place_of(before[i])] = before[i];
        }
    }
    free(before);
}

/* Whether it was there before; notes it. */
static bool was_seen(uint64_t state) {
    size_t place = place_of(state);
    if (seen[place] == state) {
        return true;
    }
    seen[place] = state;
    if (++seen_count > seen_capacity / 2) {
        make_room(seen_capacity * 2);
    }
    return false;
}

static void forget_all_states(void) {
    free(seen);
    seen = NULL;
    seen_count = seen_capacity = 0;
}

/* One order ----------------------------------------------------------------------------------------------------- */

static void let_go(struct worker *worker) {
    self = worker;
    step_memory = &worker->memory;
    coroutine_resume(worker->coroutine);
    self = NULL;
    step_memory = NULL;
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

static bool is_able(int thread) {
    const struct worker *worker = &workers[thread];
    return !worker->is_done && (worker->is_over == NULL || worker->is_over(worker->context));
}

/* Lists who may make the next step; returns how many. */
static int list_takers(const struct choice *before, int takers[SCHEDULE_THREADS_MAX + 1]) {
    int count = 0;
    bool must_go_on = current->preemptions > 0 && before->preemptions == current->preemptions && before->last >= 0 &&
                      is_able(before->last);
    for (int i = 0; i < current->count; i++) {
        if (must_go_on ? i == before->last : is_able(i)) {
            takers[count++] = i;
        }
    }
    if (current->mortal >= 0 && !workers[current->mortal].is_done) {
        takers[count++] = DIES;
    }
    return count;
}

/* Chooses the possibility that is noted. false: there is none. */
static bool choose(struct choice *choice, const struct choice *before) {
    int takers[SCHEDULE_THREADS_MAX + 1];
    choice->possibilities = list_takers(before, takers);
    if (choice->possibilities == 0) {
        return false;
    }
    choice->taker = takers[choice->possibility];
    choice->last = choice->taker != DIES ? choice->taker : before->last;
    choice->preemptions =
        before->preemptions + (choice->last != before->last && before->last >= 0 && is_able(before->last));
    return true;
}

static void make_step(int taker) {
    if (taker == DIES) {
        has_died = true;
        workers[current->mortal].memory = 0;
        end(&workers[current->mortal]);
    } else {
        let_go(&workers[taker]);
    }
}

/* Whether it came to its end; false: to a state that was there before. */
static bool make_all_steps(void) {
    static const struct choice none = {.last = -1};
    for (depth = 0; depth < new_from - 1; depth++) {
        make_step(choices[depth].taker);
    }
    for (;; depth++) {
        const struct choice *before = depth > 0 ? &choices[depth - 1] : &none;
        assert_true(depth < CHOICES_MAX);
        if (!choose(&choices[depth], before)) {
            return true;
        }
        if (depth >= new_from && current->state != NULL && was_seen(whole_state(before))) {
            return false;
        }
        make_step(choices[depth].taker);
    }
}

/* Whether there is an order left. */
static bool next_order(void) {
    while (depth > 0 && choices[depth - 1].possibility + 1 >= choices[depth - 1].possibilities) {
        choices[--depth].possibility = 0;
    }
    if (depth > 0) {
        choices[depth - 1].possibility++;
    }
    new_from = depth;
    return depth > 0;
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

static void run(void) {
    has_died = false;
    for (int i = 0; i < current->count; i++) {
        workers[i] = (struct worker){.coroutine = workers[i].coroutine};
        coroutine_reset(workers[i].coroutine);
    }
    current->prepare();
    step_hook = on_step;
    bool is_at_end = make_all_steps();
    abandon();
    step_hook = NULL;
    if (is_at_end) {
        current->check();
    }
}

long schedule_run_all(const struct schedule *schedule) {
    long runs = 0;
    current = schedule;
    memset(choices, 0, sizeof choices);
    new_from = 0;
    forget_all_states(); /* of a schedule that failed */
    make_room(FIRST_CAPACITY);
    start_workers();
    do {
        run();
        runs++;
    } while (next_order());
    stop_workers();
    forget_all_states();
    return runs;
}

bool schedule_was_stuck(int thread) {
    return workers[thread].was_stuck;
}

bool schedule_has_died(void) {
    return has_died;
}
