/* SPDX-License-Identifier: MIT */
/* Workers are killed at random, thousands of times, while their pool is under load. Each task ends exactly once, with its own
 * result or with MPROC_EDIED; no more tasks die than workers were killed; with retries all of them return; and the pool is
 * whole afterwards.
 *
 * MPROC_CHAOS_SEED and MPROC_CHAOS_KILLS in the environment repeat a run, or make it longer. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "support/chaos.h"
#include "support/pools.h"
#include "support/system.h"

enum { WORKERS = 4, TASKS_MAX = 1 << 20, CHUNK = 40 };

/* Most tasks are short, some take a while, a few are large. */
static void work(mproc_task *task) {
    int number;
    const char *text;
    if (mproc_task_unpack(task, "(i,s)", &number, &text) != 0) {
        return;
    }
    if (number % 64 == 0) {
        mproc_sleep(1);
    }
    mproc_task_return(task, mproc_pack("[i,s]", number, text));
}

static void work_on_item(mproc_task *task) {
    int number;
    if (mproc_task_unpack(task, "(i)", &number) == 0) {
        mproc_task_return(task, cJSON_CreateNumber(number));
    }
}

struct chaos {
    unsigned seed;
    mproc_pool *pool;
    int kills, wanted_kills;
    uv_mutex_t mutex; /* of what follows */
    bool is_over;
    unsigned char *ends; /* of each task: how often it has ended */
    int returned, died, wrong;
};

static const char *text_of(int number) {
    static char large[30000];
    memset(large, 'x', sizeof large - 1);
    return number % 100 == 99 ? large : "small";
}

static void on_value(cJSON *value, void *user) {
    struct chaos *chaos = user;
    int number = cJSON_GetArrayItem(value, 0)->valueint;
    uv_mutex_lock(&chaos->mutex);
    chaos->returned++;
    chaos->ends[number]++;
    uv_mutex_unlock(&chaos->mutex);
    cJSON_Delete(value);
}

static void on_error(const mproc_error *error, void *user) {
    struct chaos *chaos = user;
    uv_mutex_lock(&chaos->mutex);
    chaos->died++;
    chaos->wrong += error->code != MPROC_EDIED || error->exitcode != system_kill_code();
    uv_mutex_unlock(&chaos->mutex);
}

static bool is_over(struct chaos *chaos) {
    uv_mutex_lock(&chaos->mutex);
    bool over = chaos->is_over;
    uv_mutex_unlock(&chaos->mutex);
    return over;
}

/* Kills a worker that has not been killed before. Such as are only starting are mostly spared: several of them in a row are
 * what the pool gives up for. */
static bool kill_one(struct chaos *chaos, int *last_pids) {
    mproc_worker_stats workers[WORKERS];
    size_t count = mproc_pool_get_worker_stats(chaos->pool, workers, WORKERS);
    if (count == 0) {
        return false;
    }
    const mproc_worker_stats *worker = &workers[chaos_random(&chaos->seed) % count];
    for (int i = 0; i < 2 * WORKERS; i++) {
        if (last_pids[i] == worker->pid) {
            return false;
        }
    }
    if (worker->start_seconds <= 0 && ((unsigned)worker->pid * 2654435761u >> 16) % 16 != 0) {
        return false; /* the same ones for as long as they are starting */
    }
    last_pids[chaos->kills % (2 * WORKERS)] = worker->pid;
    return system_kill_if_alive(worker->pid);
}

/* A thread: kills one after the other, as soon as there are workers. */
static void kill_workers(void *context) {
    struct chaos *chaos = context;
    int last_pids[2 * WORKERS] = {0};
    while (chaos->kills < chaos->wanted_kills) {
        chaos->kills += kill_one(chaos, last_pids);
        if (chaos_random(&chaos->seed) % 4 == 0) {
            mproc_sleep(1);
        }
    }
    uv_mutex_lock(&chaos->mutex);
    chaos->is_over = true;
    uv_mutex_unlock(&chaos->mutex);
}

