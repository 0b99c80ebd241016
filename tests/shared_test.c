/* SPDX-License-Identifier: MIT */
/* Shared memory: the acceptance cases 97, 108, 109 and 110 of shared/semantics.md as far as they have a C twin, and what each call
 * promises. */
#include "support/children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "mproc.h"
#include "support/system.h"

/* Children ----------------------------------------------------------------------------------------------------- */

/* Turns each byte around. */
static void turn_around(mproc_task *task) {
    mproc_shared *shared = mproc_task_shared(task, 0);
    if (shared != NULL) {
        unsigned char *bytes = mproc_shared_data(shared);
        for (size_t i = 0; i < mproc_shared_size(shared); i++) {
            bytes[i] = (unsigned char)~bytes[i];
        }
    }
}

/* Makes some, writes into it, hands it over, and ends. */
static void make_and_hand_over(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    mproc_shared *shared = NULL;
    check_task(task, mproc_shared_create(&shared, 100));
    if (queue != NULL && shared != NULL) {
        (void)memset(mproc_shared_data(shared), 'm', 100);
        check_task(task, mproc_queue_put(queue, mproc_shared_ref(shared), MPROC_FOREVER));
    }
    mproc_shared_destroy(shared);
}

/* Some come and go with what the C library allocates. */
#define MAPPINGS_MAX 20

/* Takes what it is sent up, adds one, and gives it up. */
static void add_to_each(mproc_task *task) {
    cJSON *item;
    size_t before = system_mappings();
    mproc_connection *connection = mproc_task_connection(task, 0);
    while (connection != NULL && mproc_connection_recv(connection, &item, MPROC_FOREVER) == 0) {
        mproc_shared *shared = NULL;
        int status = mproc_shared_from(&shared, item);
        if (status == 0) {
            (*(int *)mproc_shared_data(shared))++;
        }
        mproc_shared_destroy(shared);
        cJSON_Delete(item);
        check_task(task, status);
        check_task(task, mproc_connection_send_bytes(connection, NULL, 0));
    }
    if (system_mappings() > before + MAPPINGS_MAX) {
        mproc_task_fail(task, "%lu mappings, %lu before", (unsigned long)system_mappings(), (unsigned long)before);
    }
}

static void take_and_stay(mproc_task *task) {
    mproc_shared *shared = mproc_task_shared(task, 0);
    if (shared != NULL) {
        *(volatile char *)mproc_shared_data(shared) = 1;
        mproc_sleep(600 * 1000);
    }
}

enum { ELEMENTS = 10000, WRITES = 500 };

/* Fills all of it with one number after the other. */
static void write_patterns(mproc_task *task) {
    mproc_shared *shared = mproc_task_shared(task, 0);
    int *elements = malloc(ELEMENTS * sizeof *elements);
    for (int number = 1; number <= WRITES && shared != NULL && elements != NULL; number++) {
        for (int i = 0; i < ELEMENTS; i++) {
            elements[i] = number;
        }
        check_task(task, mproc_shared_write(shared, 0, elements, ELEMENTS * sizeof *elements));
    }
    free(elements);
}

static void acquire_and_stay(mproc_task *task) {
    mproc_shared *shared = mproc_task_shared(task, 0);
    if (shared != NULL) {
        check_task(task, mproc_lock_acquire(mproc_shared_lock(shared), MPROC_FOREVER));
        *(volatile int *)mproc_shared_data(shared) = 8;
        mproc_sleep(600 * 1000);
    }
}

/* A pool's task: adds its number under a lock, and a signal. */
static void add_number(mproc_task *task) {
    int number;
    mproc_shared *shared = mproc_task_shared(task, 0);
    mproc_lock *lock = mproc_task_lock(task, 1);
    mproc_semaphore *done = mproc_task_semaphore(task, 2);
    if (shared == NULL || lock == NULL || done == NULL ||
        mproc_task_unpack(task, "(o,o,o,i)", NULL, NULL, NULL, &number) != 0) {
        return;
    }
    check_task(task, mproc_lock_acquire(lock, MPROC_FOREVER));
    *(int *)mproc_shared_data(shared) += number;
    check_task(task, mproc_lock_release(lock));
    check_task(task, mproc_semaphore_release(done));
}

