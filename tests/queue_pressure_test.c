/* SPDX-License-Identifier: MIT */
/* Queues under pressure: who waits is served in the order of arrival; who is slow, or halted, or reads nothing at all, holds
 * nobody else up; and what has to stay small does. */
#include "support/children.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "queue/store.h"
#include "support/system.h"

enum { KIBIBYTE = 1024, MEBIBYTE = 1024 * KIBIBYTE };

/* The order of arrival ----------------------------------------------------------------------------------------- */

enum { WAITERS = 6 };

/* Gets one item and tells, with this process's number, which. */
static void get_one(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0), *results = mproc_task_queue(task, 1);
    int number;
    cJSON *item = NULL;
    if (queue == NULL || results == NULL || mproc_task_unpack(task, "(o,o,i)", NULL, NULL, &number) != 0) {
        return;
    }
    check_task(task, mproc_queue_get(queue, &item, MPROC_FOREVER));
    check_task(task, mproc_queue_put(results, mproc_pack("[i,o]", number, item), MPROC_FOREVER));
}

static void who_waits_for_an_item_is_served_in_order(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0), *results = create_queue(0);
    mproc_process *processes[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        processes[i] = start_child(get_one, mproc_pack("[o,o,i]", mproc_queue_ref(queue), mproc_queue_ref(results), i));
        wait_for_waiters((size_t)i + 1);
    }
    for (int i = 0; i < WAITERS; i++) {
        put_number(queue, i);
    }
    for (int i = 0; i < WAITERS; i++) {
        cJSON *result = get_item(results);
        assert_int_equal(cJSON_GetArrayItem(result, 0)->valueint, cJSON_GetArrayItem(result, 1)->valueint);
        cJSON_Delete(result);
        end_child(processes[i], 0);
    }
    mproc_queue_destroy(queue);
    mproc_queue_destroy(results);
}

static void put_one(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    int number;
    if (queue != NULL && mproc_task_unpack(task, "(o,i)", NULL, &number) == 0) {
        check_task(task, mproc_queue_put(queue, cJSON_CreateNumber(number), MPROC_FOREVER));
    }
}

static void who_waits_for_room_is_served_in_order(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(1);
    mproc_process *processes[WAITERS];
    put_number(queue, -1);
    for (int i = 0; i < WAITERS; i++) {
        processes[i] = start_child(put_one, mproc_pack("[o,i]", mproc_queue_ref(queue), i));
        wait_for_waiters((size_t)i + 1);
    }
    for (int i = -1; i < WAITERS; i++) {
        expect_number(queue, i);
    }
    for (int i = 0; i < WAITERS; i++) {
        end_child(processes[i], 0);
    }
    mproc_queue_destroy(queue);
}

/* Much that nobody reads --------------------------------------------------------------------------------------- */

static size_t resident_memory(void) {
    size_t size = 0;
    (void)uv_resident_set_memory(&size);
    return size;
}

/* Puts so many mebibytes in items of a kibibyte, and so many of a mebibyte; and tells by how much this process has grown. */
static void put_much(mproc_task *task) {
    static char item[MEBIBYTE];
    mproc_queue *queue = mproc_task_queue(task, 0), *other = mproc_task_queue(task, 1);
    int small, large;
    if (queue == NULL || other == NULL || mproc_task_unpack(task, "(o,o,i,i)", NULL, NULL, &small, &large) != 0) {
        return;
    }
    memset(item, 'x', sizeof item);
    check_task(task, mproc_queue_put_bytes(queue, item, KIBIBYTE, MPROC_FOREVER)); /* opens what is opened once */
    size_t before = resident_memory();
    for (int i = 1; i < small * KIBIBYTE; i++) {
        check_task(task, mproc_queue_put_bytes(queue, item, KIBIBYTE, MPROC_FOREVER));
    }
    double grown = (double)resident_memory() - (double)before;
    for (int i = 0; i < large; i++) {
        check_task(task, mproc_queue_put_bytes(queue, item, MEBIBYTE, MPROC_FOREVER));
    }
    check_task(task, mproc_queue_put(other, cJSON_CreateNumber(grown), MPROC_FOREVER));
}

static void get_and_delete(mproc_queue *queue, size_t expected) {
    void *data = NULL;
    size_t size = 0;
    assert_mproc(0, mproc_queue_get_bytes(queue, &data, &size, TEST_PATIENCE_MS));
    assert_int_equal(size, expected);
    mproc_free(data);
}

