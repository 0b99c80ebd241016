/* SPDX-License-Identifier: MIT */
/* The pool's workers: their start, their end, in whatever way, what they are told, and many of them. */
#include "support/pools.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "support/children.h"
#include "support/system.h"

/* Targets ------------------------------------------------------------------------------------------------------ */

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

/* Sets what later tasks of the same worker see. */
static int initialized;

static void initialize(mproc_task *task) {
    int number;
    if (mproc_task_unpack(task, "(i)", &number) == 0) {
        initialized += number;
    }
}

static void tell_initialized(mproc_task *task) {
    mproc_task_return(task, cJSON_CreateNumber(initialized));
}

static void fail_to_initialize(mproc_task *task) {
    mproc_task_fail(task, "there is no database");
}

static void die_while_initializing(mproc_task *task) {
    (void)task;
    exit(9);
}

/* Says that it has begun, and goes on until it is told to give up. */
static void work_until_cancelled(mproc_task *task) {
    mproc_queue *began = mproc_task_queue(task, 0);
    if (began == NULL || mproc_queue_put(began, cJSON_CreateNumber(mproc_getpid()), MPROC_FOREVER) != 0) {
        return;
    }
    while (!mproc_task_cancelled(task)) {
        mproc_sleep(1);
    }
    mproc_task_return(task, cJSON_CreateString("gave up"));
}

/* Says that it has begun, and never ends. */
static void begin_and_stay(mproc_task *task) {
    mproc_queue *began = mproc_task_queue(task, 0);
    if (began != NULL && mproc_queue_put(began, cJSON_CreateNumber(mproc_getpid()), MPROC_FOREVER) == 0) {
        for (;;) {
            mproc_sleep(TEST_PATIENCE_MS);
        }
    }
}

/* Dies unless the queue has something; so the first try ends, and a later one returns. */
static void die_at_first(mproc_task *task) {
    mproc_queue *lives = mproc_task_queue(task, 0);
    cJSON *life = NULL;
    if (lives != NULL && mproc_queue_get_nowait(lives, &life) == 0) {
        cJSON_Delete(life);
        system_kill(mproc_getpid());
        mproc_sleep(TEST_PATIENCE_MS);
    }
    mproc_task_return(task, cJSON_CreateString("alive"));
}

static void read_environment(mproc_task *task) {
    const char *name;
    if (mproc_task_unpack(task, "(s)", &name) == 0) {
        const char *value = getenv(name);
        mproc_task_return(task, value != NULL ? cJSON_CreateString(value) : NULL);
    }
}

/* A pool inside a task. */
static void sum_of_squares(mproc_task *task) {
    mproc_pool *pool = NULL;
    cJSON *values = NULL, *items = cJSON_Duplicate(cJSON_GetArrayItem(mproc_task_args(task), 0), true);
    double sum = 0;
    if (mproc_pool_create(&pool, 2, NULL) != 0 || mproc_pool_map(pool, square, items, NULL, &values) != 0) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
        return;
    }
    const cJSON *value;
    cJSON_ArrayForEach(value, values) {
        sum += value->valuedouble;
    }
    cJSON_Delete(values);
    mproc_pool_destroy(pool);
    mproc_task_return(task, cJSON_CreateNumber(sum));
}

/* Makes a queue, puts something in, and hands it over in its result. */
static void make_queue(mproc_task *task) {
    mproc_queue *queue = NULL;
    if (mproc_queue_create(&queue, 0) != 0 || mproc_queue_put(queue, cJSON_CreateString("inside"), 0) != 0) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
        return;
    }
    mproc_task_return(task, mproc_queue_ref(queue));
    mproc_queue_destroy(queue);
}

static void eat_memory(mproc_task *task) {
    static char *eaten;
    char *more = realloc(eaten, 64u << 20);
    if (more != NULL) {
        memset(more, 1, 64u << 20);
        eaten = more;
    }
    mproc_task_return(task, cJSON_CreateNumber(mproc_getpid()));
}

static void not_in_the_table(mproc_task *task) {
    (void)task;
}

static void forbid_handles(mproc_task *task) {
    (void)task;
    system_forbid_handles();
}

