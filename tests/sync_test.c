/* SPDX-License-Identifier: MIT */
/* Locks and signals: the acceptance cases 96 to 101 of shared/semantics.md, deaths, and what each call promises. */
#include "support/children.h"

#include <stdlib.h>
#include <uv.h>

#include "mproc.h"
#include "support/system.h"
#include "sync/sync_handle.h"

/* Looking inside ----------------------------------------------------------------------------------------------- */

static struct room *room_of(const void *sync) {
    return &((struct sync_handle *)(uintptr_t)sync)->object.room;
}

static int count_waiting(const void *sync) {
    int count = 0;
    for (int i = 0; i < CELL_SLOTS; i++) {
        count += (atomic_load(&room_of(sync)->cell->slots[i]) & 0xFF) == SLOT_WAITING;
    }
    return count;
}

/* It may change again at once: the first process wakes waiters when another one has died. */
static void await_waiting(const void *sync, int count) {
    int waiting = count_waiting(sync);
    for (int i = 0; i < TEST_PATIENCE_MS && waiting != count; i++) {
        mproc_sleep(1);
        waiting = count_waiting(sync);
    }
    assert_int_equal(waiting, count);
}

/* Children ----------------------------------------------------------------------------------------------------- */

static void acquire_and_stay(mproc_task *task) {
    mproc_lock *lock = mproc_task_lock(task, 0);
    mproc_event *event = mproc_task_event(task, 1);
    if (lock != NULL && event != NULL) {
        check_task(task, mproc_lock_acquire(lock, MPROC_FOREVER));
        (void)mproc_lock_acquire(lock, 0); /* twice, where it is recursive */
        check_task(task, mproc_event_set(event));
        mproc_sleep(600 * 1000);
    }
}

static void acquire_semaphore_and_stay(mproc_task *task) {
    mproc_semaphore *semaphore = mproc_task_semaphore(task, 0);
    mproc_event *event = mproc_task_event(task, 1);
    if (semaphore != NULL && event != NULL) {
        check_task(task, mproc_semaphore_acquire(semaphore, MPROC_FOREVER));
        check_task(task, mproc_event_set(event));
        mproc_sleep(600 * 1000);
    }
}

static void acquire_and_release(mproc_task *task) {
    mproc_lock *lock = mproc_task_lock(task, 0);
    if (lock != NULL) {
        check_task(task, mproc_lock_acquire(lock, MPROC_FOREVER));
        check_task(task, mproc_lock_release(lock));
    }
}

/* It cannot: another one has it. */
static void release_only(mproc_task *task) {
    mproc_lock *lock = mproc_task_lock(task, 0);
    if (lock != NULL && mproc_lock_release(lock) != MPROC_EPERM) {
        mproc_task_fail(task, "released");
    }
}

static void count_up(mproc_task *task) {
    int times;
    mproc_shared *shared = mproc_task_shared(task, 0);
    if (shared == NULL || mproc_task_unpack(task, "(o,i)", NULL, &times) != 0) {
        return;
    }
    int *number = mproc_shared_data(shared);
    for (int i = 0; i < times; i++) {
        check_task(task, mproc_lock_acquire(mproc_shared_lock(shared), MPROC_FOREVER));
        (*number)++;
        check_task(task, mproc_lock_release(mproc_shared_lock(shared)));
    }
}

static void wait_for_event(mproc_task *task) {
    mproc_event *event = mproc_task_event(task, 0);
    if (event != NULL) {
        check_task(task, mproc_event_wait(event, MPROC_FOREVER));
    }
}

static void set_event(mproc_task *task) {
    mproc_event *event = mproc_task_event(task, 0);
    if (event != NULL) {
        check_task(task, mproc_event_set(event));
    }
}

/* Waits for the condition, and tells by a queue that it was notified. */
static void wait_for_condition(mproc_task *task) {
    mproc_lock *lock = mproc_task_lock(task, 0);
    mproc_condition *condition = mproc_task_condition(task, 1);
    mproc_queue *queue = mproc_task_queue(task, 2);
    if (lock != NULL && condition != NULL && queue != NULL) {
        check_task(task, mproc_lock_acquire(lock, MPROC_FOREVER));
        check_task(task, mproc_condition_wait(condition, MPROC_FOREVER));
        put_number(queue, 1);
        check_task(task, mproc_lock_release(lock));
    }
}