/* More of the large ones than the queue's store has room for; and the process that has put them is gone. */
static void a_process_ends_though_nobody_reads_what_it_put(void **state) {
    enum { SMALL = 16, LARGE = STORE_SLOTS + 16 };
    (void)state;
    mproc_queue *queue = create_queue(0), *other = create_queue(0);
    end_child(
        start_child(put_much, mproc_pack("[o,o,i,i]", mproc_queue_ref(queue), mproc_queue_ref(other), SMALL, LARGE)),
        0);
    assert_int_equal(mproc_queue_qsize(queue), SMALL * KIBIBYTE + LARGE);
    for (int i = 0; i < SMALL * KIBIBYTE; i++) {
        get_and_delete(queue, KIBIBYTE);
    }
    for (int i = 0; i < LARGE / 2; i++) { /* the rest is dropped with the queue */
        get_and_delete(queue, MEBIBYTE);
    }
    mproc_queue_destroy(queue);
    mproc_queue_destroy(other);
}

static void a_queue_that_nobody_reads_holds_no_other_up(void **state) {
    enum { SIZE = 128 };
    (void)state;
    mproc_queue *queue = create_queue(0), *other = create_queue(0);
    mproc_process *process =
        start_child(put_much, mproc_pack("[o,o,i,i]", mproc_queue_ref(queue), mproc_queue_ref(other), SIZE, 0));
    cJSON *grown = get_item(other);   /* the same link as all that */
    if (!system_is_slow_to_spawn()) { /* a sanitizer's own memory would be seen too */
        assert_true(grown->valuedouble < SIZE * MEBIBYTE / 8.0);
    }
    cJSON_Delete(grown);
    end_child(process, 0);
    assert_int_equal(mproc_queue_qsize(queue), SIZE * KIBIBYTE);
    mproc_queue_destroy(queue);
    mproc_queue_destroy(other);
}

static void a_queue_with_a_limit_keeps_to_it(void **state) {
    enum { LIMIT = 8 };
    (void)state;
    int size = system_is_slow_to_spawn() ? 2 : 32;
    mproc_queue *queue = create_queue(LIMIT), *other = create_queue(0);
    mproc_process *process =
        start_child(put_much, mproc_pack("[o,o,i,i]", mproc_queue_ref(queue), mproc_queue_ref(other), size, 0));
    get_and_delete(queue, KIBIBYTE);
    size_t before = resident_memory();
    for (int i = 1; i < size * KIBIBYTE; i++) {
        assert_in_range(mproc_queue_qsize(queue), 0, LIMIT);
        get_and_delete(queue, KIBIBYTE);
    }
    if (!system_is_slow_to_spawn()) {
        assert_true((double)resident_memory() - (double)before < size * MEBIBYTE / 8.0);
    }
    end_child(process, 0);
    mproc_queue_destroy(queue);
    mproc_queue_destroy(other);
}

/* A process that is halted ------------------------------------------------------------------------------------- */

enum { THREADS = 48 };

struct getter {
    mproc_queue *queue, *results;
    bool failed;
};

static void get_and_count(void *argument) {
    struct getter *getter = argument;
    void *data = NULL;
    size_t size = 0;
    getter->failed = mproc_queue_get_bytes(getter->queue, &data, &size, MPROC_FOREVER) != 0 ||
                     mproc_queue_put(getter->results, cJSON_CreateNumber((double)size), MPROC_FOREVER) != 0;
    mproc_free(data);
}