static void begin(struct chaos *chaos, uv_thread_t *killer, int retries) {
    mproc_pool_options options = {0};
    memset(chaos, 0, sizeof *chaos);
    chaos->seed = chaos_seed();
    chaos->wanted_kills = chaos_kills(system_is_slow_to_spawn() ? 60 : 1000);
    chaos->ends = calloc(TASKS_MAX, 1);
    assert_non_null(chaos->ends);
    assert_int_equal(uv_mutex_init(&chaos->mutex), 0);
    options.retries = retries;
    options.max_pending = 3000;
    assert_mproc(0, mproc_pool_create(&chaos->pool, WORKERS, &options));
    assert_int_equal(uv_thread_create(killer, kill_workers, chaos), 0);
}

static void end(struct chaos *chaos, uv_thread_t *killer) {
    cJSON *value = NULL;
    assert_int_equal(uv_thread_join(killer), 0);
    assert_mproc(0, mproc_pool_apply(chaos->pool, work_on_item, mproc_pack("[i]", 5), NULL, &value)); /* it is whole */
    cJSON_Delete(value);
    assert_mproc(0, mproc_pool_close(chaos->pool));
    assert_mproc(0, mproc_pool_join(chaos->pool, 2 * TEST_PATIENCE_MS));
    mproc_pool_destroy(chaos->pool);
}

static void each_task_ends_once(void **state) {
    struct chaos chaos;
    uv_thread_t killer;
    int count = 0;
    mproc_apply_options options = {0};
    (void)state;
    begin(&chaos, &killer, 0);
    options.callback = on_value;
    options.error_callback = on_error;
    options.user = &chaos;
    while (!is_over(&chaos) && count < TASKS_MAX) {
        assert_mproc(
            0, mproc_pool_apply_async(chaos.pool, work, mproc_pack("[i,s]", count, text_of(count)), &options, NULL));
        count++;
    }
    end(&chaos, &killer);
    print_message("%d tasks, %d killed workers, %d tasks died\n", count, chaos.kills, chaos.died);
    assert_int_equal(chaos.returned + chaos.died, count);
    assert_int_equal(chaos.wrong, 0);
    assert_true(chaos.died <= chaos.kills);
    for (int i = 0; i < count; i++) {
        assert_in_range(chaos.ends[i], 0, 1);
    }
    uv_mutex_destroy(&chaos.mutex);
    free(chaos.ends);
}

/* Chunks of a map that break off in the middle are carried on elsewhere. */
static void maps_are_complete(void **state) {
    struct chaos chaos;
    uv_thread_t killer;
    int rounds = 0;
    mproc_map_options options = {0};
    (void)state;
    begin(&chaos, &killer, 1000000);
    options.chunksize = CHUNK;
    while (!is_over(&chaos)) {
        cJSON *values = NULL;
        int i = 0;
        assert_mproc(0, mproc_pool_map(chaos.pool, work_on_item, numbers(50 * CHUNK), &options, &values));
        const cJSON *value;
        cJSON_ArrayForEach(value, values) {
            assert_int_equal(value->valueint, i);
            i++;
        }
        assert_int_equal(i, 50 * CHUNK);
        cJSON_Delete(values);
        rounds++;
    }
    end(&chaos, &killer);
    print_message("%d maps, %d killed workers\n", rounds, chaos.kills);
    uv_mutex_destroy(&chaos.mutex);
    free(chaos.ends);
}

static int count_handles(void **state) {
    mproc_pool *pool = NULL;
    (void)state;
    assert_mproc(0, mproc_pool_create(&pool, 1, NULL));
    assert_mproc(0, mproc_pool_apply(pool, work_on_item, mproc_pack("[i]", 5), NULL, NULL));
    mproc_pool_destroy(pool);
    test_note_open_handles();
    return 0;
}

int main(int argc, char **argv) {
    static const mproc_target targets[] = {MPROC_TARGET(work), MPROC_TARGET(work_on_item), MPROC_TARGETS_END};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_task_ends_once), cmocka_unit_test(maps_are_complete),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("pool_chaos", tests, count_handles, NULL);
}