/* Goes through a barrier so many times, and tells each order of arrival. */
static void go_through(mproc_task *task) {
    int rounds;
    mproc_barrier *barrier = mproc_task_barrier(task, 0);
    mproc_queue *queue = mproc_task_queue(task, 1);
    if (barrier == NULL || queue == NULL || mproc_task_unpack(task, "(o,o,i)", NULL, NULL, &rounds) != 0) {
        return;
    }
    for (int round = 0; round < rounds; round++) {
        int order = mproc_barrier_wait(barrier, MPROC_FOREVER);
        if (mproc_queue_put(queue, mproc_pack("[i,i]", round, order), MPROC_FOREVER) != 0 || order < 0) {
            return;
        }
    }
}

/* The same in step with others: nobody is a round ahead. */
static void go_in_step(mproc_task *task) {
    int rounds, parties;
    mproc_barrier *barrier = mproc_task_barrier(task, 0);
    mproc_shared *shared = mproc_task_shared(task, 1);
    if (barrier == NULL || shared == NULL || mproc_task_unpack(task, "(o,o,i,i)", NULL, NULL, &rounds, &parties) != 0) {
        return;
    }
    int *orders = mproc_shared_data(shared); /* how often each was given in each round */
    for (int round = 0; round < rounds; round++) {
        int order = mproc_barrier_wait(barrier, MPROC_FOREVER);
        check_task(task, order < 0 ? order : 0);
        orders[round * parties + order]++;
        check_task(task, mproc_barrier_wait(barrier, MPROC_FOREVER) >= 0 ? 0 : MPROC_ECLOSED);
        for (int i = 0; i < parties; i++) {
            if (orders[round * parties + i] != 1) {
                mproc_task_fail(task, "in round %d the order %d was given %d times", round, i,
                                orders[round * parties + i]);
            }
        }
    }
}

/* Makes one of each, hands them over, and ends. */
static void make_and_hand_over(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    mproc_lock *lock = NULL;
    mproc_semaphore *semaphore = NULL;
    mproc_event *event = NULL;
    mproc_condition *condition = NULL;
    mproc_barrier *barrier = NULL;
    check_task(task, mproc_lock_create(&lock, true));
    check_task(task, mproc_semaphore_create(&semaphore, 3, 0));
    check_task(task, mproc_event_create(&event));
    check_task(task, mproc_condition_create(&condition, lock));
    check_task(task, mproc_barrier_create(&barrier, 1));
    check_task(task, mproc_event_set(event));
    if (queue != NULL) {
        check_task(task, mproc_queue_put(queue,
                                         mproc_pack("{s:o,s:o,s:o,s:o,s:o}", "lock", mproc_lock_ref(lock), "semaphore",
                                                    mproc_semaphore_ref(semaphore), "event", mproc_event_ref(event),
                                                    "condition", mproc_condition_ref(condition), "barrier",
                                                    mproc_barrier_ref(barrier)),
                                         MPROC_FOREVER));
    }
    mproc_lock_destroy(lock);
    mproc_semaphore_destroy(semaphore);
    mproc_event_destroy(event);
    mproc_condition_destroy(condition);
    mproc_barrier_destroy(barrier);
}

/* Counts how often it gets the lock until it is told to stop. */
static void compete(mproc_task *task) {
    int index;
    mproc_lock *lock = mproc_task_lock(task, 0);
    mproc_shared *shared = mproc_task_shared(task, 1);
    mproc_event *stop = mproc_task_event(task, 2);
    mproc_barrier *start = mproc_task_barrier(task, 3);
    if (lock == NULL || shared == NULL || stop == NULL || start == NULL ||
        mproc_task_unpack(task, "(o,o,o,o,i)", NULL, NULL, NULL, NULL, &index) != 0) {
        return;
    }
    uint64_t *counts = mproc_shared_data(shared);
    check_task(task, mproc_barrier_wait(start, MPROC_FOREVER) >= 0 ? 0 : MPROC_ECLOSED);
    while (!mproc_event_is_set(stop)) {
        check_task(task, mproc_lock_acquire(lock, MPROC_FOREVER));
        counts[index]++;
        check_task(task, mproc_lock_release(lock));
    }
}

/* Locks -------------------------------------------------------------------------------------------------------- */

static mproc_lock *create_lock(bool recursive) {
    mproc_lock *lock = NULL;
    assert_mproc(0, mproc_lock_create(&lock, recursive));
    return lock;
}

static mproc_event *create_event(void) {
    mproc_event *event = NULL;
    assert_mproc(0, mproc_event_create(&event));
    return event;
}