static void take_queue(mproc_task *task) {
    (void)mproc_task_queue(task, 0);
}

static const mproc_target targets[] = {MPROC_TARGET(square),
                                       MPROC_TARGET(add),
                                       MPROC_TARGET(tell_pid),
                                       MPROC_TARGET(nap),
                                       MPROC_TARGET(end_self),
                                       MPROC_TARGET(initialize),
                                       MPROC_TARGET(tell_initialized),
                                       MPROC_TARGET(fail_to_initialize),
                                       MPROC_TARGET(die_while_initializing),
                                       MPROC_TARGET(work_until_cancelled),
                                       MPROC_TARGET(begin_and_stay),
                                       MPROC_TARGET(die_at_first),
                                       MPROC_TARGET(read_environment),
                                       MPROC_TARGET(sum_of_squares),
                                       MPROC_TARGET(make_queue),
                                       MPROC_TARGET(eat_memory),
                                       MPROC_TARGET(forbid_handles),
                                       MPROC_TARGET(take_queue),
                                       MPROC_TARGETS_END};

/* Workers ------------------------------------------------------------------------------------------------------ */

/* 39 */
static void the_initializer_runs_once_a_worker(void **state) {
    mproc_pool_options options = {0};
    cJSON *values = NULL;
    mproc_map_options each = {0};
    (void)state;
    options.initializer = initialize;
    options.initargs = mproc_pack("[i]", 41);
    each.chunksize = 1;
    mproc_pool *pool = create_pool_with(3, options);
    assert_mproc(0, mproc_pool_map(pool, tell_initialized, numbers(50), &each, &values));
    const cJSON *value;
    cJSON_ArrayForEach(value, values) {
        assert_int_equal(value->valueint, 41);
    }
    cJSON_Delete(values);
    end_pool(pool);
}

/* 40 */
static void nonsense_is_refused(void **state) {
    mproc_pool *pool = NULL;
    mproc_pool_options options = {0};
    cJSON *value = NULL;
    (void)state;
    assert_mproc(MPROC_EINVAL, mproc_pool_create(&pool, -1, NULL));
    assert_mproc(MPROC_EINVAL, mproc_pool_create(&pool, 100000, NULL));
    options.max_tasks_per_worker = -1;
    assert_mproc(MPROC_EINVAL, mproc_pool_create(&pool, 1, &options));
    assert_message("max_tasks_per_worker");
    memset(&options, 0, sizeof options);
    options.initializer = not_in_the_table;
    assert_mproc(MPROC_ETARGET, mproc_pool_create(&pool, 1, &options));
    memset(&options, 0, sizeof options);
    options.initializer = initialize;
    options.initargs = cJSON_CreateNumber(1);
    assert_mproc(MPROC_ETYPE, mproc_pool_create(&pool, 1, &options));
    pool = create_pool(1);
    assert_mproc(MPROC_ETARGET, mproc_pool_apply(pool, not_in_the_table, NULL, NULL, &value));
    assert_mproc(MPROC_ETYPE, mproc_pool_apply(pool, square, cJSON_CreateNumber(1), NULL, &value));
    assert_mproc(MPROC_ETYPE, mproc_pool_map(pool, square, cJSON_CreateNumber(1), NULL, &value));
    assert_mproc(MPROC_EINVAL, mproc_pool_map(pool, square, NULL, NULL, &value));
    assert_mproc(MPROC_ETYPE, mproc_pool_starmap(pool, add, numbers(3), NULL, &value));
    assert_message("item 0");
    cJSON *items = numbers(200);
    (void)cJSON_AddItemToArray(items, cJSON_CreateNumber(-1e308 * 10));
    assert_mproc(MPROC_EINVAL, mproc_pool_map(pool, square, items, NULL, &value));
    assert_message("item 200");
    assert_mproc(MPROC_EINVAL, mproc_pool_apply(NULL, square, NULL, NULL, &value));
    assert_mproc(MPROC_EINVAL, mproc_pool_close(NULL));
    end_pool(pool);
    mproc_pool_destroy(NULL);
    mproc_async_result_destroy(NULL);
    mproc_iterator_destroy(NULL);
}

