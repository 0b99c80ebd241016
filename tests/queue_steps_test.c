/* SPDX-License-Identifier: MIT */
/* A process dies at each single step of putting and of getting (base/step.h), and the queue is whole every time. */
#include "support/children.h"

#include <stdlib.h>
#include <string.h>

#include "base/step.h"
#include "hub/session.h"
#include "mproc.h"
#include "queue/queue_handle.h"
#include "queue/store.h"
#include "support/system.h"

/* So many items are put or got by a process that is to die. Large ones go through the queue's store. */
enum { ITEMS = 5, SMALL = 0, LARGE = 2 * STORE_ITEM_MIN };

/* An item of this number: itself, or a text of this length that begins with it. */
static cJSON *make_item(int number, int size) {
    static char text[LARGE + 1];
    memset(text, '0' + number, (size_t)size);
    return size == SMALL ? cJSON_CreateNumber(number) : cJSON_CreateString(text);
}

static int number_of(const cJSON *item) {
    if (cJSON_IsNumber(item)) {
        return item->valueint;
    }
    assert_int_equal(strlen(item->valuestring), LARGE);
    assert_int_equal(item->valuestring[0], item->valuestring[LARGE - 1]);
    return item->valuestring[0] - '0';
}

/* Children ----------------------------------------------------------------------------------------------------- */

static long steps_left;

static void die_at_step(void) {
    if (--steps_left == 0) {
        system_kill(mproc_getpid());
        mproc_sleep(TEST_PATIENCE_MS); /* the end may take a moment to arrive */
    }
}

/* Puts 0, 1, 2, ..., and reports each; dies at the given step after the first item, by which the ring has been opened. */
static void put_and_die(mproc_task *task) {
    int steps, size;
    mproc_queue *queue = mproc_task_queue(task, 0);
    mproc_connection *report = mproc_task_connection(task, 1);
    if (queue == NULL || report == NULL || mproc_task_unpack(task, "(o,o,i,i)", NULL, NULL, &steps, &size) != 0) {
        return;
    }
    for (int i = 0; i < ITEMS; i++) {
        if (i == 1) {
            steps_left = steps;
            step_hook = die_at_step;
        }
        if (mproc_queue_put(queue, make_item(i, size), MPROC_FOREVER) != 0 ||
            mproc_connection_send_bytes(report, NULL, 0) != 0) {
            mproc_task_fail(task, "%s", mproc_last_error()->message);
        }
    }
    step_hook = NULL;
}

/* Gets, and reports each item; dies likewise. */
static void get_and_die(mproc_task *task) {
    int steps, size;
    mproc_queue *queue = mproc_task_queue(task, 0);
    mproc_connection *report = mproc_task_connection(task, 1);
    if (queue == NULL || report == NULL || mproc_task_unpack(task, "(o,o,i,i)", NULL, NULL, &steps, &size) != 0) {
        return;
    }
    for (int i = 0; i < ITEMS; i++) {
        cJSON *item;
        if (i == 1) {
            steps_left = steps;
            step_hook = die_at_step;
        }
        if (mproc_queue_get(queue, &item, MPROC_FOREVER) != 0 ||
            mproc_connection_send(report, cJSON_CreateNumber(number_of(item))) != 0) {
            mproc_task_fail(task, "%s", mproc_last_error()->message);
            return;
        }
        cJSON_Delete(item);
    }
    step_hook = NULL;
}

/* Parent ------------------------------------------------------------------------------------------------------- */

/* Runs the target with its death at the given step; false: it came through. */
static bool run_with_death(mproc_fn target, mproc_queue *queue, mproc_connection **report, int steps, int size) {
    mproc_connection *theirs;
    mproc_process *process;
    int exitcode;
    assert_mproc(0, mproc_pipe(report, &theirs, true));
    assert_mproc(
        0, mproc_spawn(&process, target,
                       mproc_pack("[o,o,i,i]", mproc_queue_ref(queue), mproc_connection_ref(theirs), steps, size)));
    mproc_connection_close(theirs);
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_process_exitcode(process, &exitcode));
    mproc_process_destroy(process);
    while (sessions_count() > 0) {
        mproc_sleep(1); /* the hub sees the end of the process in its own time */
    }
    return exitcode != 0;
}

/* What a dead producer left: 0 to what it had reported, and at most one more. */
static void check_left_by_producer(mproc_queue *queue, mproc_connection *report) {
    int reported = 0, count = 0;
    void *data;
    size_t size;
    cJSON *item;
    while (mproc_connection_recv_bytes(report, &data, &size, TEST_PATIENCE_MS) == 0) {
        mproc_free(data);
        reported++;
    }
    mproc_connection_close(report);
    for (item = NULL; count < reported; count++) {
        item = get_item(queue);
        assert_int_equal(number_of(item), count);
        cJSON_Delete(item);
    }
    while (mproc_queue_get_nowait(queue, &item) == 0) {
        assert_int_equal(number_of(item), count);
        count++;
        cJSON_Delete(item);
    }
    assert_in_range(count, reported, reported + 1);
}

