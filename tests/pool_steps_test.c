/* SPDX-License-Identifier: MIT */
/* A worker dies at each single step of its work (base/step.h): the task that it was in is lost or tried again, and nothing
 * else. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/step.h"
#include "support/pools.h"
#include "support/system.h"

enum { ITEMS = 6, CHUNK = 3 };

/* Each worker dies once it has made so many steps, if the queue has a death left for it. */
static long steps_left;
static mproc_queue *deaths;

static void die_at_step(void) {
    if (--steps_left == 0) {
        system_kill(mproc_getpid());
        mproc_sleep(TEST_PATIENCE_MS); /* the end may take a moment to arrive */
    }
}

/* The initializer: the first worker takes the only death. */
static void prepare_death(mproc_task *task) {
    cJSON *death = NULL;
    const cJSON *reference = cJSON_GetArrayItem(mproc_task_args(task), 0);
    if (mproc_queue_from(&deaths, reference) == 0 && mproc_queue_get_nowait(deaths, &death) == 0) {
        steps_left = death->valueint;
        cJSON_Delete(death);
    }
}

/* The steps are counted from the first item on. */
static void count_item(mproc_task *task) {
    int number;
    if (mproc_task_unpack(task, "(i)", &number) == 0) {
        mproc_task_return(task, cJSON_CreateNumber(number + 1));
    }
    step_hook = steps_left > 0 ? die_at_step : NULL;
}

/* Whether the worker died. */
static bool map_with_death(int steps, size_t chunk_size, int retries, int *status) {
    mproc_pool *pool = NULL;
    mproc_queue *queue = NULL;
    mproc_pool_options options = {0};
    mproc_map_options map = {0};
    mproc_pool_stats stats;
    cJSON *values = NULL;
    const cJSON *value;
    int expected = 1;
    assert_mproc(0, mproc_queue_create(&queue, 0));
    assert_mproc(0, mproc_queue_put(queue, cJSON_CreateNumber(steps), 0));
    options.initializer = prepare_death;
    options.initargs = mproc_pack("[o]", mproc_queue_ref(queue));
    options.retries = retries;
    assert_mproc(0, mproc_pool_create(&pool, 1, &options));
    map.chunksize = chunk_size;
    *status = mproc_pool_map(pool, count_item, numbers(ITEMS), &map, &values);
    cJSON_ArrayForEach(value, values) {
        assert_int_equal(value->valueint, expected++);
    }
    assert_true(*status != 0 || expected == ITEMS + 1);
    assert_mproc(0, mproc_pool_get_stats(pool, &stats));
    assert_int_equal(stats.completed + stats.failed, ITEMS);
    assert_in_range(stats.failed, 0, retries > 0 ? 0 : 1);
    assert_int_equal(stats.failed, *status != 0);
    cJSON_Delete(values);
    assert_mproc(0, mproc_pool_close(pool));
    assert_mproc(0, mproc_pool_join(pool, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_pool_get_stats(pool, &stats));
    mproc_pool_destroy(pool);
    mproc_queue_destroy(queue);
    return stats.started > 1;
}

static void die_at_each_step(size_t chunk_size, int retries) {
    int steps = 0, lost = 0, status;
    bool has_died;
    do {
        steps++;
        has_died = map_with_death(steps, chunk_size, retries, &status);
        assert_true(status == 0 || status == MPROC_EDIED);
        lost += status != 0;
    } while (has_died);
    print_message("died at %d steps; %d of them lost an item\n", steps - 1, lost);
    assert_true(steps > 20);
    assert_true(retries > 0 ? lost == 0 : lost > 0 && lost < steps - 1);
}

static void one_item_at_most_is_lost(void **state) {
    (void)state;
    die_at_each_step(1, 0);
    die_at_each_step(CHUNK, 0);
}

static void with_retries_none_is_lost(void **state) {
    (void)state;
    die_at_each_step(1, 1);
    die_at_each_step(CHUNK, 1);
}

int main(int argc, char **argv) {
    static const mproc_target targets[] = {MPROC_TARGET(prepare_death), MPROC_TARGET(count_item), MPROC_TARGETS_END};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_item_at_most_is_lost),
        cmocka_unit_test(with_retries_none_is_lost),
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("pool_steps", tests, NULL, NULL);
}
