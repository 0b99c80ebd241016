/* SPDX-License-Identifier: MIT */
/* The pool: what each call does, and the acceptance cases of shared/semantics.md for it (31 to 44, 66), but for what becomes of
 * workers, which is pool_workers_test.c's. */
#include "support/pools.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "pool/pool.h"
#include "support/children.h"
#include "support/system.h"

/* Targets ------------------------------------------------------------------------------------------------------ */

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

/* Waits until somebody closes the queue. */
static void wait_for_queue(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    cJSON *item = NULL;
    if (queue != NULL && mproc_queue_get(queue, &item, MPROC_FOREVER) == 0) {
        mproc_task_return(task, item);
    }
}

/* Bytes: two numbers in, their product out. */
static void multiply(mproc_task *task) {
    size_t size;
    const int32_t *pair = mproc_task_bytes(task, &size);
    int64_t product = (int64_t)pair[0] * pair[1];
    if (pair[0] == -1) {
        mproc_task_fail(task, "minus one");
    } else {
        (void)mproc_task_return_bytes(task, &product, pair[0] == -2 ? 3 : sizeof product);
    }
}

/* Returns its raw data, twice over. */
static void double_bytes(mproc_task *task) {
    size_t size;
    const char *data = mproc_task_bytes(task, &size);
    char *twice = malloc(2 * size + 1);
    if (twice == NULL) {
        mproc_task_fail(task, "no memory");
        return;
    }
    if (size > 0) {
        memcpy(twice, data, size);
        memcpy(twice + size, data, size);
    }
    (void)mproc_task_return_bytes(task, twice, 2 * size);
    free(twice);
}

static void return_unsendable(mproc_task *task) {
    mproc_task_return(task, cJSON_CreateNumber(-1e308 * 10));
}

static const mproc_target targets[] = {
    MPROC_TARGET(square),   MPROC_TARGET(add),          MPROC_TARGET(tell_pid),
    MPROC_TARGET(nap),      MPROC_TARGET(fail_on),      MPROC_TARGET(wait_for_queue),
    MPROC_TARGET(multiply), MPROC_TARGET(double_bytes), MPROC_TARGET(return_unsendable),
    MPROC_TARGETS_END};

/* Calls and their results -------------------------------------------------------------------------------------- */

static void apply_calls_and_returns(void **state) {
    cJSON *value = NULL;
    mproc_apply_options options = {0};
    (void)state;
    mproc_pool *pool = create_pool(2);
    assert_mproc(0, mproc_pool_apply(pool, square, mproc_pack("[i]", 7), NULL, &value));
    assert_int_equal(value->valueint, 49);
    cJSON_Delete(value);
    options.kwargs = mproc_pack("{s:i}", "c", 30);
    assert_mproc(0, mproc_pool_apply(pool, add, mproc_pack("[i,i]", 1, 2), &options, &value));
    assert_int_equal(value->valueint, 33);
    cJSON_Delete(value);
    assert_mproc(0, mproc_pool_apply(pool, nap, mproc_pack("[i]", 0), NULL, NULL)); /* nobody wants its value */
    mproc_pool_destroy(pool);
}

/* 31 */
static void map_keeps_the_order(void **state) {
    cJSON *values = NULL;
    (void)state;
    mproc_pool *pool = create_pool(4);
    assert_mproc(0, mproc_pool_map(pool, square, numbers(100), NULL, &values));
    assert_int_equal(cJSON_GetArraySize(values), 100);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(cJSON_GetArrayItem(values, i)->valueint, i * i);
    }
    cJSON_Delete(values);
    assert_mproc(0, mproc_pool_starmap(pool, add, mproc_pack("[[i,i],[i,i],[i,i]]", 1, 2, 3, 4, 5, 6), NULL, &values));
    assert_int_equal(cJSON_GetArrayItem(values, 2)->valueint, 11);
    cJSON_Delete(values);
    mproc_map_options each = {0};
    each.chunksize = 1;
    cJSON *any = cJSON_CreateArray();
    for (int i = 0; i < 100; i++) {
        (void)cJSON_AddItemToArray(any, cJSON_CreateArray());
    }
    assert_mproc(0, mproc_pool_starmap(pool, tell_pid, any, &each, &values));
    assert_in_range(count_distinct(values), 1, 4);
    cJSON_ArrayForEach(any, values) {
        assert_int_not_equal(any->valueint, mproc_getpid());
    }
    cJSON_Delete(values);
    end_pool(pool);
}