/* 41 */
static void terminating_takes_no_time(void **state) {
    enum { COUNT = 10000 };
    static mproc_async_result *results[COUNT];
    cJSON *value = NULL;
    mproc_worker_stats workers[4];
    (void)state;
    mproc_pool *pool = create_pool(4);
    for (int i = 0; i < COUNT; i++) {
        results[i] = submit(pool, nap, mproc_pack("[i]", 3600000));
    }
    while (mproc_pool_get_worker_stats(pool, workers, 4) < 4) {
        mproc_sleep(1);
    }
    assert_mproc(0, mproc_pool_terminate(pool));
    assert_mproc(0, mproc_pool_join(pool, TEST_PATIENCE_MS));
    for (int i = 0; i < COUNT; i++) {
        assert_mproc(MPROC_ECANCELED, mproc_async_result_get(results[i], &value, 0));
        mproc_async_result_destroy(results[i]);
    }
    for (int i = 0; i < 4; i++) {
        assert_true(system_wait_until_gone(workers[i].pid, TEST_PATIENCE_MS));
    }
    assert_mproc(MPROC_ECLOSED, mproc_pool_apply(pool, square, mproc_pack("[i]", 1), NULL, &value));
    mproc_pool_destroy(pool);
}

/* 42 */
static void workers_are_replaced_after_so_many_tasks(void **state) {
    mproc_pool_options options = {0};
    (void)state;
    options.max_tasks_per_worker = 10;
    for (size_t chunk = 1; chunk <= 25; chunk += 24) { /* tasks count also inside a chunk */
        mproc_map_options map = {0};
        cJSON *values = NULL;
        const cJSON *value, *other;
        mproc_pool *pool = create_pool_with(3, options);
        map.chunksize = chunk;
        assert_mproc(0, mproc_pool_map(pool, tell_pid, numbers(100), &map, &values));
        assert_int_equal(cJSON_GetArraySize(values), 100);
        assert_true(count_distinct(values) >= 10);
        cJSON_ArrayForEach(value, values) {
            int served = 0;
            cJSON_ArrayForEach(other, values) {
                served += other->valueint == value->valueint;
            }
            assert_in_range(served, 1, 10);
        }
        cJSON_Delete(values);
        end_pool(pool);
    }
}

/* 44 */
static void a_killed_worker_costs_its_task_only(void **state) {
    mproc_async_result *results[100];
    cJSON *value = NULL, *pid = NULL;
    (void)state;
    mproc_pool *pool = create_pool(3);
    mproc_queue *began = create_queue(0);
    mproc_async_result *lost = submit(pool, begin_and_stay, mproc_pack("[o]", mproc_queue_ref(began)));
    for (int i = 0; i < 100; i++) {
        results[i] = submit(pool, square, mproc_pack("[i]", i));
    }
    assert_mproc(0, mproc_queue_get(began, &pid, TEST_PATIENCE_MS));
    system_kill(pid->valueint);
    assert_mproc(MPROC_EDIED, mproc_async_result_get(lost, &value, TEST_PATIENCE_MS));
    assert_int_equal(mproc_last_error()->pid, pid->valueint);
    assert_int_equal(mproc_last_error()->exitcode, system_kill_code());
    assert_string_equal(mproc_last_error()->target, "begin_and_stay");
    assert_message("begin_and_stay");
    assert_message(system_kill_code() < 0 ? "signal 9" : "exit code 1");
    cJSON_Delete(pid);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(get_number(results[i]), i * i);
    }
    mproc_async_result_destroy(lost);
    end_pool(pool);
    mproc_queue_destroy(began);
}