static void try_release(void *lock) {
    assert_mproc(MPROC_EPERM, mproc_lock_release(lock));
    assert_message("does not hold the lock");
    assert_mproc(MPROC_ETIMEDOUT, mproc_lock_acquire(lock, 20));
}

/* 96 */
static void a_lock_belongs_to_its_holder(void **state) {
    uv_thread_t thread;
    (void)state;
    mproc_lock *lock = create_lock(false);
    assert_mproc(0, mproc_lock_acquire(lock, MPROC_FOREVER));
    assert_mproc(MPROC_ETIMEDOUT, mproc_lock_acquire(lock, 0));
    assert_mproc(MPROC_ETIMEDOUT, mproc_lock_acquire(lock, 20));
    assert_message("not free within 20 ms");
    assert_mproc(MPROC_ESTATE, mproc_lock_acquire(lock, MPROC_FOREVER));
    assert_message("recursive");
    assert_int_equal(uv_thread_create(&thread, try_release, lock), 0);
    assert_int_equal(uv_thread_join(&thread), 0);
    end_child(start_child(release_only, mproc_pack("[o]", mproc_lock_ref(lock))), 0);
    assert_mproc(0, mproc_lock_release(lock));
    assert_mproc(MPROC_EPERM, mproc_lock_release(lock));
    mproc_lock_destroy(lock);
    lock = create_lock(true);
    for (int i = 0; i < 2; i++) {
        assert_mproc(0, mproc_lock_acquire(lock, 0));
        assert_mproc(0, mproc_lock_acquire(lock, MPROC_FOREVER));
        assert_mproc(0, mproc_lock_release(lock));
        assert_mproc(0, mproc_lock_release(lock));
        assert_mproc(MPROC_EPERM, mproc_lock_release(lock));
    }
    mproc_lock_destroy(lock);
}

/* 97 */
static void increments_under_a_lock_are_all_there(void **state) {
    enum { PROCESSES = 4 };
    mproc_process *processes[PROCESSES];
    mproc_shared *shared = NULL;
    (void)state;
    int times = system_is_slow_to_spawn() ? 500 : 10000;
    assert_mproc(0, mproc_shared_create(&shared, sizeof(int)));
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = start_child(count_up, mproc_pack("[o,i]", mproc_shared_ref(shared), times));
    }
    for (int i = 0; i < PROCESSES; i++) {
        end_child(processes[i], 0);
    }
    assert_int_equal(*(int *)mproc_shared_data(shared), PROCESSES * times);
    mproc_shared_destroy(shared);
}

/* A child that holds the lock. */
static mproc_process *start_holder(mproc_lock *lock) {
    mproc_event *event = create_event();
    mproc_process *process =
        start_child(acquire_and_stay, mproc_pack("[o,o]", mproc_lock_ref(lock), mproc_event_ref(event)));
    assert_mproc(0, mproc_event_wait(event, TEST_PATIENCE_MS));
    mproc_event_destroy(event);
    return process;
}

static void kill_child(mproc_process *process) {
    assert_mproc(0, mproc_process_kill(process));
    end_child(process, -9);
}

static void a_killed_holder_releases_and_the_next_one_is_told(void **state) {
    (void)state;
    for (int recursive = 0; recursive < 2; recursive++) {
        mproc_lock *lock = create_lock(recursive);
        mproc_process *holder = start_holder(lock);
        assert_mproc(MPROC_ETIMEDOUT, mproc_lock_acquire(lock, 20));
        kill_child(holder);
        assert_mproc(MPROC_EDIED, mproc_lock_acquire(lock, TEST_PATIENCE_MS));
        assert_message("ended without releasing it");
        assert_mproc(0, mproc_lock_release(lock)); /* it was held */
        assert_mproc(0, mproc_lock_acquire(lock, 0));
        assert_mproc(0, mproc_lock_release(lock));
        assert_mproc(MPROC_EPERM, mproc_lock_release(lock));
        mproc_lock_destroy(lock);
    }
}

/* While somebody waits. */
static void a_holder_is_killed_before_a_waiter(void **state) {
    (void)state;
    mproc_lock *lock = create_lock(false);
    mproc_process *holder = start_holder(lock);
    mproc_process *waiter = start_child(acquire_and_release, mproc_pack("[o]", mproc_lock_ref(lock)));
    await_waiting(lock, 1);
    kill_child(holder);
    end_child(waiter, 1); /* it was told, and failed for it */
    assert_mproc(0, mproc_lock_acquire(lock, 0));
    assert_mproc(0, mproc_lock_release(lock));
    mproc_lock_destroy(lock);
}