/* 36 */
static int calls_back;
static void count_call(cJSON *value, void *user) {
    *(int *)user = cJSON_GetArraySize(value);
    calls_back++;
    cJSON_Delete(value);
}

static void a_map_of_nothing_is_empty(void **state) {
    cJSON *values = NULL;
    int size = -1;
    mproc_map_options options = {0};
    (void)state;
    mproc_pool *pool = create_pool(4);
    options.callback = count_call;
    options.user = &size;
    calls_back = 0;
    assert_mproc(0, mproc_pool_map(pool, square, cJSON_CreateArray(), &options, &values));
    assert_int_equal(cJSON_GetArraySize(values), 0);
    assert_int_equal(size, 0);
    assert_int_equal(calls_back, 1);
    cJSON_Delete(values);
    assert_mproc(0, mproc_pool_map_bytes(pool, multiply, NULL, 0, 8, NULL, 8, NULL));
    end_pool(pool);
}

/* 32 */
static void a_closed_pool_takes_no_more(void **state) {
    mproc_async_result *results[7];
    cJSON *value = NULL;
    (void)state;
    mproc_pool *pool = create_pool(5);
    for (int i = 0; i < 7; i++) {
        results[i] = submit(pool, square, mproc_pack("[i]", i));
    }
    assert_mproc(MPROC_ESTATE, mproc_pool_join(pool, 0));
    assert_message("mproc_pool_close first");
    assert_mproc(0, mproc_pool_close(pool));
    assert_mproc(0, mproc_pool_close(pool));
    assert_mproc(MPROC_ECLOSED, mproc_pool_apply(pool, square, mproc_pack("[i]", 1), NULL, &value));
    assert_message("closed");
    assert_mproc(MPROC_ECLOSED, mproc_pool_map(pool, square, numbers(2), NULL, &value));
    assert_mproc(0, mproc_pool_join(pool, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_pool_join(pool, 0));
    for (int i = 0; i < 7; i++) {
        assert_int_equal(get_number(results[i]), i * i);
    }
    mproc_pool_destroy(pool);
}

struct calls {
    int values, errors, code;
    double last;
    mproc_pool *pool;
    mproc_async_result *result;
    int status;
};

static void note_value(cJSON *value, void *user) {
    struct calls *calls = user;
    calls->values++;
    calls->last = value->valuedouble;
    cJSON_Delete(value);
}

static void note_error(const mproc_error *error, void *user) {
    struct calls *calls = user;
    calls->errors++;
    calls->code = error->code;
}

/* 33 */
static void one_callback_is_called_once(void **state) {
    struct calls calls = {0};
    mproc_apply_options options = {0};
    (void)state;
    mproc_pool *pool = create_pool(2);
    options.callback = note_value;
    options.error_callback = note_error;
    options.user = &calls;
    for (int i = 0; i < 50; i++) {
        assert_mproc(
            0, mproc_pool_apply_async(pool, fail_on, mproc_pack("[i,i]", i, i % 2 == 0 ? i : -1), &options, NULL));
    }
    assert_mproc(0, mproc_pool_close(pool));
    assert_mproc(0, mproc_pool_join(pool, TEST_PATIENCE_MS));
    assert_int_equal(calls.values, 25);
    assert_int_equal(calls.errors, 25);
    assert_int_equal(calls.code, MPROC_ETASK);
    mproc_pool_destroy(pool);
}

static void wait_for_semaphore(cJSON *value, void *user) {
    cJSON_Delete(value);
    uv_sem_wait(user);
}

static void a_slow_callback_delays_no_worker(void **state) {
    mproc_apply_options options = {0};
    uv_sem_t semaphore;
    mproc_async_result *result = NULL;
    cJSON *values = NULL;
    (void)state;
    assert_int_equal(uv_sem_init(&semaphore, 0), 0);
    mproc_pool *pool = create_pool(1);
    options.callback = wait_for_semaphore;
    options.user = &semaphore;
    assert_mproc(0, mproc_pool_apply_async(pool, nap, mproc_pack("[i]", 0), &options, &result));
    for (int i = 0; i < 3; i++) { /* while it runs, all of this goes on */
        assert_mproc(0, mproc_pool_map(pool, square, numbers(100), NULL, &values));
        assert_int_equal(cJSON_GetArraySize(values), 100);
        cJSON_Delete(values);
    }
    assert_false(mproc_async_result_ready(result)); /* as in Python, it is ready when its callback has returned */
    uv_sem_post(&semaphore);
    assert_mproc(0, mproc_async_result_wait(result, TEST_PATIENCE_MS));
    mproc_async_result_destroy(result);
    end_pool(pool);
    uv_sem_destroy(&semaphore);
}

/* In a callback: submits again, and asks for a result that cannot be there. */
static void submit_again(cJSON *value, void *user) {
    struct calls *calls = user;
    mproc_apply_options options = {0};
    mproc_async_result *result = NULL;
    options.callback = note_value;
    options.user = calls;
    calls->status = mproc_pool_apply_async(calls->pool, square, value, &options, NULL);
    if (calls->status == 0) {
        calls->status = mproc_pool_apply_async(calls->pool, nap, mproc_pack("[i]", 0), &options, &result);
    }
    if (calls->status == 0) {
        calls->code = mproc_async_result_get(result, NULL, MPROC_FOREVER);
    }
    mproc_async_result_destroy(result);
    (void)mproc_pool_close(calls->pool);
}

static void callbacks_may_submit_and_close(void **state) {
    struct calls calls = {0};
    mproc_apply_options options = {0};
    (void)state;
    calls.pool = create_pool(2);
    options.callback = submit_again;
    options.user = &calls;
    mproc_async_result *result = NULL;
    assert_mproc(0, mproc_pool_apply_async(calls.pool, fail_on, mproc_pack("[i,i]", 3, 4), &options, &result));
    assert_mproc(0, mproc_async_result_wait(result, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_pool_join(calls.pool, TEST_PATIENCE_MS));
    assert_int_equal(calls.status, MPROC_ETYPE); /* 3 is no array of arguments */
    mproc_async_result_destroy(result);
    mproc_pool_destroy(calls.pool);
}

/* 34, 66 */
static void results_are_waited_for(void **state) {
    bool successful;
    cJSON *value = NULL;
    (void)state;
    mproc_pool *pool = create_pool(1);
    mproc_queue *queue = create_queue(0);
    mproc_async_result *result = submit(pool, wait_for_queue, mproc_pack("[o]", mproc_queue_ref(queue)));
    assert_false(mproc_async_result_ready(result));
    assert_mproc(MPROC_ETIMEDOUT, mproc_async_result_get(result, &value, 20));
    assert_mproc(MPROC_ETIMEDOUT, mproc_async_result_wait(result, 20));
    assert_mproc(MPROC_ESTATE, mproc_async_result_successful(result, &successful));
    assert_null(mproc_async_result_error(result));
    assert_mproc(0, mproc_queue_put(queue, cJSON_CreateNumber(5), 0));
    for (int i = 0; i < 2; i++) { /* again and again */
        assert_mproc(0, mproc_async_result_get(result, &value, TEST_PATIENCE_MS));
        assert_int_equal(value->valueint, 5);
        cJSON_Delete(value);
    }
    assert_true(mproc_async_result_ready(result));
    assert_mproc(0, mproc_async_result_successful(result, &successful));
    assert_true(successful);
    end_pool(pool);
    assert_mproc(0, mproc_async_result_get(result, &value, 0)); /* it outlives the pool */
    cJSON_Delete(value);
    mproc_async_result_destroy(result);
    mproc_queue_destroy(queue);
}

/* 35 */
static void a_failure_is_told_with_its_place(void **state) {
    bool successful = true;
    cJSON *value = NULL;
    (void)state;
    mproc_pool *pool = create_pool(2);
    mproc_async_result *result = submit(pool, fail_on, mproc_pack("[i,i]", 3, 3));
    assert_mproc(MPROC_ETASK, mproc_async_result_get(result, &value, TEST_PATIENCE_MS));
    assert_message("number 3 is bad");
    assert_string_equal(mproc_last_error()->target, "fail_on");
    assert_int_not_equal(mproc_last_error()->pid, 0);
    assert_int_not_equal(mproc_last_error()->pid, mproc_getpid());
    assert_mproc(0, mproc_async_result_successful(result, &successful));
    assert_false(successful);
    assert_string_equal(mproc_async_result_error(result)->message, "number 3 is bad");
    mproc_async_result_destroy(result);
    /* A map's failure is the first one by the order of its items, and all others are carried out. */
    cJSON *items = mproc_pack("[[i,i],[i,i],[i,i],[i,i]]", 0, 9, 1, 1, 2, 2, 3, 9);
    mproc_pool_stats stats;
    assert_mproc(MPROC_ETASK, mproc_pool_starmap(pool, fail_on, items, NULL, &value));
    assert_message("number 1 is bad");
    assert_mproc(0, mproc_pool_get_stats(pool, &stats));
    assert_int_equal(stats.completed, 2);
    assert_int_equal(stats.failed, 3);
    assert_int_equal(stats.pending, 0);
    assert_mproc(MPROC_EINVAL, mproc_pool_apply(pool, return_unsendable, NULL, NULL, &value));
    assert_message("the result cannot be sent");
    assert_mproc(MPROC_ETASK, mproc_pool_apply(pool, square, mproc_pack("[s]", "x"), NULL, &value));
    assert_message("argument 0");
    end_pool(pool);
}

static cJSON *next_number(void *user) {
    int *next = user;
    return *next < 1000 ? cJSON_CreateNumber((*next)++) : NULL;
}

/* 37 */
static void imap_gives_one_after_the_other(void **state) {
    static const size_t chunks[] = {0, 1, 100, 7};
    (void)state;
    mproc_pool *pool = create_pool(3);
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        int next = 0, count = 0;
        cJSON *value = NULL;
        mproc_iterator *iterator = NULL;
        assert_mproc(0, mproc_pool_imap(pool, square, next_number, &next, chunks[i], &iterator));
        assert_int_equal(next, 0); /* input is taken only as results are */
        while (mproc_iterator_next(iterator, &value, TEST_PATIENCE_MS) == 0) {
            assert_int_equal(value->valueint, count * count);
            cJSON_Delete(value);
            count++;
            assert_true(next <= count + 3 * 4 * (int)(chunks[i] > 0 ? chunks[i] : 1) || next == 1000);
        }
        assert_int_equal(mproc_last_error()->code, MPROC_ECLOSED);
        assert_int_equal(count, 1000);
        assert_mproc(MPROC_ECLOSED, mproc_iterator_next(iterator, &value, 0));
        mproc_iterator_destroy(iterator);
    }
    end_pool(pool);
}

static void imap_unordered_gives_the_same_set(void **state) {
    static bool seen[1000];
    int next = 0, count = 0;
    cJSON *value = NULL;
    mproc_iterator *iterator = NULL;
    (void)state;
    memset(seen, 0, sizeof seen);
    mproc_pool *pool = create_pool(3);
    assert_mproc(0, mproc_pool_imap_unordered(pool, square, next_number, &next, 3, &iterator));
    while (mproc_iterator_next(iterator, &value, TEST_PATIENCE_MS) == 0) {
        int root = 0;
        while (root * root < value->valueint) {
            root++;
        }
        assert_false(seen[root]);
        seen[root] = true;
        cJSON_Delete(value);
        count++;
    }
    assert_int_equal(count, 1000);
    mproc_iterator_destroy(iterator);
    end_pool(pool);
}

static cJSON *next_pair(void *user) {
    int *next = user;
    return *next < 6 ? mproc_pack("[i]", (*next)++ == 3 ? -1 : 1) : NULL;
}

/* 38 */
static void an_item_that_fails_is_that_items_error(void **state) {
    (void)state;
    mproc_pool *pool = create_pool(2);
    for (size_t chunk = 1; chunk <= 4; chunk++) {
        int next = 0;
        cJSON *value = NULL;
        mproc_iterator *iterator = NULL;
        assert_mproc(0, mproc_pool_imap(pool, square, next_pair, &next, chunk, &iterator)); /* a list is no number */
        for (int i = 0; i < 6; i++) {
            assert_mproc(MPROC_ETASK, mproc_iterator_next(iterator, &value, TEST_PATIENCE_MS));
        }
        assert_mproc(MPROC_ECLOSED, mproc_iterator_next(iterator, &value, TEST_PATIENCE_MS));
        mproc_iterator_destroy(iterator);
    }
    end_pool(pool);
}

static void an_iterator_may_be_left_early(void **state) {
    int next = 0;
    cJSON *value = NULL;
    mproc_iterator *iterator = NULL;
    (void)state;
    mproc_pool *pool = create_pool(2);
    assert_mproc(0, mproc_pool_imap(pool, square, next_number, &next, 10, &iterator));
    assert_mproc(0, mproc_iterator_next(iterator, &value, TEST_PATIENCE_MS));
    cJSON_Delete(value);
    mproc_iterator_destroy(iterator);
    end_pool(pool);
}

static void map_bytes_maps_arrays(void **state) {
    enum { COUNT = 10000 };
    static int32_t pairs[COUNT][2];
    static int64_t products[COUNT];
    (void)state;
    mproc_pool *pool = create_pool(3);
    for (int i = 0; i < COUNT; i++) {
        pairs[i][0] = i;
        pairs[i][1] = 3 * i;
    }
    assert_mproc(
        0, mproc_pool_map_bytes(pool, multiply, pairs, COUNT, sizeof pairs[0], products, sizeof products[0], NULL));
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(products[i], (int64_t)i * 3 * i);
    }
    pairs[7000][0] = -1;
    assert_mproc(MPROC_ETASK, mproc_pool_map_bytes(pool, multiply, pairs, COUNT, sizeof pairs[0], products,
                                                   sizeof products[0], NULL));
    assert_message("minus one");
    pairs[7000][0] = -2;
    assert_mproc(MPROC_ERANGE, mproc_pool_map_bytes(pool, multiply, pairs, COUNT, sizeof pairs[0], products,
                                                    sizeof products[0], NULL));
    assert_message("returned 3 bytes, but 8 are wanted");
    end_pool(pool);
}