/* Waits for items in many threads. */
static void get_in_threads(mproc_task *task) {
    struct getter getters[THREADS];
    uv_thread_t threads[THREADS];
    struct getter getter = {mproc_task_queue(task, 0), mproc_task_queue(task, 1), false};
    for (int i = 0; i < THREADS; i++) {
        getters[i] = getter;
        if (getter.queue == NULL || uv_thread_create(&threads[i], get_and_count, &getters[i]) != 0) {
            mproc_task_fail(task, "no queue, or no thread");
            return;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        (void)uv_thread_join(&threads[i]);
        if (getters[i].failed) {
            mproc_task_fail(task, "a thread failed");
        }
    }
}

static void echo_numbers(mproc_task *task) {
    mproc_queue *from = mproc_task_queue(task, 0), *to = mproc_task_queue(task, 1);
    cJSON *item = NULL;
    while (from != NULL && mproc_queue_get(from, &item, MPROC_FOREVER) == 0) {
        check_task(task, mproc_queue_put(to, item, MPROC_FOREVER));
    }
}

/* Far more is answered to the halted process than its pipe has room for. */
static void a_process_that_reads_nothing_holds_nobody_up(void **state) {
    enum { SIZE = STORE_ITEM_MIN - 1 };
    (void)state;
    static char item[SIZE];
    mproc_queue *queue = create_queue(0), *results = create_queue(0), *to = create_queue(0), *from = create_queue(0);
    mproc_process *halted =
        start_child(get_in_threads, mproc_pack("[o,o]", mproc_queue_ref(queue), mproc_queue_ref(results)));
    wait_for_waiters(THREADS);
    mproc_process *echo = start_child(echo_numbers, mproc_pack("[o,o]", mproc_queue_ref(to), mproc_queue_ref(from)));
    system_halt(mproc_process_pid(halted));
    for (int i = 0; i < THREADS; i++) {
        assert_mproc(0, mproc_queue_put_bytes(queue, item, SIZE, 0));
        put_number(to, i);
        expect_number(from, i);
    }
    system_resume(mproc_process_pid(halted));
    for (int i = 0; i < THREADS; i++) {
        expect_number(results, SIZE);
    }
    end_child(halted, 0);
    assert_mproc(0, mproc_queue_close(to));
    end_child(echo, 0);
    mproc_queue_destroy(queue);
    mproc_queue_destroy(results);
    mproc_queue_destroy(to);
    mproc_queue_destroy(from);
}

/* No memory ---------------------------------------------------------------------------------------------------- */

/* More than a queue's front has room for. */
enum { NUMBERS = 3000 };

/* Puts numbers, all but the first one when it is told to, as long as they are accepted, and tells how many were. */
static void put_when_told(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    mproc_connection *told = mproc_task_connection(task, 1);
    int accepted = 0;
    while (queue != NULL && told != NULL && accepted < NUMBERS &&
           mproc_queue_put(queue, cJSON_CreateNumber(accepted), MPROC_FOREVER) == 0) {
        void *data;
        size_t size;
        accepted++;
        if (accepted == 1) {
            check_task(task, mproc_connection_send_bytes(told, NULL, 0));
            check_task(task, mproc_connection_recv_bytes(told, &data, &size, MPROC_FOREVER));
            mproc_free(data);
        }
    }
    check_task(task, mproc_connection_send(told, cJSON_CreateNumber(accepted)));
}

/* The nth allocation of the first process fails, from when the items are on their way. Returns how many were accepted. */
static int put_without_memory(mproc_queue *queue, long nth) {
    mproc_connection *ours, *theirs;
    void *data = NULL;
    cJSON *accepted = NULL;
    size_t size;
    int status;
    assert_mproc(0, mproc_pipe(&ours, &theirs, true));
    mproc_process *process =
        start_child(put_when_told, mproc_pack("[o,o]", mproc_queue_ref(queue), mproc_connection_ref(theirs)));
    mproc_connection_close(theirs);
    assert_mproc(0, mproc_connection_recv_bytes(ours, &data, &size, TEST_PATIENCE_MS));
    mproc_free(data);
    memory_fail_at(nth);
    do { /* it may be one of this thread's */
        status = mproc_connection_send_bytes(ours, NULL, 0);
    } while (status == MPROC_ENOMEM);
    assert_mproc(0, status);
    do {
        status = mproc_process_join(process, TEST_PATIENCE_MS);
    } while (status == MPROC_ENOMEM);
    memory_fail_at(0);
    end_child(process, 0);
    assert_mproc(0, mproc_connection_recv(ours, &accepted, TEST_PATIENCE_MS));
    int count = accepted->valueint;
    cJSON_Delete(accepted);
    mproc_connection_close(ours);
    return count;
}

/* A put may fail then, but what was accepted is there. */
static void no_memory_for_an_item_loses_nothing(void **state) {
    int all = 0;
    (void)state;
    for (long nth = 1; nth <= 12; nth++) {
        mproc_queue *queue = create_queue(0);
        int accepted = put_without_memory(queue, nth);
        for (int i = 0; i < accepted; i++) {
            expect_number(queue, i);
        }
        int64_t left = mproc_queue_qsize(queue);
        assert_in_range(left, 0, accepted < NUMBERS); /* at most the one whose put failed */
        all += accepted == NUMBERS;
        mproc_queue_destroy(queue);
    }
    assert_true(all > 0);
}

static int count_handles(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0);
    end_child(start_child(put_one, mproc_pack("[o,i]", mproc_queue_ref(queue), 0)), 0);
    mproc_queue_destroy(queue);
    test_note_open_handles();
    return 0;
}

int main(int argc, char **argv) {
    static const mproc_target targets[] = {
        MPROC_TARGET(get_one),      MPROC_TARGET(put_one),       MPROC_TARGET(put_much), MPROC_TARGET(get_in_threads),
        MPROC_TARGET(echo_numbers), MPROC_TARGET(put_when_told), MPROC_TARGETS_END};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_for_an_item_is_served_in_order),
        cmocka_unit_test(who_waits_for_room_is_served_in_order),
        cmocka_unit_test(a_process_ends_though_nobody_reads_what_it_put),
        cmocka_unit_test(a_queue_that_nobody_reads_holds_no_other_up),
        cmocka_unit_test(a_queue_with_a_limit_keeps_to_it),
        cmocka_unit_test(a_process_that_reads_nothing_holds_nobody_up),
        cmocka_unit_test(no_memory_for_an_item_loses_nothing),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("queue_pressure", tests, count_handles, NULL);
}