static void killed_waiters_are_forgotten(void **state) {
    (void)state;
    mproc_lock *lock = create_lock(false);
    assert_mproc(0, mproc_lock_acquire(lock, 0));
    mproc_process *first = start_child(acquire_and_release, mproc_pack("[o]", mproc_lock_ref(lock)));
    await_waiting(lock, 1);
    mproc_process *second = start_child(acquire_and_release, mproc_pack("[o]", mproc_lock_ref(lock)));
    await_waiting(lock, 2);
    kill_child(first);
    await_waiting(lock, 1);
    assert_mproc(0, mproc_lock_release(lock));
    end_child(second, 0);
    assert_mproc(0, mproc_lock_acquire(lock, 0));
    assert_mproc(0, mproc_lock_release(lock));
    mproc_lock_destroy(lock);
}

/* The least and the greatest of the numbers, and whether there is enough to compare, with at most that factor in between. */
static bool are_shares_fair(const uint64_t *counts, int count) {
    enum { ENOUGH = 1000, FACTOR = 20 };
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < count; i++) {
        least = counts[i] < least ? counts[i] : least;
        most = counts[i] > most ? counts[i] : most;
    }
    return least >= ENOUGH && least * FACTOR >= most;
}

/* Each gets the lock a thousand times, and a twentieth as often as the one that gets it most often. */
static void no_waiter_starves(void **state) {
    enum { PROCESSES = 16 };
    mproc_process *processes[PROCESSES];
    mproc_shared *shared = NULL;
    mproc_barrier *start = NULL;
    (void)state;
    mproc_lock *lock = create_lock(false);
    mproc_event *stop = create_event();
    assert_mproc(0, mproc_shared_create(&shared, PROCESSES * sizeof(uint64_t)));
    assert_mproc(0, mproc_barrier_create(&start, PROCESSES));
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = start_child(compete, mproc_pack("[o,o,o,o,i]", mproc_lock_ref(lock), mproc_shared_ref(shared),
                                                       mproc_event_ref(stop), mproc_barrier_ref(start), i));
    }
    for (int i = 0; i < TEST_PATIENCE_MS / 10 && !are_shares_fair(mproc_shared_data(shared), PROCESSES); i++) {
        mproc_sleep(10);
    }
    assert_true(are_shares_fair(mproc_shared_data(shared), PROCESSES));
    assert_mproc(0, mproc_event_set(stop));
    for (int i = 0; i < PROCESSES; i++) {
        end_child(processes[i], 0);
    }
    mproc_barrier_destroy(start);
    mproc_shared_destroy(shared);
    mproc_event_destroy(stop);
    mproc_lock_destroy(lock);
}

/* Semaphores --------------------------------------------------------------------------------------------------- */

/* 98 */
static void a_semaphore_counts(void **state) {
    mproc_semaphore *semaphore = NULL;
    (void)state;
    for (unsigned max = 0; max <= 2; max += 2) {
        assert_mproc(0, mproc_semaphore_create(&semaphore, 2, max));
        assert_int_equal(mproc_semaphore_value(semaphore), 2);
        assert_mproc(0, mproc_semaphore_acquire(semaphore, MPROC_FOREVER));
        assert_mproc(0, mproc_semaphore_acquire(semaphore, 0));
        assert_mproc(MPROC_ETIMEDOUT, mproc_semaphore_acquire(semaphore, 0));
        assert_int_equal(mproc_semaphore_value(semaphore), 0);
        double start = mproc_time();
        assert_mproc(MPROC_ETIMEDOUT, mproc_semaphore_acquire(semaphore, 200));
        assert_true(mproc_time() - start >= 0.2);
        assert_message("stayed at 0 for 200 ms");
        assert_mproc(0, mproc_semaphore_release(semaphore));
        assert_mproc(0, mproc_semaphore_release(semaphore));
        assert_mproc(max == 0 ? 0 : MPROC_ERANGE, mproc_semaphore_release(semaphore));
        assert_int_equal(mproc_semaphore_value(semaphore), max == 0 ? 3 : 2);
        mproc_semaphore_destroy(semaphore);
    }
    assert_mproc(MPROC_EINVAL, mproc_semaphore_create(&semaphore, 3, 2));
    assert_mproc(MPROC_EINVAL, mproc_semaphore_create(&semaphore, 1u << 31, 0));
    assert_mproc(0, mproc_semaphore_create(&semaphore, 0, 1000)); /* more than there are permits for */
    for (int i = 0; i < 1000; i++) {
        assert_mproc(0, mproc_semaphore_release(semaphore));
    }
    assert_mproc(MPROC_ERANGE, mproc_semaphore_release(semaphore));
    mproc_semaphore_destroy(semaphore);
}