static void raw_bytes_of_any_size_go_both_ways(void **state) {
    static const size_t sizes[] = {0, 1, 100, 20000, 3 << 20};
    (void)state;
    mproc_pool *pool = create_pool(1);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        mproc_apply_options options = {0};
        mproc_async_result *result = NULL;
        const void *data;
        size_t size;
        char *bytes = malloc(sizes[i] + 1);
        assert_non_null(bytes);
        memset(bytes, (int)i + 1, sizes[i]);
        options.data = bytes;
        options.size = sizes[i];
        assert_mproc(0, mproc_pool_apply_async(pool, double_bytes, NULL, &options, &result));
        assert_mproc(0, mproc_async_result_get_bytes(result, &data, &size, TEST_PATIENCE_MS));
        assert_int_equal(size, 2 * sizes[i]);
        assert_true(sizes[i] == 0 || memcmp(data, bytes, sizes[i]) == 0);
        assert_mproc(MPROC_ETYPE, mproc_async_result_get(result, NULL, 0));
        mproc_async_result_destroy(result);
        free(bytes);
    }
    end_pool(pool);
}

static void progress_without_a_terminal_is_a_line_now_and_then(void **state) {
    const uint64_t second = 1000000000;
    (void)state;
    system_capture_stderr();
    struct progress *progress = progress_create("counting", 100, second);
    progress_draw(progress, 0, second, false);
    progress_draw(progress, 10, 6 * second, false);
    progress_draw(progress, 20, 11 * second, false); /* a line */
    progress_draw(progress, 30, 20 * second, false);
    progress_draw(progress, 40, 21 * second, false); /* a line */
    progress_draw(progress, 100, 26 * second, true); /* the last one */
    char *text = system_captured_stderr();
    progress_destroy(progress);
    assert_string_equal(text, "counting 20/100  2.0/s  0:40 left\n"
                              "counting 40/100  2.0/s  0:30 left\n"
                              "counting 100/100  4.0/s  0:25\n");
    free(text);
}