/* A pool's task: returns shared memory of its own. */
static void return_shared(mproc_task *task) {
    mproc_shared *shared = NULL;
    check_task(task, mproc_shared_create(&shared, sizeof(int)));
    if (shared != NULL) {
        *(int *)mproc_shared_data(shared) = 12;
        mproc_task_return(task, mproc_shared_ref(shared));
    }
    mproc_shared_destroy(shared);
}

/* Parent ------------------------------------------------------------------------------------------------------- */

static mproc_shared *create_shared(size_t size) {
    mproc_shared *shared = NULL;
    assert_mproc(0, mproc_shared_create(&shared, size));
    assert_int_equal(mproc_shared_size(shared), size);
    return shared;
}

static void it_is_zeroed_and_of_any_size(void **state) {
    static const size_t sizes[] = {1, 100, 4096, 4097, (size_t)1 << 20, (size_t)64 << 20};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mproc_shared *shared = create_shared(sizes[i]);
        const char *bytes = mproc_shared_data(shared);
        assert_int_equal((uintptr_t)bytes % 4096, 0);
        for (size_t j = 0; j < sizes[i]; j++) {
            if (bytes[j] != 0) {
                fail_msg("byte %lu is not 0", (unsigned long)j);
            }
        }
        mproc_shared_destroy(shared);
    }
}

/* 109 */
static void a_child_sees_the_same_bytes(void **state) {
    (void)state;
    mproc_shared *shared = create_shared(100000);
    unsigned char *bytes = mproc_shared_data(shared);
    for (int i = 0; i < 100000; i++) {
        bytes[i] = (unsigned char)(i * 7);
    }
    end_child(start_child(turn_around, mproc_pack("[o]", mproc_shared_ref(shared))), 0);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(bytes[i], (unsigned char)~(i * 7));
    }
    mproc_shared_destroy(shared);
}

/* 110 */
static void sizes_that_cannot_be_are_told(void **state) {
    mproc_shared *shared = NULL;
    (void)state;
    assert_mproc(MPROC_EINVAL, mproc_shared_create(&shared, 0));
    assert_mproc(MPROC_EINVAL, mproc_shared_create(NULL, 1));
    assert_mproc(MPROC_ENOMEM, mproc_shared_create(&shared, SIZE_MAX));
    assert_message("bytes are more than");
    assert_mproc(MPROC_ENOMEM, mproc_shared_create(&shared, (size_t)uv_get_total_memory() + 1));
    assert_null(shared);
    assert_null(mproc_shared_data(NULL));
    assert_int_equal(mproc_shared_size(NULL), 0);
    assert_null(mproc_shared_lock(NULL));
    assert_null(mproc_shared_ref(NULL));
    mproc_shared_destroy(NULL);
}

static void it_outlives_its_maker(void **state) {
    mproc_shared *shared = NULL;
    (void)state;
    mproc_queue *queue = create_queue(0);
    end_child(start_child(make_and_hand_over, mproc_pack("[o]", mproc_queue_ref(queue))), 0);
    cJSON *item = get_item(queue);
    assert_mproc(0, mproc_shared_from(&shared, item));
    cJSON_Delete(item);
    assert_int_equal(mproc_shared_size(shared), 100);
    assert_int_equal(((char *)mproc_shared_data(shared))[99], 'm');
    assert_mproc(0, mproc_lock_acquire(mproc_shared_lock(shared), 0));
    assert_mproc(0, mproc_lock_acquire(mproc_shared_lock(shared), 0)); /* it is recursive */
    assert_mproc(0, mproc_lock_release(mproc_shared_lock(shared)));
    assert_mproc(0, mproc_lock_release(mproc_shared_lock(shared)));
    mproc_shared_destroy(shared);
    mproc_queue_destroy(queue);
}