/* What a process has acquired that is killed: a permit comes back, a signal does not. */
static void a_killed_process_gives_its_permits_back(void **state) {
    (void)state;
    for (unsigned max = 0; max <= 1; max++) {
        mproc_semaphore *semaphore = NULL;
        mproc_event *event = create_event();
        assert_mproc(0, mproc_semaphore_create(&semaphore, 1, max));
        mproc_process *process = start_child(
            acquire_semaphore_and_stay, mproc_pack("[o,o]", mproc_semaphore_ref(semaphore), mproc_event_ref(event)));
        assert_mproc(0, mproc_event_wait(event, TEST_PATIENCE_MS));
        kill_child(process);
        if (max > 0) {
            assert_mproc(MPROC_EDIED, mproc_semaphore_acquire(semaphore, TEST_PATIENCE_MS));
            assert_mproc(0, mproc_semaphore_release(semaphore));
            assert_mproc(0, mproc_semaphore_acquire(semaphore, 0));
        } else {
            assert_mproc(MPROC_ETIMEDOUT, mproc_semaphore_acquire(semaphore, 50));
        }
        mproc_event_destroy(event);
        mproc_semaphore_destroy(semaphore);
    }
}

/* Events ------------------------------------------------------------------------------------------------------- */

/* 99 */
static void an_event_is_waited_for(void **state) {
    (void)state;
    mproc_event *event = create_event();
    assert_false(mproc_event_is_set(event));
    assert_mproc(MPROC_ETIMEDOUT, mproc_event_wait(event, 0));
    assert_mproc(MPROC_ETIMEDOUT, mproc_event_wait(event, 200));
    assert_message("not set within 200 ms");
    mproc_process *process = start_child(set_event, mproc_pack("[o]", mproc_event_ref(event)));
    assert_mproc(0, mproc_event_wait(event, TEST_PATIENCE_MS));
    assert_true(mproc_event_is_set(event));
    assert_mproc(0, mproc_event_wait(event, 0));
    end_child(process, 0);
    assert_mproc(0, mproc_event_clear(event));
    assert_false(mproc_event_is_set(event));
    assert_mproc(MPROC_ETIMEDOUT, mproc_event_wait(event, 0));
    mproc_event_destroy(event);
}

static void an_event_wakes_all_though_it_is_cleared_at_once(void **state) {
    enum { PROCESSES = 3 };
    mproc_process *processes[PROCESSES];
    (void)state;
    mproc_event *event = create_event();
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = start_child(wait_for_event, mproc_pack("[o]", mproc_event_ref(event)));
    }
    await_waiting(event, PROCESSES);
    assert_mproc(0, mproc_event_set(event));
    assert_mproc(0, mproc_event_clear(event));
    for (int i = 0; i < PROCESSES; i++) {
        end_child(processes[i], 0);
    }
    mproc_event_destroy(event);
}

/* More threads than there are slots. */
static void wait_in_thread(void *event) {
    assert_mproc(0, mproc_event_wait(event, TEST_PATIENCE_MS));
}

static void any_number_of_threads_may_wait(void **state) {
    enum { THREADS = CELL_SLOTS + 20 };
    static uv_thread_t threads[THREADS];
    (void)state;
    mproc_event *event = create_event();
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_create(&threads[i], wait_in_thread, event), 0);
    }
    await_waiting(event, CELL_SLOTS);
    assert_mproc(0, mproc_event_set(event));
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
    }
    assert_int_equal(count_waiting(event), 0);
    mproc_event_destroy(event);
}

/* Conditions --------------------------------------------------------------------------------------------------- */

static mproc_condition *create_condition(mproc_lock *lock) {
    mproc_condition *condition = NULL;
    assert_mproc(0, mproc_condition_create(&condition, lock));
    return condition;
}

static mproc_process *start_sleeper(mproc_lock *lock, mproc_condition *condition, mproc_queue *queue) {
    return start_child(wait_for_condition, mproc_pack("[o,o,o]", mproc_lock_ref(lock), mproc_condition_ref(condition),
                                                      mproc_queue_ref(queue)));
}