/* Nothing stays in the store. */
static void check_store(mproc_queue *queue, int size) {
    struct shared_view *view = shared_part_view(&queue->store);
    assert_int_equal(view != NULL, size != SMALL);
    for (int i = 0; view != NULL && i < STORE_SLOTS; i++) {
        assert_int_equal(atomic_load(&((struct store *)view->memory)->words[i]), 0);
    }
}

static void let_producers_die(int size) {
    int steps = 1;
    bool has_died;
    do {
        mproc_queue *queue;
        mproc_connection *report;
        assert_mproc(0, mproc_queue_create(&queue, 0));
        has_died = run_with_death(put_and_die, queue, &report, steps, size);
        check_left_by_producer(queue, report);
        check_store(queue, size);
        mproc_queue_destroy(queue);
        steps++;
    } while (has_died);
    print_message("died at %d steps\n", steps - 2);
    assert_true(steps > 10);
}

/* Each item was reported, or is there, in order; only the one whose get was being left may be neither. */
static void check_left_by_consumer(mproc_queue *queue, mproc_connection *report) {
    int next = 0;
    cJSON *item;
    while (mproc_connection_recv(report, &item, TEST_PATIENCE_MS) == 0) {
        assert_int_equal(number_of(item), next);
        next++;
        cJSON_Delete(item);
    }
    mproc_connection_close(report);
    item = get_item(queue); /* there is always the last one */
    assert_in_range(number_of(item), next, next + 1);
    for (next = number_of(item) + 1; next <= ITEMS; next++) {
        cJSON_Delete(item);
        item = get_item(queue);
        assert_int_equal(number_of(item), next);
    }
    cJSON_Delete(item);
    assert_true(mproc_queue_empty(queue));
}

static void a_producer_may_die_at_each_step(void **state) {
    (void)state;
    let_producers_die(SMALL);
    let_producers_die(LARGE);
}

static void let_consumers_die(int size) {
    int steps = 1;
    bool has_died;
    do {
        mproc_queue *queue;
        mproc_connection *report;
        assert_mproc(0, mproc_queue_create(&queue, 0));
        for (int i = 0; i <= ITEMS; i++) {
            assert_mproc(0, mproc_queue_put(queue, make_item(i, size), 0));
        }
        has_died = run_with_death(get_and_die, queue, &report, steps, size);
        check_left_by_consumer(queue, report);
        check_store(queue, size);
        mproc_queue_destroy(queue);
        steps++;
    } while (has_died);
    print_message("died at %d steps\n", steps - 2);
    assert_true(steps > 10);
}

static void a_consumer_may_die_at_each_step(void **state) {
    (void)state;
    let_consumers_die(SMALL);
    let_consumers_die(LARGE);
}

/* A timeout that runs out while the request is on its way. The second step is right behind the sending. */
static void be_late_at_second_step(void) {
    if (--steps_left == 0) {
        mproc_sleep(100);
    }
}

static void get_late(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    cJSON *item = NULL;
    steps_left = 2;
    step_hook = be_late_at_second_step;
    int status = queue != NULL ? mproc_queue_get(queue, &item, 50) : MPROC_ETYPE;
    step_hook = NULL;
    if (status != MPROC_EEMPTY) {
        mproc_task_fail(task, "the empty queue gave %s", mproc_err_name(status));
    }
}

static void a_timeout_that_runs_out_on_the_way_is_kept(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0);
    end_child(start_child(get_late, mproc_pack("[o]", mproc_queue_ref(queue))), 0);
    mproc_queue_destroy(queue);
}

static int count_handles(void **state) {
    mproc_queue *queue;
    mproc_connection *report;
    (void)state;
    assert_mproc(0, mproc_queue_create(&queue, 0));
    (void)run_with_death(put_and_die, queue, &report, 1000000, SMALL);
    mproc_connection_close(report);
    mproc_queue_destroy(queue);
    test_note_open_handles();
    return 0;
}

int main(int argc, char **argv) {
    static const mproc_target targets[] = {MPROC_TARGET(put_and_die), MPROC_TARGET(get_and_die), MPROC_TARGET(get_late),
                                           MPROC_TARGETS_END};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_producer_may_die_at_each_step), cmocka_unit_test(a_consumer_may_die_at_each_step),
        cmocka_unit_test(a_timeout_that_runs_out_on_the_way_is_kept),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("queue_steps", tests, count_handles, NULL);
}