static void a_task_that_exits_is_told(void **state) {
    cJSON *value = NULL;
    (void)state;
    mproc_pool *pool = create_pool(1);
    assert_mproc(MPROC_EDIED, mproc_pool_apply(pool, end_self, mproc_pack("[s]", "exit"), NULL, &value));
    assert_int_equal(mproc_last_error()->exitcode, 7);
    assert_message("exit code 7");
    assert_mproc(0, mproc_pool_apply(pool, end_self, mproc_pack("[s]", "not"), NULL, &value));
    cJSON_Delete(value);
    /* In a chunk: the items before it keep their results, those behind it run elsewhere. */
    mproc_map_options options = {0};
    mproc_pool_stats stats;
    options.chunksize = 10;
    cJSON *items = cJSON_CreateArray();
    for (int i = 0; i < 10; i++) {
        (void)cJSON_AddItemToArray(items, cJSON_CreateString(i == 4 ? "kill" : "not"));
    }
    assert_mproc(MPROC_EDIED, mproc_pool_map(pool, end_self, items, &options, &value));
    assert_mproc(0, mproc_pool_get_stats(pool, &stats));
    assert_int_equal(stats.completed, 1 + 9);
    assert_int_equal(stats.failed, 2);
    assert_int_equal(stats.started, 3);
    end_pool(pool);
}

static void a_task_is_tried_again(void **state) {
    mproc_pool_options options = {0};
    cJSON *value = NULL;
    (void)state;
    options.retries = 2;
    for (int deaths = 2; deaths <= 3; deaths++) {
        mproc_pool *pool = create_pool_with(2, options);
        mproc_queue *lives = create_queue(0);
        for (int i = 0; i < deaths; i++) {
            assert_mproc(0, mproc_queue_put(lives, cJSON_CreateNull(), 0));
        }
        assert_mproc(deaths == 2 ? 0 : MPROC_EDIED,
                     mproc_pool_apply(pool, die_at_first, mproc_pack("[o]", mproc_queue_ref(lives)), NULL, &value));
        if (deaths == 2) {
            assert_string_equal(value->valuestring, "alive");
            cJSON_Delete(value);
        }
        end_pool(pool);
        mproc_queue_destroy(lives);
    }
}

static void a_pool_whose_workers_never_come_up_says_so(void **state) {
    mproc_pool_options options = {0};
    cJSON *value = NULL;
    (void)state;
    options.initializer = fail_to_initialize;
    mproc_pool *pool = create_pool_with(2, options);
    assert_mproc(MPROC_ETASK, mproc_pool_apply(pool, square, mproc_pack("[i]", 1), NULL, &value));
    assert_message("there is no database");
    assert_mproc(MPROC_ETASK, mproc_pool_map(pool, square, numbers(10), NULL, &value));
    end_pool(pool);
    options.initializer = die_while_initializing;
    pool = create_pool_with(2, options);
    assert_mproc(MPROC_EDIED, mproc_pool_map(pool, square, numbers(10), NULL, &value));
    assert_message("die_while_initializing");
    assert_int_equal(mproc_last_error()->exitcode, 9);
    end_pool(pool);
}

static void a_task_that_takes_too_long_is_ended(void **state) {
    mproc_apply_options limit = {0};
    cJSON *value = NULL;
    (void)state;
    mproc_pool *pool = create_pool(1);
    mproc_async_result *others[20];
    limit.timeout_ms = 50;
    mproc_async_result *slow = NULL;
    assert_mproc(0, mproc_pool_apply_async(pool, nap, mproc_pack("[i]", 3600000), &limit, &slow));
    for (int i = 0; i < 20; i++) { /* without a limit, behind it */
        others[i] = submit(pool, square, mproc_pack("[i]", i));
    }
    assert_mproc(MPROC_ETIMEDOUT, mproc_async_result_get(slow, &value, TEST_PATIENCE_MS));
    assert_message("50 ms");
    assert_non_null(mproc_async_result_error(slow));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(get_number(others[i]), i * i);
    }
    mproc_async_result_destroy(slow);
    mproc_pool_stats stats;
    assert_mproc(0, mproc_pool_get_stats(pool, &stats));
    assert_int_equal(stats.started, 2);
    end_pool(pool);
}

