/* SPDX-License-Identifier: MIT */
/* Processes that use one of each kind all the time are killed at random, thousands of times, and at each single step. Checked:
 *   - no two hold the lock, and no three a permit of two, at the same time;
 *   - what a lock guards is in order, except where its holder was told of a death;
 *   - nobody waits for ever, and in the end nothing is held and nobody waits.
 *
 * MPROC_CHAOS_SEED and MPROC_CHAOS_KILLS in the environment repeat a run, or make it longer. */
#include "support/children.h"

#include "base/atomic.h"
#include "base/step.h"
#include "hub/session.h"
#include "mproc.h"
#include "support/chaos.h"
#include "support/system.h"
#include "sync/sync_handle.h"

enum { PROCESSES = 5, PERMITS = 2 };

/* What they share. */
struct guarded {
    atomic_number inside;   /* the holder of the lock; 0: none */
    atomic_number permits;  /* a bit for each process that has a permit */
    uint64_t first, second; /* equal, but while somebody holds the lock */
    atomic_number turns;    /* how often any of them has come around */
};

struct tools {
    mproc_lock *lock;
    mproc_semaphore *semaphore;
    mproc_event *event;
    mproc_condition *condition;
    mproc_barrier *barrier;
    mproc_shared *shared;
};

/* Children ----------------------------------------------------------------------------------------------------- */

static long steps_left; /* 0: it does not die by itself */

static void die_at_step(void) {
    if (--steps_left == 0) {
        system_kill(mproc_getpid());
        mproc_sleep(TEST_PATIENCE_MS); /* the end may take a moment to arrive */
    }
}

/* The status of acquiring the lock, which is 0 also where its last holder has died: then what is guarded is put in order. */
static int put_in_order(struct guarded *guarded, int status) {
    if (status == MPROC_EDIED) {
        (void)atomic_replace(&guarded->inside, 0);
        guarded->second = guarded->first;
        status = 0;
    }
    return status;
}

static int acquire(struct tools *tools, struct guarded *guarded) {
    return put_in_order(guarded, mproc_lock_acquire(tools->lock, MPROC_FOREVER));
}

/* What is wrong; NULL: nothing is. */
static const char *change_guarded(struct guarded *guarded, uint64_t self) {
    if (!atomic_compare_replace(&guarded->inside, 0, self)) {
        return "another one holds the lock, too";
    }
    if (guarded->first != guarded->second) {
        return "what is guarded is not in order, and nobody said so";
    }
    guarded->first++;
    guarded->second++;
    return atomic_compare_replace(&guarded->inside, self, 0) ? NULL : "another one has come in";
}

static const char *use_lock(struct tools *tools, struct guarded *guarded, uint64_t self) {
    if (acquire(tools, guarded) != 0) {
        return mproc_last_error()->message;
    }
    const char *wrong = change_guarded(guarded, self);
    return wrong != NULL || mproc_lock_release(tools->lock) == 0 ? wrong : mproc_last_error()->message;
}

static const char *use_semaphore(struct tools *tools, struct guarded *guarded, int index) {
    int status = mproc_semaphore_acquire(tools->semaphore, MPROC_FOREVER);
    if (status != 0 && status != MPROC_EDIED) {
        return mproc_last_error()->message;
    }
    uint64_t bits = atomic_set_bits(&guarded->permits, (uint64_t)1 << index) | (uint64_t)1 << index;
    int count = 0;
    for (int i = 0; i < PROCESSES; i++) {
        count += (bits >> i & 1) != 0;
    }
    (void)atomic_clear_bits(&guarded->permits, (uint64_t)1 << index);
    return mproc_semaphore_release(tools->semaphore) != 0 ? mproc_last_error()->message
           : count > PERMITS                              ? "too many have a permit"
                                                          : NULL;
}

/* Waits for whatever another one does, for a short time; and does it for the others. */
static const char *use_signals(struct tools *tools, struct guarded *guarded) {
    if (mproc_event_set(tools->event) != 0 || mproc_event_clear(tools->event) != 0 || acquire(tools, guarded) != 0 ||
        mproc_condition_notify(tools->condition, 1) != 0) {
        return mproc_last_error()->message;
    }
    int status = put_in_order(guarded, mproc_condition_wait(tools->condition, 1));
    if ((status != 0 && status != MPROC_ETIMEDOUT) || mproc_lock_release(tools->lock) != 0) {
        return mproc_last_error()->message;
    }
    status = mproc_event_wait(tools->event, 1);
    if (status != 0 && status != MPROC_ETIMEDOUT) {
        return mproc_last_error()->message;
    }
    status = mproc_barrier_wait(tools->barrier, 1);
    if (status == MPROC_ECLOSED) {
        status = mproc_barrier_reset(tools->barrier);
    }
    return status < 0 ? mproc_last_error()->message : NULL;
}

static void use_all(mproc_task *task) {
    int index, steps;
    struct tools tools = {mproc_task_lock(task, 0),      mproc_task_semaphore(task, 1), mproc_task_event(task, 2),
                          mproc_task_condition(task, 3), mproc_task_barrier(task, 4),   mproc_task_shared(task, 5)};
    if (tools.shared == NULL ||
        mproc_task_unpack(task, "(o,o,o,o,o,o,i,i)", NULL, NULL, NULL, NULL, NULL, NULL, &index, &steps) != 0) {
        return;
    }
    struct guarded *guarded = mproc_shared_data(tools.shared);
    const char *wrong = NULL;
    steps_left = steps;
    step_hook = steps > 0 ? die_at_step : NULL;
    do {
        wrong = use_lock(&tools, guarded, (uint64_t)index + 1);
        wrong = wrong == NULL ? use_semaphore(&tools, guarded, index) : wrong;
        wrong = wrong == NULL ? use_signals(&tools, guarded) : wrong;
        (void)atomic_increase(&guarded->turns, 1);
    } while (wrong == NULL && steps == 0);
    step_hook = NULL;
    if (wrong != NULL) {
        mproc_task_fail(task, "%s", wrong);
    }
}

