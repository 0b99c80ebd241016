/* SPDX-License-Identifier: MIT */
/* What locks and semaphores are made of, in every order of its steps, with the death of one process at each, and the first process
 * that sees to what it leaves. */
#include "support/test.h"

#include <string.h>

#include "base/step.h"
#include "mproc/core.h"
#include "support/coroutine.h"
#include "support/schedule.h"
#include "sync/party.h"
#include "sync/turnstile.h"

enum { MORTAL, SECOND, THIRD, PROCESSES }; /* and the first process, which comes last here */

/* Of a count; one of it may be lost with the mortal. */
#define INITIAL_COUNT 2

static struct cell cell;
static bool is_barrier;
static unsigned permits;          /* 0: a count */
static int lockers;               /* processes but for the first one */
static int takes[PROCESSES];      /* how often each has begun to take */
static int naps[PROCESSES];       /* how often each has slept since; more than two are two */
static int times_told[PROCESSES]; /* of a holder's death */
static bool is_inside[PROCESSES];
static bool has_forgotten, died_holding;

static int times_anybody_was_told(void) {
    int times = 0;
    for (int i = 0; i < PROCESSES; i++) {
        times += times_told[i];
    }
    return times;
}

/* What a process of a turnstile is to remember, wherever it is. Having slept, it has not been woken before, or it has, or it
 * reserves: as often as it has slept. */
static uint64_t needed_by(int process) {
    return (uint64_t)takes[process] << 4 | (uint64_t)times_told[process] << 2 | (uint64_t)naps[process];
}

/* Sleeping ----------------------------------------------------------------------------------------------------- */

static const atomic_number *asleep_on[PROCESSES]; /* NULL: awake */

static bool is_awake(const void *process) {
    return asleep_on[*(const int *)process] == NULL;
}

static int sleep_until_woken(struct room *room, atomic_number *word, uint32_t seen, deadline until) {
    int process = (int)room->process - 1;
    (void)until;
    naps[process] += naps[process] < 2;
    if (!is_barrier) {
        step_learned(0, (uint64_t)(word - cell.slots) << 8 | needed_by(process));
    }
    if ((uint32_t)atomic_load(word) == seen) {
        asleep_on[process] = word;
        schedule_block(is_awake, &process);
    }
    return 0;
}

static void wake(struct room *room, atomic_number *word) {
    if (room->process == MORTAL + 1) {
        step(); /* for its death before this; that of others may be late, and then is as if the sleeper were slow */
    }
    for (int i = 0; i < PROCESSES; i++) {
        if (asleep_on[i] == word) {
            asleep_on[i] = NULL;
        }
    }
}

static const struct room_system model_system = {sleep_until_woken, wake};

static struct room room_of(int process) {
    struct room room = {&cell, &model_system, (uint32_t)process + 1};
    return room;
}

/* The processes ------------------------------------------------------------------------------------------------ */

static unsigned count_living_inside(void) {
    unsigned count = 0;
    for (int i = 0; i < PROCESSES; i++) {
        count += is_inside[i] && !(i == MORTAL && schedule_has_died());
    }
    return count;
}

static void take_and_give(int process) {
    struct room room = room_of(process);
    uint64_t holder = holder_make((uint32_t)process + 1, 1);
    takes[process]++;
    naps[process] = 0;
    int status = turnstile_take(&room, permits, holder, DEADLINE_NEVER);
    times_told[process] += status == MPROC_EDIED;
    assert_true(permits != 1 || !died_holding || times_anybody_was_told() == 1); /* the very next holder */
    naps[process] = 0;
    step_learned(0, needed_by(process));
    is_inside[process] = true;
    assert_true(count_living_inside() <= (permits > 0 ? permits : INITIAL_COUNT));
    step();
    is_inside[process] = false;
    assert_true(turnstile_give(&room, permits, holder, false));
    step_learned(0, needed_by(process));
}

static void live_and_die(void) {
    take_and_give(MORTAL);
}

static void live_second(void) {
    take_and_give(SECOND);
}

static void live_third(void) {
    take_and_give(THIRD);
}

static void live_third_twice(void) {
    take_and_give(THIRD);
    take_and_give(THIRD);
}

static bool someone_has_died(const void *context) {
    (void)context;
    return schedule_has_died();
}