static void tasks_are_cancelled(void **state) {
    cJSON *value = NULL, *pid = NULL;
    (void)state;
    mproc_pool *pool = create_pool(1);
    mproc_queue *began = create_queue(0);
    mproc_async_result *running = submit(pool, work_until_cancelled, mproc_pack("[o]", mproc_queue_ref(began)));
    assert_mproc(0, mproc_queue_get(began, &pid, TEST_PATIENCE_MS));
    cJSON_Delete(pid);
    mproc_async_result *waiting = submit(pool, work_until_cancelled, mproc_pack("[o]", mproc_queue_ref(began)));
    assert_mproc(0, mproc_async_result_cancel(waiting));
    assert_mproc(MPROC_ECANCELED, mproc_async_result_get(waiting, &value, 0));
    assert_mproc(MPROC_ESTATE, mproc_async_result_cancel(running));
    assert_message("told to give up");
    assert_mproc(0, mproc_async_result_get(running, &value, TEST_PATIENCE_MS));
    assert_string_equal(value->valuestring, "gave up");
    cJSON_Delete(value);
    assert_mproc(MPROC_ESTATE, mproc_async_result_cancel(running));
    mproc_async_result_destroy(running);
    mproc_async_result_destroy(waiting);
    /* Of a chunk, the item that runs is told, and those behind it do not run. */
    mproc_map_options options = {0};
    options.chunksize = 3;
    cJSON *items = cJSON_CreateArray();
    for (int i = 0; i < 3; i++) {
        (void)cJSON_AddItemToArray(items, mproc_pack("[o]", mproc_queue_ref(began)));
    }
    assert_mproc(0, mproc_pool_starmap_async(pool, work_until_cancelled, items, &options, &running));
    assert_mproc(0, mproc_queue_get(began, &pid, TEST_PATIENCE_MS));
    cJSON_Delete(pid);
    assert_mproc(MPROC_ESTATE, mproc_async_result_cancel(running));
    assert_mproc(MPROC_ECANCELED, mproc_async_result_get(running, &value, TEST_PATIENCE_MS));
    mproc_async_result_destroy(running);
    end_pool(pool);
    assert_true(mproc_queue_empty(began)); /* the cancelled one never ran */
    mproc_queue_destroy(began);
}

static void workers_have_their_environment(void **state) {
    static const char *const env[] = {"MPROC_TEST_ADDED=值 =1", "PATH=/nowhere", NULL};
    mproc_pool_options options = {0};
    cJSON *value = NULL;
    (void)state;
    options.env = env;
    mproc_pool *pool = create_pool_with(1, options);
    assert_mproc(0, mproc_pool_apply(pool, read_environment, mproc_pack("[s]", "MPROC_TEST_ADDED"), NULL, &value));
#ifndef _WIN32 /* getenv gives another encoding there */
    assert_string_equal(value->valuestring, "值 =1");
#endif
    cJSON_Delete(value);
    assert_mproc(0, mproc_pool_apply(pool, read_environment, mproc_pack("[s]", "PATH"), NULL, &value));
    assert_string_equal(value->valuestring, "/nowhere");
    cJSON_Delete(value);
    end_pool(pool);
    static const char *const bad[] = {"=x", NULL};
    options.env = bad;
    assert_mproc(MPROC_EINVAL, mproc_pool_create(&pool, 1, &options));
}

static void tasks_have_pools_and_queues_of_their_own(void **state) {
    cJSON *value = NULL, *item = NULL;
    mproc_queue *queue = NULL;
    (void)state;
    mproc_pool *pool = create_pool(2);
    assert_mproc(0, mproc_pool_apply(pool, sum_of_squares, mproc_pack("[[i,i,i]]", 1, 2, 3), NULL, &value));
    assert_int_equal(value->valueint, 14);
    cJSON_Delete(value);
    mproc_async_result *result = submit(pool, make_queue, NULL);
    for (int i = 0; i < 2; i++) { /* the queue lives as long as the result, and can be had again */
        assert_mproc(0, mproc_async_result_get(result, &value, TEST_PATIENCE_MS));
        assert_mproc(0, mproc_queue_from(&queue, value));
        cJSON_Delete(value);
        assert_mproc(0, mproc_queue_put(queue, cJSON_CreateNumber(i), 0));
        if (i == 0) {
            mproc_queue_destroy(queue);
        }
    }
    assert_mproc(0, mproc_queue_get(queue, &item, TEST_PATIENCE_MS));
    assert_string_equal(item->valuestring, "inside");
    cJSON_Delete(item);
    assert_int_equal(mproc_queue_qsize(queue), 2);
    mproc_queue_destroy(queue);
    mproc_async_result_destroy(result);
    /* Several of them, from one chunk. */
    mproc_map_options options = {0};
    options.chunksize = 3;
    cJSON *items = cJSON_CreateArray();
    for (int i = 0; i < 6; i++) {
        (void)cJSON_AddItemToArray(items, cJSON_CreateArray());
    }
    assert_mproc(0, mproc_pool_starmap(pool, make_queue, items, &options, &value));
    for (int i = 0; i < 6; i++) {
        assert_mproc(0, mproc_queue_from(&queue, cJSON_GetArrayItem(value, i)));
        assert_int_equal(mproc_queue_qsize(queue), 1);
        assert_mproc(0, mproc_queue_get_nowait(queue, &item)); /* each is another one */
        cJSON_Delete(item);
        mproc_queue_destroy(queue);
    }
    cJSON_Delete(value);
    end_pool(pool);
}