/* 100 */
static void a_condition_wakes_as_many_as_it_should(void **state) {
    enum { SLEEPERS = 6 };
    mproc_process *sleepers[SLEEPERS];
    (void)state;
    mproc_lock *lock = create_lock(true);
    mproc_condition *condition = create_condition(lock);
    mproc_queue *queue = create_queue(0);
    for (int i = 0; i < SLEEPERS; i++) {
        sleepers[i] = start_sleeper(lock, condition, queue);
        await_waiting(condition, i + 1);
    }
    assert_mproc(MPROC_EPERM, mproc_condition_notify(condition, 1));
    assert_message("does not hold the condition's lock");
    assert_mproc(0, mproc_lock_acquire(lock, MPROC_FOREVER));
    assert_mproc(0, mproc_lock_acquire(lock, MPROC_FOREVER)); /* as often again after a wait */
    assert_mproc(0, mproc_condition_notify(condition, 1));
    assert_int_equal(count_waiting(condition), SLEEPERS - 1);
    assert_mproc(MPROC_ETIMEDOUT, mproc_condition_wait(condition, 200)); /* lets the first one go on */
    expect_number(queue, 1);
    assert_mproc(0, mproc_condition_notify(condition, 0));
    assert_int_equal(count_waiting(condition), SLEEPERS - 1);
    assert_mproc(0, mproc_condition_notify_all(condition));
    assert_mproc(0, mproc_lock_release(lock));
    assert_mproc(0, mproc_lock_release(lock));
    assert_mproc(MPROC_EPERM, mproc_lock_release(lock));
    for (int i = 1; i < SLEEPERS; i++) {
        expect_number(queue, 1);
    }
    for (int i = 0; i < SLEEPERS; i++) {
        end_child(sleepers[i], 0);
    }
    assert_mproc(MPROC_EPERM, mproc_condition_wait(condition, 0));
    mproc_queue_destroy(queue);
    mproc_condition_destroy(condition);
    mproc_lock_destroy(lock);
}

/* Two wait for a condition, the first of which is killed before or after it is notified; the second one goes on. */
static void kill_first_sleeper(bool after_notification) {
    mproc_lock *lock = create_lock(false);
    mproc_condition *condition = create_condition(lock);
    mproc_queue *queue = create_queue(0);
    mproc_process *first = start_sleeper(lock, condition, queue);
    await_waiting(condition, 1);
    mproc_process *second = start_sleeper(lock, condition, queue);
    await_waiting(condition, 2);
    if (after_notification) {
        system_halt(mproc_process_pid(first));
    } else {
        kill_child(first);
        await_waiting(condition, 1);
    }
    assert_mproc(0, mproc_lock_acquire(lock, 0));
    assert_mproc(0, mproc_condition_notify(condition, 1)); /* for the one that has waited longest */
    assert_mproc(0, mproc_lock_release(lock));
    if (after_notification) {
        kill_child(first);
    }
    expect_number(queue, 1);
    end_child(second, 0);
    mproc_queue_destroy(queue);
    mproc_condition_destroy(condition);
    mproc_lock_destroy(lock);
}

static void a_killed_sleeper_is_not_notified(void **state) {
    (void)state;
    kill_first_sleeper(false);
}

static void what_a_killed_sleeper_was_notified_of_goes_on(void **state) {
    (void)state;
    kill_first_sleeper(true);
}

/* Barriers ----------------------------------------------------------------------------------------------------- */

static mproc_barrier *create_barrier(unsigned parties) {
    mproc_barrier *barrier = NULL;
    assert_mproc(0, mproc_barrier_create(&barrier, parties));
    return barrier;
}

/* 101 */
static void a_barrier_goes_in_lockstep(void **state) {
    enum { PARTIES = 5, ROUNDS = 10 };
    mproc_process *parties[PARTIES];
    mproc_shared *shared = NULL;
    (void)state;
    mproc_barrier *barrier = create_barrier(PARTIES);
    assert_mproc(0, mproc_shared_create(&shared, ROUNDS * PARTIES * sizeof(int)));
    for (int i = 0; i < PARTIES; i++) {
        parties[i] = start_child(
            go_in_step, mproc_pack("[o,o,i,i]", mproc_barrier_ref(barrier), mproc_shared_ref(shared), ROUNDS, PARTIES));
    }
    for (int i = 0; i < PARTIES; i++) {
        end_child(parties[i], 0);
    }
    mproc_shared_destroy(shared);
    mproc_barrier_destroy(barrier);
}