static void see_to_the_dead(void) {
    struct room room = room_of(PROCESSES);
    schedule_block(someone_has_died, NULL);
    for (unsigned i = 0; i < permits; i++) {
        died_holding |= step_saw(atomic_load(&cell.permits[i]) == holder_make(MORTAL + 1, 1));
    }
    turnstile_forget(&room, permits, MORTAL + 1);
    step_learned(0, died_holding);
    has_forgotten = true;
}

/* All of them -------------------------------------------------------------------------------------------------- */

static void prepare(void) {
    memset(&cell, 0, sizeof cell);
    cell.value.value = cell.limit.value = permits == 0 ? INITIAL_COUNT : 0;
    memset(takes, 0, sizeof takes);
    memset(naps, 0, sizeof naps);
    memset(times_told, 0, sizeof times_told);
    memset(asleep_on, 0, sizeof asleep_on);
    memset(is_inside, 0, sizeof is_inside);
    has_forgotten = died_holding = false;
}

static uint64_t state_of_cell(void) {
    const atomic_number *words[] = {&cell.flags,       &cell.value,      &cell.permits[0], &cell.permits[1],
                                    &cell.last_ticket, &cell.slots_used, &cell.departures, &cell.slots[0],
                                    &cell.slots[1],    &cell.slots[2]};
    uint64_t state = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        state = step_mix(state, atomic_load(words[i]));
    }
    for (int i = 0; i < PROCESSES; i++) {
        state = step_mix(state, asleep_on[i] != NULL);
    }
    return state;
}

/* Nobody sleeps who should be awake, all is free again, and the next holder was told of a holder's death, or will be. */
static void check(void) {
    struct room room = room_of(PROCESSES);
    uint64_t count = turnstile_count(&room, permits);
    for (int i = 0; i < lockers; i++) {
        assert_false(schedule_was_stuck(i));
    }
    assert_true(has_forgotten == schedule_has_died());
    assert_int_equal(times_anybody_was_told() + ((atomic_load(&cell.flags) & CELL_DIED) != 0), died_holding);
    assert_true(permits > 0 ? count == permits
                            : count == INITIAL_COUNT || (schedule_has_died() && count == INITIAL_COUNT - 1));
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(atomic_load(&cell.slots[i]), 0);
    }
    assert_int_equal(atomic_load(&cell.flags) & CELL_RESERVED, 0);
}

/* Waiters reserve what is free as soon as they have been woken in vain. */
static void run_model(unsigned used_permits, const struct schedule *schedule) {
    permits = used_permits;
    lockers = schedule->count - 1;
    turnstile_patience = 0;
    long runs = schedule_run_all(schedule);
    turnstile_patience = 1000000;
    print_message("%ld orders\n", runs);
    assert_true(runs > 100);
}

/* Two processes that lock, and the first one. */
static void a_lock_of_two_survives_each_death_in_each_order(void **state) {
    const struct schedule schedule = {
        {live_and_die, live_second, see_to_the_dead}, 3, MORTAL, prepare, check, state_of_cell, 0};
    (void)state;
    run_model(1, &schedule);
}

/* Three, and the first one. Where a turn takes long, and where one comes back, which is more than can be tried, only those orders
 * in which those that could go on have to wait a few times. */
static void survive(unsigned used_permits, int preemptions) {
    struct schedule schedule = {
        {live_and_die, live_second, live_third, see_to_the_dead}, 4, MORTAL, prepare, check, state_of_cell, 0};
    schedule.preemptions = coroutine_is_slow() ? 1 : 0;
    run_model(used_permits, &schedule);
    schedule.threads[THIRD] = live_third_twice;
    schedule.preemptions = coroutine_is_slow() ? 1 : preemptions;
    run_model(used_permits, &schedule);
}

static void a_lock_of_three_survives_each_death_in_each_order(void **state) {
    (void)state;
    survive(1, 4);
}

static void two_permits_for_three_survive_each_death_in_each_order(void **state) {
    (void)state;
    survive(2, 3);
}

static void a_count_for_three_survives_each_death_in_each_order(void **state) {
    (void)state;
    survive(0, 3);
}

/* A barrier ---------------------------------------------------------------------------------------------------- */

static int orders[PROCESSES];   /* what waiting returned; NOT_YET: it has not */
static bool is_late[PROCESSES]; /* it came when the dead one had been forgotten */
#define NOT_YET 1000

