/* SPDX-License-Identifier: MIT */
/* The pool: what each call does, and the acceptance cases of shared/semantics.md for it (31 to 44, 66). */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mproc.h"
#include "support/system.h"

/* Targets ------------------------------------------------------------------------------------------------------ */

static void square(mproc_task *task) {
    double number;
    if (mproc_task_unpack(task, "(f)", &number) == 0) {
        mproc_task_return(task, cJSON_CreateNumber(number * number));
    }
}

static void add(mproc_task *task) {
    double a, b, c = 0;
    if (mproc_task_unpack(task, "(f=a, f=b){s?:f}", &a, &b, "c", &c) == 0) {
        mproc_task_return(task, cJSON_CreateNumber(a + b + c));
    }
}

static void tell_pid(mproc_task *task) {
    mproc_task_return(task, cJSON_CreateNumber(mproc_getpid()));
}

static void fail_on(mproc_task *task) {
    int number, bad;
    if (mproc_task_unpack(task, "(i,i)", &number, &bad) != 0) {
        return;
    }
    if (number == bad) {
        mproc_task_fail(task, "number %d is bad", number);
        return;
    }
    mproc_task_return(task, cJSON_CreateNumber(number));
}

static void nap(mproc_task *task) {
    int ms;
    if (mproc_task_unpack(task, "(i)", &ms) == 0) {
        mproc_sleep(ms);
        mproc_task_return(task, cJSON_CreateNumber(ms));
    }
}

/* Waits until somebody closes the queue. */
static void wait_for_queue(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    cJSON *item = NULL;
    if (queue != NULL && mproc_queue_get(queue, &item, MPROC_FOREVER) == 0) {
        mproc_task_return(task, item);
    }
}

static void end_self(mproc_task *task) {
    const char *how;
    if (mproc_task_unpack(task, "(s)", &how) != 0) {
        return;
    }
    if (strcmp(how, "kill") == 0) {
        system_kill(mproc_getpid());
        mproc_sleep(TEST_PATIENCE_MS);
    } else if (strcmp(how, "exit") == 0) {
        exit(7);
    }
    mproc_task_return(task, cJSON_CreateString(how));
}

static const mproc_target targets[] = {MPROC_TARGET(square),    MPROC_TARGET(add),      MPROC_TARGET(tell_pid),
                                       MPROC_TARGET(fail_on),   MPROC_TARGET(nap),      MPROC_TARGET(wait_for_queue),
                                       MPROC_TARGET(end_self),  MPROC_TARGETS_END};

/* Helpers ------------------------------------------------------------------------------------------------------ */

static mproc_pool *create(int workers) {
    mproc_pool *pool = NULL;
    assert_mproc(0, mproc_pool_create(&pool, workers, NULL));
    return pool;
}

static cJSON *numbers(int count) {
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        assert_true(cJSON_AddItemToArray(array, cJSON_CreateNumber(i)));
    }
    return array;
}

/* Tests -------------------------------------------------------------------------------------------------------- */

static void apply_calls_and_returns(void **state) {
    cJSON *value = NULL;
    mproc_apply_options options = {0};
    (void)state;
    mproc_pool *pool = create(2);
    assert_mproc(0, mproc_pool_apply(pool, square, mproc_pack("[i]", 7), NULL, &value));
    assert_int_equal(value->valueint, 49);
    cJSON_Delete(value);
    options.kwargs = mproc_pack("{s:i}", "c", 30);
    assert_mproc(0, mproc_pool_apply(pool, add, mproc_pack("[i,i]", 1, 2), &options, &value));
    assert_int_equal(value->valueint, 33);
    cJSON_Delete(value);
    mproc_pool_destroy(pool);
}

static void map_keeps_the_order(void **state) {
    cJSON *values = NULL;
    (void)state;
    mproc_pool *pool = create(4);
    assert_mproc(0, mproc_pool_map(pool, square, numbers(100), NULL, &values));
    assert_int_equal(cJSON_GetArraySize(values), 100);
    int i = 0;
    const cJSON *value;
    cJSON_ArrayForEach(value, values) {
        assert_int_equal(value->valueint, i * i);
        i++;
    }
    cJSON_Delete(values);
    assert_mproc(0, mproc_pool_map(pool, tell_pid, cJSON_CreateArray(), NULL, &values));
    assert_int_equal(cJSON_GetArraySize(values), 0);
    cJSON_Delete(values);
    assert_mproc(0, mproc_pool_close(pool));
    assert_mproc(0, mproc_pool_join(pool, TEST_PATIENCE_MS));
    mproc_pool_destroy(pool);
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply_calls_and_returns),
        cmocka_unit_test(map_keeps_the_order),
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