/* Two children wait; what breaks the barrier is told to both. */
static void expect_break(mproc_barrier *barrier, void (*break_it)(mproc_barrier *barrier), bool is_reset) {
    mproc_process *parties[2];
    mproc_queue *queue = create_queue(0);
    for (int i = 0; i < 2; i++) {
        parties[i] =
            start_child(go_through, mproc_pack("[o,o,i]", mproc_barrier_ref(barrier), mproc_queue_ref(queue), 1));
    }
    await_waiting(barrier, 2);
    break_it(barrier);
    for (int i = 0; i < 2; i++) {
        int order;
        cJSON *item = get_item(queue);
        assert_mproc(0, mproc_unpack(item, "[i,i]", NULL, &order));
        cJSON_Delete(item);
        assert_int_equal(order, MPROC_ECLOSED);
        end_child(parties[i], 0);
    }
    if (!is_reset) {
        assert_int_equal(mproc_barrier_wait(barrier, MPROC_FOREVER), MPROC_ECLOSED);
        assert_message("broken");
        assert_mproc(0, mproc_barrier_reset(barrier));
    }
    mproc_queue_destroy(queue);
}

static void give_up(mproc_barrier *barrier) {
    assert_int_equal(mproc_barrier_wait(barrier, 20), MPROC_ECLOSED);
    assert_message("not all parties came within 20 ms");
}

static void abort_it(mproc_barrier *barrier) {
    assert_mproc(0, mproc_barrier_abort(barrier));
}

static void reset_it(mproc_barrier *barrier) {
    assert_mproc(0, mproc_barrier_reset(barrier));
}

static void die_in_it(mproc_barrier *barrier) {
    mproc_queue *queue = create_queue(0);
    mproc_process *process =
        start_child(go_through, mproc_pack("[o,o,i]", mproc_barrier_ref(barrier), mproc_queue_ref(queue), 1));
    await_waiting(barrier, 3);
    kill_child(process);
    mproc_queue_destroy(queue);
}

static void a_barrier_is_broken_and_reset(void **state) {
    enum { PARTIES = 4 };
    (void)state;
    mproc_barrier *barrier = create_barrier(PARTIES);
    expect_break(barrier, give_up, false);
    expect_break(barrier, abort_it, false);
    expect_break(barrier, reset_it, true);
    expect_break(barrier, die_in_it, false);
    mproc_process *parties[PARTIES]; /* and it is as new */
    mproc_queue *queue = create_queue(0);
    for (int i = 0; i < PARTIES; i++) {
        parties[i] =
            start_child(go_through, mproc_pack("[o,o,i]", mproc_barrier_ref(barrier), mproc_queue_ref(queue), 3));
    }
    for (int i = 0; i < PARTIES; i++) {
        end_child(parties[i], 0);
    }
    assert_int_equal(mproc_queue_qsize(queue), PARTIES * 3);
    mproc_queue_destroy(queue);
    mproc_barrier_destroy(barrier);
    assert_mproc(MPROC_EINVAL, mproc_barrier_create(&barrier, 0));
    assert_mproc(MPROC_ERANGE, mproc_barrier_create(&barrier, 301));
}

/* All of them -------------------------------------------------------------------------------------------------- */

static void they_outlive_their_maker(void **state) {
    mproc_lock *lock;
    mproc_semaphore *semaphore;
    mproc_event *event;
    mproc_condition *condition;
    mproc_barrier *barrier;
    (void)state;
    mproc_queue *queue = create_queue(0);
    end_child(start_child(make_and_hand_over, mproc_pack("[o]", mproc_queue_ref(queue))), 0);
    cJSON *item = get_item(queue);
    assert_mproc(0, mproc_lock_from(&lock, cJSON_GetObjectItem(item, "lock")));
    assert_mproc(0, mproc_semaphore_from(&semaphore, cJSON_GetObjectItem(item, "semaphore")));
    assert_mproc(0, mproc_event_from(&event, cJSON_GetObjectItem(item, "event")));
    assert_mproc(0, mproc_condition_from(&condition, cJSON_GetObjectItem(item, "condition")));
    assert_mproc(0, mproc_barrier_from(&barrier, cJSON_GetObjectItem(item, "barrier")));
    cJSON_Delete(item);
    assert_mproc(0, mproc_lock_acquire(lock, 0));
    assert_mproc(0, mproc_lock_acquire(lock, 0));
    assert_int_equal(mproc_semaphore_value(semaphore), 3);
    assert_true(mproc_event_is_set(event));
    assert_mproc(MPROC_ETIMEDOUT, mproc_condition_wait(condition, 0)); /* it is that lock's */
    assert_int_equal(mproc_barrier_wait(barrier, 0), 0);
    mproc_lock_destroy(lock);
    assert_mproc(0, mproc_condition_notify_all(condition)); /* which keeps it alive */
    mproc_condition_destroy(condition);
    mproc_semaphore_destroy(semaphore);
    mproc_event_destroy(event);
    mproc_barrier_destroy(barrier);
    mproc_queue_destroy(queue);
}