/* Nothing is printed for what is over before the first line is due. */
static void progress_of_short_work_prints_nothing(void **state) {
    mproc_map_options options = {0};
    cJSON *values = NULL;
    (void)state;
    options.progress = "counting";
    mproc_pool *pool = create_pool(1);
    system_capture_stderr();
    assert_mproc(0, mproc_pool_map(pool, square, numbers(100), &options, &values));
    end_pool(pool);
    char *text = system_captured_stderr();
    assert_string_equal(text, "");
    free(text);
    cJSON_Delete(values);
}

/* Two things that a job can have at a time: a bar and a callback. */
static void a_map_with_progress_calls_back(void **state) {
    mproc_map_options options = {0};
    mproc_async_result *results[20];
    int size = 0;
    (void)state;
    mproc_pool *pool = create_pool(2);
    options.callback = count_call;
    options.user = &size;
    options.progress = "counting";
    calls_back = 0;
    for (int i = 0; i < 20; i++) {
        assert_mproc(0, mproc_pool_map_async(pool, square, numbers(50), &options, &results[i]));
    }
    for (int i = 0; i < 20; i++) {
        assert_mproc(0, mproc_async_result_wait(results[i], TEST_PATIENCE_MS));
        mproc_async_result_destroy(results[i]);
    }
    end_pool(pool);
    assert_int_equal(calls_back, 20);
    assert_int_equal(size, 50);
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply_calls_and_returns),
        cmocka_unit_test(map_keeps_the_order),
        cmocka_unit_test(a_map_of_nothing_is_empty),
        cmocka_unit_test(a_closed_pool_takes_no_more),
        cmocka_unit_test(one_callback_is_called_once),
        cmocka_unit_test(a_slow_callback_delays_no_worker),
        cmocka_unit_test(callbacks_may_submit_and_close),
        cmocka_unit_test(results_are_waited_for),
        cmocka_unit_test(a_failure_is_told_with_its_place),
        cmocka_unit_test(imap_gives_one_after_the_other),
        cmocka_unit_test(imap_unordered_gives_the_same_set),
        cmocka_unit_test(an_item_that_fails_is_that_items_error),
        cmocka_unit_test(an_iterator_may_be_left_early),
        cmocka_unit_test(map_bytes_maps_arrays),
        cmocka_unit_test(raw_bytes_of_any_size_go_both_ways),
        cmocka_unit_test(progress_without_a_terminal_is_a_line_now_and_then),
        cmocka_unit_test(progress_of_short_work_prints_nothing),
        cmocka_unit_test(a_map_with_progress_calls_back),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("pool", tests, set_up_pools, NULL);
}