static void a_worker_that_grew_is_replaced(void **state) {
    mproc_pool_options options = {0};
    cJSON *first = NULL, *second = NULL;
    (void)state;
    options.max_worker_memory = 48u << 20;
    mproc_pool *pool = create_pool_with(1, options);
    assert_mproc(0, mproc_pool_apply(pool, eat_memory, NULL, NULL, &first));
    assert_mproc(0, mproc_pool_apply(pool, eat_memory, NULL, NULL, &second));
    assert_int_not_equal(first->valueint, second->valueint);
    cJSON_Delete(first);
    cJSON_Delete(second);
    end_pool(pool);
}

static void the_pool_tells_of_itself(void **state) {
    mproc_pool_stats stats;
    mproc_worker_stats workers[8];
    cJSON *pid = NULL;
    (void)state;
    mproc_pool *pool = create_pool(2);
    mproc_queue *began = create_queue(0);
    assert_mproc(0, mproc_pool_get_stats(pool, &stats));
    assert_int_equal(stats.workers, 0); /* they start when work asks for them */
    mproc_async_result *result = submit(pool, work_until_cancelled, mproc_pack("[o]", mproc_queue_ref(began)));
    assert_mproc(0, mproc_queue_get(began, &pid, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_pool_get_stats(pool, &stats));
    assert_int_equal(stats.workers, 1);
    assert_int_equal(stats.busy, 1);
    assert_int_equal(stats.submitted, 1);
    assert_int_equal(stats.pending, 1);
    assert_int_equal(mproc_pool_get_worker_stats(pool, workers, 8), 1);
    assert_int_equal(workers[0].pid, pid->valueint);
    assert_string_equal(workers[0].target, "work_until_cancelled");
    assert_true(workers[0].task_seconds > 0);
    assert_int_equal(mproc_active_children(NULL, 0), 0); /* workers are the pool's own */
    cJSON_Delete(pid);
    assert_mproc(MPROC_ESTATE, mproc_async_result_cancel(result));
    assert_mproc(0, mproc_async_result_wait(result, TEST_PATIENCE_MS));
    mproc_async_result_destroy(result);
    assert_mproc(0, mproc_pool_close(pool));
    assert_mproc(0, mproc_pool_join(pool, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_pool_get_stats(pool, &stats));
    assert_int_equal(stats.workers, 0);
    assert_int_equal(stats.completed, 1);
    assert_true(stats.busy_seconds > 0);
    mproc_pool_destroy(pool);
    mproc_queue_destroy(began);
}

static void submitting_waits_for_room(void **state) {
    mproc_pool_options options = {0};
    (void)state;
    options.max_pending = 3;
    mproc_pool *pool = create_pool_with(2, options);
    for (int i = 0; i < 2000; i++) {
        mproc_pool_stats stats;
        mproc_async_result_destroy(submit(pool, square, mproc_pack("[i]", i)));
        assert_mproc(0, mproc_pool_get_stats(pool, &stats));
        assert_in_range(stats.pending, 0, 5);
    }
    end_pool(pool);
}

/* Many threads ------------------------------------------------------------------------------------------------- */

struct submitter {
    mproc_pool *pool;
    int first;
    bool succeeded;
};

static void submit_many(void *context) {
    struct submitter *submitter = context;
    submitter->succeeded = true;
    for (int i = 0; i < 300; i++) {
        cJSON *value = NULL;
        int number = submitter->first + i;
        submitter->succeeded =
            submitter->succeeded &&
            mproc_pool_apply(submitter->pool, square, mproc_pack("[i]", number), NULL, &value) == 0 &&
            value->valueint == number * number;
        cJSON_Delete(value);
    }
}

static void many_threads_share_a_pool(void **state) {
    struct submitter submitters[6];
    uv_thread_t threads[6];
    (void)state;
    mproc_pool *pool = create_pool(3);
    for (int i = 0; i < 6; i++) {
        submitters[i] = (struct submitter){pool, 1000 * i, false};
        assert_int_equal(uv_thread_create(&threads[i], submit_many, &submitters[i]), 0);
    }
    for (int i = 0; i < 6; i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
        assert_true(submitters[i].succeeded);
    }
    end_pool(pool);
}

static void many_workers_at_once(void **state) {
    enum { MOST = 256 };
    int count = system_is_slow_to_spawn() ? 70 : MOST; /* past what Windows waits for at once */
    cJSON *pid = NULL;
    (void)state;
    mproc_pool *pool = create_pool(count);
    mproc_queue *began = create_queue(0);
    mproc_async_result *results[MOST];
    for (int i = 0; i < count; i++) {
        results[i] = submit(pool, work_until_cancelled, mproc_pack("[o]", mproc_queue_ref(began)));
    }
    for (int i = 0; i < count; i++) {
        assert_mproc(0, mproc_queue_get(began, &pid, 5 * TEST_PATIENCE_MS));
        cJSON_Delete(pid);
    }
    for (int i = 0; i < count; i++) {
        assert_mproc(MPROC_ESTATE, mproc_async_result_cancel(results[i]));
    }
    for (int i = 0; i < count; i++) {
        assert_mproc(0, mproc_async_result_wait(results[i], TEST_PATIENCE_MS));
        mproc_async_result_destroy(results[i]);
    }
    end_pool(pool);
    mproc_queue_destroy(began);
}

/* No worker can ever do it, so it does not go from one to the next. */
static void handles_that_a_worker_has_no_room_for_cost_their_task(void **state) {
    (void)state;
    test_skip_if_impossible(__func__);
    mproc_queue *queue = create_queue(0);
    mproc_pool *pool = create_pool(1);
    cJSON *value = NULL;
    assert_mproc(0, mproc_pool_apply(pool, forbid_handles, mproc_pack("[]"), NULL, NULL));
    assert_mproc(MPROC_ESYSTEM,
                 mproc_pool_apply(pool, take_queue, mproc_pack("[o]", mproc_queue_ref(queue)), NULL, &value));
    assert_message("could not be received");
    assert_mproc(0, mproc_pool_apply(pool, nap, mproc_pack("[i]", 0), NULL, NULL)); /* the same worker */
    end_pool(pool);
    mproc_queue_destroy(queue);
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initializer_runs_once_a_worker),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(terminating_takes_no_time),
        cmocka_unit_test(workers_are_replaced_after_so_many_tasks),
        cmocka_unit_test(a_killed_worker_costs_its_task_only),
        cmocka_unit_test(a_task_that_exits_is_told),
        cmocka_unit_test(a_task_is_tried_again),
        cmocka_unit_test(a_pool_whose_workers_never_come_up_says_so),
        cmocka_unit_test(a_task_that_takes_too_long_is_ended),
        cmocka_unit_test(tasks_are_cancelled),
        cmocka_unit_test(workers_have_their_environment),
        cmocka_unit_test(tasks_have_pools_and_queues_of_their_own),
        cmocka_unit_test(a_worker_that_grew_is_replaced),
        cmocka_unit_test(the_pool_tells_of_itself),
        cmocka_unit_test(submitting_waits_for_room),
        cmocka_unit_test(many_threads_share_a_pool),
        cmocka_unit_test(many_workers_at_once),
        cmocka_unit_test(handles_that_a_worker_has_no_room_for_cost_their_task),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("pool_workers", tests, set_up_pools, NULL);
}