static void many_rounds_leave_nothing_behind(void **state) {
    mproc_connection *ours, *theirs;
    void *data;
    size_t size;
    (void)state;
    int rounds = system_is_slow_to_spawn() ? 500 : 10000;
    size_t before = test_open_handles(), mappings = system_mappings();
    assert_mproc(0, mproc_pipe(&ours, &theirs, true));
    mproc_process *process = start_child(add_to_each, mproc_pack("[o]", mproc_connection_ref(theirs)));
    mproc_connection_close(theirs);
    for (int i = 0; i < rounds; i++) {
        mproc_shared *shared = create_shared(sizeof(int));
        assert_mproc(0, mproc_connection_send(ours, mproc_shared_ref(shared)));
        assert_mproc(0, mproc_connection_recv_bytes(ours, &data, &size, TEST_PATIENCE_MS));
        mproc_free(data);
        assert_int_equal(*(int *)mproc_shared_data(shared), 1);
        mproc_shared_destroy(shared);
    }
    mproc_connection_close(ours);
    end_child(process, 0);
    assert_open_handles(before);
    assert_true(system_mappings() <= mappings + MAPPINGS_MAX);
    assert_false(system_has_named_memory());
}

static void a_killed_process_leaves_nothing_behind(void **state) {
    (void)state;
    size_t before = test_open_handles();
    for (int i = 0; i < 5; i++) {
        mproc_shared *shared = create_shared(1);
        mproc_process *process = start_child(take_and_stay, mproc_pack("[o]", mproc_shared_ref(shared)));
        while (*(volatile char *)mproc_shared_data(shared) == 0) {
            mproc_sleep(1);
        }
        mproc_shared_destroy(shared); /* the child has it alone now */
        assert_mproc(0, mproc_process_kill(process));
        end_child(process, -9);
    }
    assert_open_handles(before);
}

/* 108 */
static void elements_are_copied_in_and_out(void **state) {
    (void)state;
    static const double list[] = {0.5, 1.5, 2.5, 3.5};
    const double two[] = {-1, -2};
    double number = 0, all[4];
    mproc_shared *shared = NULL;
    assert_mproc(0, mproc_shared_create_copy(&shared, list, sizeof list));
    assert_int_equal(mproc_shared_size(shared), sizeof list);
    assert_memory_equal(mproc_shared_data(shared), list, sizeof list);
    assert_mproc(0, mproc_shared_read(shared, 3 * sizeof number, &number, sizeof number));
    assert_true(number == 3.5);
    assert_mproc(0, mproc_shared_write(shared, 1 * sizeof number, two, sizeof two));
    assert_mproc(0, mproc_shared_read(shared, 0, all, sizeof all));
    assert_true(all[0] == 0.5 && all[1] == -1 && all[2] == -2 && all[3] == 3.5);
    assert_mproc(MPROC_ERANGE, mproc_shared_read(shared, 4 * sizeof number, &number, sizeof number));
    assert_message("mproc_shared_read: 8 bytes from byte 32 on are not within the memory's 32");
    assert_mproc(MPROC_ERANGE, mproc_shared_write(shared, SIZE_MAX, &number, sizeof number));
    assert_mproc(MPROC_ERANGE, mproc_shared_write(shared, 8, &number, SIZE_MAX));
    assert_mproc(0, mproc_shared_read(shared, sizeof list, NULL, 0));
    assert_mproc(MPROC_EINVAL, mproc_shared_read(shared, 0, NULL, 1));
    assert_mproc(MPROC_EINVAL, mproc_shared_read(NULL, 0, &number, 1));
    assert_mproc(MPROC_EINVAL, mproc_shared_write(shared, 0, NULL, 1));
    assert_memory_equal(mproc_shared_data(shared), all, sizeof all);
    mproc_shared_destroy(shared);
    assert_mproc(MPROC_EINVAL, mproc_shared_create_copy(&shared, NULL, 1));
    assert_mproc(MPROC_EINVAL, mproc_shared_create_copy(&shared, list, 0));
    assert_mproc(MPROC_EINVAL, mproc_shared_create_copy(NULL, list, 1));
}

static void what_is_copied_is_never_torn(void **state) {
    static int elements[ELEMENTS];
    (void)state;
    mproc_shared *shared = create_shared(sizeof elements);
    mproc_process *process = start_child(write_patterns, mproc_pack("[o]", mproc_shared_ref(shared)));
    do {
        assert_mproc(0, mproc_shared_read(shared, 0, elements, sizeof elements));
        for (int i = 1; i < ELEMENTS; i++) {
            if (elements[i] != elements[0]) {
                fail_msg("element %d is %d, the first one %d", i, elements[i], elements[0]);
            }
        }
    } while (elements[0] < WRITES);
    end_child(process, 0);
    mproc_shared_destroy(shared);
}