static void wait_at_barrier(int process) {
    struct room room = room_of(process);
    is_late[process] = step_saw(has_forgotten) != 0;
    orders[process] = party_wait(&room, DEADLINE_NEVER);
    step_learned(0, (uint64_t)orders[process] * 2 + is_late[process]);
}

static void wait_and_die(void) {
    wait_at_barrier(MORTAL);
}

static void wait_second(void) {
    wait_at_barrier(SECOND);
}

static void wait_third(void) {
    wait_at_barrier(THIRD);
}

static void see_to_a_dead_party(void) {
    struct room room = room_of(PROCESSES);
    schedule_block(someone_has_died, NULL);
    party_forget(&room, MORTAL + 1);
    step_learned(0, 0);
    has_forgotten = true;
}

static void prepare_barrier(void) {
    prepare();
    cell.limit.value = permits;
    cell.value.value = 0;
    for (int i = 0; i < PROCESSES; i++) {
        orders[i] = NOT_YET;
        is_late[i] = false;
    }
}

/* Alive, all pass, in some order. Where one has died, the others pass, or are told that the barrier is broken, or wait for one
 * that never arrived. */
static void check_barrier(void) {
    unsigned passed = 0, told = 0, waiting = 0;
    for (int i = 0; i < PROCESSES; i++) {
        bool counts = i < (int)permits && !(i == MORTAL && schedule_has_died());
        passed += counts && orders[i] >= 0 && orders[i] != NOT_YET;
        assert_true(!is_late[i] || orders[i] < 0 || orders[i] == NOT_YET);
        told += counts && orders[i] == MPROC_ECLOSED;
        waiting += counts && orders[i] == NOT_YET;
        for (int j = 0; j < i; j++) {
            assert_true(orders[i] != orders[j] || orders[i] < 0 || orders[i] == NOT_YET);
        }
    }
    assert_true(has_forgotten == schedule_has_died());
    if (!schedule_has_died()) {
        assert_int_equal(passed, permits);
        return;
    }
    assert_int_equal(passed + told + waiting, permits - 1);
    assert_true(passed == 0 || passed == permits - 1);
    if (waiting > 0) {
        assert_int_equal(waiting, permits - 1);
        assert_int_equal(atomic_load(&cell.value),
                         (uint64_t)waiting << 16); /* they arrived, nobody else, and all is well */
    }
}

static void a_barrier_survives_each_death(void **state) {
    struct schedule two = {
        {wait_and_die, wait_second, see_to_a_dead_party}, 3, MORTAL, prepare_barrier, check_barrier, state_of_cell, 0};
    struct schedule three = {{wait_and_die, wait_second, wait_third, see_to_a_dead_party},
                             4,
                             MORTAL,
                             prepare_barrier,
                             check_barrier,
                             state_of_cell,
                             coroutine_is_slow() ? 1 : 2};
    (void)state;
    two.preemptions = coroutine_is_slow() ? 2 : 0;
    is_barrier = true;
    run_model(2, &two);
    run_model(3, &three);
    is_barrier = false;
}

/* While one sleeps, its round is broken, and so are 63 others; then one comes to its end, by another party alone. */
static int sleep_while_others_go_on(struct room *room, atomic_number *word, uint32_t seen, deadline until) {
    (void)word;
    (void)seen;
    (void)until;
    for (int i = 0; i < 64; i++) {
        party_reset(room);
    }
    cell.limit.value = 1;
    assert_int_equal(party_wait(room, DEADLINE_NEVER), 0);
    return 0;
}

static void a_party_that_is_very_late_is_not_told_of_another_round(void **state) {
    static const struct room_system late_system = {sleep_while_others_go_on, wake};
    struct room room = {&cell, &late_system, SECOND + 1};
    (void)state;
    permits = 2;
    prepare_barrier();
    assert_int_equal(party_wait(&room, DEADLINE_NEVER), MPROC_ECLOSED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_of_two_survives_each_death_in_each_order),
        cmocka_unit_test(a_lock_of_three_survives_each_death_in_each_order),
        cmocka_unit_test(two_permits_for_three_survive_each_death_in_each_order),
        cmocka_unit_test(a_count_for_three_survives_each_death_in_each_order),
        cmocka_unit_test(a_barrier_survives_each_death),
        cmocka_unit_test(a_party_that_is_very_late_is_not_told_of_another_round),
    };
    return cmocka_run_group_tests_name("sync model", tests, NULL, NULL);
}
