/* SPDX-License-Identifier: MIT */
#include "support/pools.h"

/* Targets ------------------------------------------------------------------------------------------------------ */

void square(mproc_task *task) {
    double number;
    if (mproc_task_unpack(task, "(f)", &number) == 0) {
        mproc_task_return(task, cJSON_CreateNumber(number * number));
    }
}

void add(mproc_task *task) {
    double a, b, c = 0;
    if (mproc_task_unpack(task, "(f=a, f=b){s?:f}", &a, &b, "c", &c) == 0) {
        mproc_task_return(task, cJSON_CreateNumber(a + b + c));
    }
}

void tell_pid(mproc_task *task) {
    mproc_task_return(task, cJSON_CreateNumber(mproc_getpid()));
}

void nap(mproc_task *task) {
    int ms;
    if (mproc_task_unpack(task, "(i)", &ms) == 0) {
        mproc_sleep(ms);
        mproc_task_return(task, cJSON_CreateNumber(ms));
    }
}

/* Pools and results -------------------------------------------------------------------------------------------- */

mproc_pool *create_pool(int workers) {
    mproc_pool *pool = NULL;
    assert_mproc(0, mproc_pool_create(&pool, workers, NULL));
    return pool;
}

cJSON *numbers(int count) {
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        assert_true(cJSON_AddItemToArray(array, cJSON_CreateNumber(i)));
    }
    return array;
}

mproc_pool *create_pool_with(int workers, mproc_pool_options options) {
    mproc_pool *pool = NULL;
    assert_mproc(0, mproc_pool_create(&pool, workers, &options));
    return pool;
}

mproc_async_result *submit(mproc_pool *pool, mproc_fn fn, cJSON *args) {
    mproc_async_result *result = NULL;
    assert_mproc(0, mproc_pool_apply_async(pool, fn, args, NULL, &result));
    return result;
}

int get_number(mproc_async_result *result) {
    cJSON *value = NULL;
    assert_mproc(0, mproc_async_result_get(result, &value, TEST_PATIENCE_MS));
    int number = value->valueint;
    cJSON_Delete(value);
    mproc_async_result_destroy(result);
    return number;
}

void end_pool(mproc_pool *pool) {
    assert_mproc(0, mproc_pool_close(pool));
    assert_mproc(0, mproc_pool_join(pool, TEST_PATIENCE_MS));
    mproc_pool_destroy(pool);
}

/* The distinct numbers in an array. */
int count_distinct(const cJSON *values) {
    int count = 0;
    const cJSON *value, *other;
    cJSON_ArrayForEach(value, values) {
        bool is_new = true;
        for (other = values->child; other != value; other = other->next) {
            is_new = is_new && other->valueint != value->valueint;
        }
        count += is_new;
    }
    return count;
}

int set_up_pools(void **state) {
    (void)state;
    mproc_pool *pool = create_pool(1);
    assert_mproc(0, mproc_pool_apply(pool, nap, mproc_pack("[i]", 0), NULL, NULL));
    end_pool(pool);
    test_note_open_handles();
    return 0;
}