/* Parent ------------------------------------------------------------------------------------------------------- */

static void create_tools(struct tools *tools, unsigned parties) {
    assert_mproc(0, mproc_lock_create(&tools->lock, false));
    assert_mproc(0, mproc_semaphore_create(&tools->semaphore, PERMITS, PERMITS));
    assert_mproc(0, mproc_event_create(&tools->event));
    assert_mproc(0, mproc_condition_create(&tools->condition, tools->lock));
    assert_mproc(0, mproc_barrier_create(&tools->barrier, parties));
    assert_mproc(0, mproc_shared_create(&tools->shared, sizeof(struct guarded)));
}

static void destroy_tools(struct tools *tools) {
    mproc_lock_destroy(tools->lock);
    mproc_semaphore_destroy(tools->semaphore);
    mproc_event_destroy(tools->event);
    mproc_condition_destroy(tools->condition);
    mproc_barrier_destroy(tools->barrier);
    mproc_shared_destroy(tools->shared);
}

static mproc_process *start_user(const struct tools *tools, int index, int steps) {
    return start_child(use_all, mproc_pack("[o,o,o,o,o,o,i,i]", mproc_lock_ref(tools->lock),
                                           mproc_semaphore_ref(tools->semaphore), mproc_event_ref(tools->event),
                                           mproc_condition_ref(tools->condition), mproc_barrier_ref(tools->barrier),
                                           mproc_shared_ref(tools->shared), index, steps));
}

static void check_empty(const void *sync) {
    struct cell *cell = ((const struct sync_handle *)sync)->object.room.cell;
    for (int i = 0; i < CELL_SLOTS; i++) {
        assert_int_equal(atomic_load(&cell->slots[i]), 0);
    }
    assert_int_equal(atomic_load(&cell->flags) & CELL_RESERVED, 0);
}

/* When all that used them have ended, and the first process has seen it. */
static void check_tools(const struct tools *tools) {
    for (int i = 0; i < TEST_PATIENCE_MS && sessions_count() > 0; i++) {
        mproc_sleep(1);
    }
    int status = mproc_lock_acquire(tools->lock, 0);
    assert_true(status == 0 || status == MPROC_EDIED);
    assert_mproc(0, mproc_lock_release(tools->lock));
    assert_mproc(0, mproc_lock_acquire(tools->lock, 0)); /* nobody is told twice */
    assert_mproc(0, mproc_lock_release(tools->lock));
    assert_int_equal(mproc_semaphore_value(tools->semaphore), PERMITS);
    check_empty(tools->lock);
    check_empty(tools->semaphore);
    check_empty(tools->event);
    check_empty(tools->condition);
    check_empty(tools->barrier);
}

static void await_turns(const struct guarded *guarded, uint64_t count) {
    uint64_t goal = atomic_load(&guarded->turns) + count;
    for (int i = 0; i < TEST_PATIENCE_MS && atomic_load(&guarded->turns) < goal; i++) {
        mproc_sleep(1);
    }
    assert_true(atomic_load(&guarded->turns) >= goal);
}

static void kills_at_random_break_nothing(void **state) {
    mproc_process *processes[PROCESSES];
    struct tools tools;
    (void)state;
    unsigned seed = chaos_seed();
    int kills = chaos_kills(system_is_slow_to_spawn() ? 60 : 3000);
    create_tools(&tools, 2);
    struct guarded *guarded = mproc_shared_data(tools.shared);
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = start_user(&tools, i, 0);
    }
    for (int kill = 0; kill < kills; kill++) {
        int index = (int)(chaos_random(&seed) % PROCESSES);
        await_turns(guarded, chaos_random(&seed) % 8);
        assert_mproc(0, mproc_process_kill(processes[index]));
        end_child(processes[index], -9); /* or it had found something wrong, and ended by itself */
        (void)atomic_clear_bits(&guarded->permits, (uint64_t)1 << index);
        processes[index] = start_user(&tools, index, 0);
    }
    await_turns(guarded, PROCESSES); /* they all go on */
    uint64_t turns = atomic_load(&guarded->turns);
    print_message("%d kills, %llu turns\n", kills, (unsigned long long)turns);
    for (int i = 0; i < PROCESSES; i++) {
        assert_mproc(0, mproc_process_kill(processes[i]));
        end_child(processes[i], -9);
    }
    check_tools(&tools);
    destroy_tools(&tools);
}

static void a_death_at_any_step_breaks_nothing(void **state) {
    int exitcode, steps = 0;
    (void)state;
    do {
        struct tools tools;
        create_tools(&tools, 1);
        steps += system_is_slow_to_spawn() ? 5 : 1;
        mproc_process *process = start_user(&tools, 0, steps);
        assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
        assert_mproc(0, mproc_process_exitcode(process, &exitcode));
        mproc_process_destroy(process);
        check_tools(&tools);
        destroy_tools(&tools);
    } while (exitcode == system_kill_code()); /* until it comes through */
    print_message("%d steps\n", steps);
    assert_int_equal(exitcode, 0);
    assert_true(steps > 20);
}

static const mproc_target targets[] = {MPROC_TARGET(use_all), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_death_at_any_step_breaks_nothing),
        cmocka_unit_test(kills_at_random_break_nothing),
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("sync chaos", tests, NULL, NULL);
}