static void misuse_is_told(void **state) {
    mproc_event *event = create_event();
    mproc_lock *lock = create_lock(false);
    mproc_shared *shared = NULL;
    (void)state;
    assert_mproc(MPROC_EINVAL, mproc_lock_create(NULL, false));
    assert_mproc(MPROC_EINVAL, mproc_lock_acquire(NULL, 0));
    assert_mproc(MPROC_EINVAL, mproc_lock_acquire(lock, -2));
    assert_mproc(MPROC_EINVAL, mproc_event_wait(event, -5));
    assert_mproc(MPROC_EINVAL, mproc_condition_create(NULL, lock));
    mproc_condition *condition = NULL;
    assert_mproc(MPROC_EINVAL, mproc_condition_create(&condition, NULL));
    assert_message("parameter lock is NULL");
    cJSON *ref = mproc_event_ref(event);
    assert_mproc(MPROC_ETYPE, mproc_lock_from(&lock, ref));
    assert_message("lock");
    mproc_event *again = NULL;
    assert_mproc(0, mproc_event_from(&again, ref));
    assert_mproc(MPROC_ESTATE, mproc_event_from(&again, ref)); /* each is good for one */
    cJSON_Delete(ref);
    mproc_event_destroy(again);
    assert_mproc(0, mproc_shared_create(&shared, 1));
    assert_null(mproc_lock_ref(mproc_shared_lock(shared)));
    assert_mproc(MPROC_ENOTSUP, mproc_last_error()->code);
    mproc_shared_destroy(shared);
    mproc_event_destroy(event);
    assert_mproc(MPROC_ESTATE, mproc_event_set(event));
    assert_message("was destroyed");
    assert_false(mproc_event_is_set(event));
    assert_null(mproc_event_ref(event));
    mproc_event_destroy(event); /* nothing happens */
    mproc_lock_destroy(lock);
    assert_mproc(MPROC_ESTATE, mproc_lock_acquire(lock, 0));
    mproc_lock_destroy(NULL);
}

static int warm_up(void **state) {
    mproc_lock *lock = create_lock(false);
    kill_child(start_holder(lock));
    mproc_lock_destroy(lock);
    test_note_open_handles();
    (void)state;
    return 0;
}

static const mproc_target targets[] = {MPROC_TARGET(acquire_and_stay),
                                       MPROC_TARGET(acquire_semaphore_and_stay),
                                       MPROC_TARGET(acquire_and_release),
                                       MPROC_TARGET(release_only),
                                       MPROC_TARGET(count_up),
                                       MPROC_TARGET(wait_for_event),
                                       MPROC_TARGET(set_event),
                                       MPROC_TARGET(wait_for_condition),
                                       MPROC_TARGET(go_through),
                                       MPROC_TARGET(go_in_step),
                                       MPROC_TARGET(make_and_hand_over),
                                       MPROC_TARGET(compete),
                                       MPROC_TARGETS_END};

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_belongs_to_its_holder),
        cmocka_unit_test(increments_under_a_lock_are_all_there),
        cmocka_unit_test(a_killed_holder_releases_and_the_next_one_is_told),
        cmocka_unit_test(a_holder_is_killed_before_a_waiter),
        cmocka_unit_test(killed_waiters_are_forgotten),
        cmocka_unit_test(no_waiter_starves),
        cmocka_unit_test(a_semaphore_counts),
        cmocka_unit_test(a_killed_process_gives_its_permits_back),
        cmocka_unit_test(an_event_is_waited_for),
        cmocka_unit_test(an_event_wakes_all_though_it_is_cleared_at_once),
        cmocka_unit_test(any_number_of_threads_may_wait),
        cmocka_unit_test(a_condition_wakes_as_many_as_it_should),
        cmocka_unit_test(a_killed_sleeper_is_not_notified),
        cmocka_unit_test(what_a_killed_sleeper_was_notified_of_goes_on),
        cmocka_unit_test(a_barrier_goes_in_lockstep),
        cmocka_unit_test(a_barrier_is_broken_and_reset),
        cmocka_unit_test(they_outlive_their_maker),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("sync", tests, warm_up, NULL);
}