static void a_copy_after_a_death_is_made_and_told(void **state) {
    int number = 7;
    mproc_shared *shared = NULL;
    (void)state;
    assert_mproc(0, mproc_shared_create_copy(&shared, &number, sizeof number));
    mproc_process *process = start_child(acquire_and_stay, mproc_pack("[o]", mproc_shared_ref(shared)));
    while (*(volatile int *)mproc_shared_data(shared) != 8) {
        mproc_sleep(1);
    }
    assert_mproc(0, mproc_process_kill(process));
    end_child(process, -9);
    assert_mproc(MPROC_EDIED, mproc_shared_read(shared, 0, &number, sizeof number));
    assert_message("mproc_shared_read: ");
    assert_int_equal(number, 8);
    assert_mproc(0, mproc_shared_read(shared, 0, &number, sizeof number));
    mproc_shared_destroy(shared);
}

static void a_pools_tasks_have_locks_and_shared_memory(void **state) {
    enum { TASKS = 100 };
    mproc_pool *pool = NULL;
    mproc_lock *lock = NULL;
    mproc_semaphore *done = NULL;
    mproc_async_result *results[TASKS];
    (void)state;
    assert_mproc(0, mproc_pool_create(&pool, 2, NULL));
    assert_mproc(0, mproc_lock_create(&lock, false));
    assert_mproc(0, mproc_semaphore_create(&done, 0, 0));
    mproc_shared *shared = create_shared(sizeof(int));
    for (int i = 0; i < TASKS; i++) {
        assert_mproc(0, mproc_pool_apply_async(pool, add_number,
                                               mproc_pack("[o,o,o,i]", mproc_shared_ref(shared), mproc_lock_ref(lock),
                                                          mproc_semaphore_ref(done), i),
                                               NULL, &results[i]));
    }
    for (int i = 0; i < TASKS; i++) {
        assert_mproc(0, mproc_semaphore_acquire(done, TEST_PATIENCE_MS));
    }
    assert_int_equal(*(int *)mproc_shared_data(shared), TASKS * (TASKS - 1) / 2);
    for (int i = 0; i < TASKS; i++) {
        assert_mproc(0, mproc_async_result_get(results[i], NULL, TEST_PATIENCE_MS));
        mproc_async_result_destroy(results[i]);
    }
    mproc_shared_destroy(shared);
    cJSON *returned = NULL;
    assert_mproc(0, mproc_pool_apply(pool, return_shared, NULL, NULL, &returned));
    assert_mproc(0, mproc_shared_from(&shared, returned));
    cJSON_Delete(returned);
    assert_int_equal(*(int *)mproc_shared_data(shared), 12);
    mproc_shared_destroy(shared);
    mproc_semaphore_destroy(done);
    mproc_lock_destroy(lock);
    mproc_pool_destroy(pool);
}

static int warm_up(void **state) {
    mproc_shared *shared = create_shared(1);
    end_child(start_child(turn_around, mproc_pack("[o]", mproc_shared_ref(shared))), 0);
    mproc_shared_destroy(shared);
    test_note_open_handles();
    (void)state;
    return 0;
}

static const mproc_target targets[] = {
    MPROC_TARGET(turn_around),   MPROC_TARGET(make_and_hand_over), MPROC_TARGET(add_to_each),
    MPROC_TARGET(take_and_stay), MPROC_TARGET(write_patterns),     MPROC_TARGET(acquire_and_stay),
    MPROC_TARGET(add_number),    MPROC_TARGET(return_shared),      MPROC_TARGETS_END};

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_zeroed_and_of_any_size),
        cmocka_unit_test(a_child_sees_the_same_bytes),
        cmocka_unit_test(sizes_that_cannot_be_are_told),
        cmocka_unit_test(it_outlives_its_maker),
        cmocka_unit_test(many_rounds_leave_nothing_behind),
        cmocka_unit_test(a_killed_process_leaves_nothing_behind),
        cmocka_unit_test(elements_are_copied_in_and_out),
        cmocka_unit_test(what_is_copied_is_never_torn),
        cmocka_unit_test(a_copy_after_a_death_is_made_and_told),
        cmocka_unit_test(a_pools_tasks_have_locks_and_shared_memory),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("shared", tests, warm_up, NULL);
}
