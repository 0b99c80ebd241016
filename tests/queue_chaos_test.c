/* SPDX-License-Identifier: MIT */
/* Producers, consumers and bystanders of one queue are killed at random, thousands of times, and started again. What became of
 * each item is checked:
 *   - of each producer all that its puts had accepted is there, in whole, and at most the one item more whose put it was in;
 *   - no item comes twice;
 *   - an item is missing only where a consumer was killed that had taken it, one a kill at most.
 *
 * MPROC_CHAOS_SEED and MPROC_CHAOS_KILLS in the environment repeat a run, or make it longer. */
#include "support/children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mproc.h"
#include "queue/store.h"
#include "support/chaos.h"
#include "support/system.h"

enum { PRODUCERS = 3, CONSUMERS = 3, BYSTANDERS = 1, PROCESSES = PRODUCERS + CONSUMERS + BYSTANDERS };

/* So many puts a life, that its reports fit their pipe without being read. */
enum { ITEMS_MAX = 2000 };

/* One item in so many is so large that it goes through the queue's store. */
enum { LARGE_EVERY = 16, LARGE = STORE_ITEM_MIN };

/* Children ----------------------------------------------------------------------------------------------------- */

/* Puts its number and 0, 1, 2, ..., and reports each put that was accepted. Then it waits for its end. */
static void produce(mproc_task *task) {
    static char large[LARGE + 1];
    memset(large, 'x', LARGE);
    int life;
    mproc_queue *queue = mproc_task_queue(task, 0);
    mproc_connection *report = mproc_task_connection(task, 1);
    if (queue == NULL || report == NULL || mproc_task_unpack(task, "(o,o,i)", NULL, NULL, &life) != 0) {
        return;
    }
    for (int i = 0; i < ITEMS_MAX; i++) {
        if (mproc_queue_put(queue, mproc_pack("[i,i,s]", life, i, i % LARGE_EVERY == 0 ? large : ""), MPROC_FOREVER) !=
                0 ||
            mproc_connection_send_bytes(report, NULL, 0) != 0) {
            mproc_task_fail(task, "%s", mproc_last_error()->message);
            return;
        }
    }
    void *data;
    size_t size;
    (void)mproc_connection_recv_bytes(report, &data, &size, MPROC_FOREVER);
}

/* Moves items until the queue is closed and empty. */
static void consume(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0), *results = mproc_task_queue(task, 1);
    cJSON *item;
    int status = 0;
    while (queue != NULL && results != NULL && status == 0 &&
           (status = mproc_queue_get(queue, &item, MPROC_FOREVER)) == 0) {
        status = mproc_queue_put(results, item, MPROC_FOREVER);
    }
    if (status != MPROC_ECLOSED) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
    }
}

/* Only looks. */
static void stand_by(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    while (queue != NULL && mproc_queue_qsize(queue) >= 0) {
    }
}

/* What each producer's life has put ---------------------------------------------------------------------------- */

struct life {
    int accepted;
    unsigned char seen[ITEMS_MAX];
};

struct chaos {
    unsigned seed;
    mproc_queue *queue, *results;
    mproc_process *processes[PROCESSES];
    mproc_connection *reports[PRODUCERS];
    int life_of[PRODUCERS];
    struct life **lives;
    int life_count;
    int consumer_kills;
};

static void start_producer(struct chaos *chaos, int index) {
    mproc_connection *theirs;
    chaos->lives = realloc(chaos->lives, (size_t)(chaos->life_count + 1) * sizeof *chaos->lives);
    assert_non_null(chaos->lives);
    chaos->lives[chaos->life_count] = calloc(1, sizeof(struct life));
    assert_non_null(chaos->lives[chaos->life_count]);
    assert_mproc(0, mproc_pipe(&chaos->reports[index], &theirs, true));
    assert_mproc(0, mproc_spawn(&chaos->processes[index], produce,
                                mproc_pack("[o,o,i]", mproc_queue_ref(chaos->queue), mproc_connection_ref(theirs),
                                           chaos->life_count)));
    mproc_connection_close(theirs);
    chaos->life_of[index] = chaos->life_count++;
}

static void start_one(struct chaos *chaos, int index) {
    if (index < PRODUCERS) {
        start_producer(chaos, index);
    } else if (index < PRODUCERS + CONSUMERS) {
        assert_mproc(0,
                     mproc_spawn(&chaos->processes[index], consume,
                                 mproc_pack("[o,o]", mproc_queue_ref(chaos->queue), mproc_queue_ref(chaos->results))));
    } else {
        assert_mproc(0,
                     mproc_spawn(&chaos->processes[index], stand_by, mproc_pack("[o]", mproc_queue_ref(chaos->queue))));
    }
}

/* What a producer that has ended had reported. */
static void count_reports(struct chaos *chaos, int index) {
    void *data;
    size_t size;
    struct life *life = chaos->lives[chaos->life_of[index]];
    while (mproc_connection_recv_bytes(chaos->reports[index], &data, &size, TEST_PATIENCE_MS) == 0) {
        mproc_free(data);
        life->accepted++;
    }
    assert_int_equal(mproc_last_error()->code, MPROC_ECLOSED);
    mproc_connection_close(chaos->reports[index]);
}

static void kill_one(struct chaos *chaos, int index) {
    assert_mproc(0, mproc_process_kill(chaos->processes[index]));
    end_child(chaos->processes[index], -9); /* it was at work, without an error, until then */
    if (index < PRODUCERS) {
        count_reports(chaos, index);
    } else if (index < PRODUCERS + CONSUMERS) {
        chaos->consumer_kills++;
    }
}

static void note(struct chaos *chaos, cJSON *item) {
    int life = cJSON_GetArrayItem(item, 0)->valueint, number = cJSON_GetArrayItem(item, 1)->valueint;
    cJSON_Delete(item);
    assert_in_range(life, 0, chaos->life_count - 1);
    assert_in_range(number, 0, ITEMS_MAX - 1);
    assert_int_equal(chaos->lives[life]->seen[number], 0);
    chaos->lives[life]->seen[number] = 1;
}

static void take_results(struct chaos *chaos) {
    cJSON *item;
    while (mproc_queue_get_nowait(chaos->results, &item) == 0) {
        note(chaos, item);
    }
    assert_int_equal(mproc_last_error()->code, MPROC_EEMPTY);
}

/* Lets a random moment pass, of up to a millisecond: no event could tell when to kill. */
static void pass_time(struct chaos *chaos) {
    double end = mproc_time() + (chaos_random(&chaos->seed) % 1000) * 1e-6;
    while (mproc_time() < end) {
    }
}

static void check_fates(const struct chaos *chaos) {
    int missing = 0, total = 0;
    for (int i = 0; i < chaos->life_count; i++) {
        const struct life *life = chaos->lives[i];
        for (int number = 0; number < ITEMS_MAX; number++) {
            missing += number < life->accepted && !life->seen[number];
            total += life->seen[number];
            assert_true(number <= life->accepted || !life->seen[number]);
        }
    }
    print_message("%d items arrived, %d died with their consumers\n", total, missing);
    assert_true(missing <= chaos->consumer_kills);
}

static void run_chaos(size_t maxsize, int kills) {
    struct chaos chaos;
    memset(&chaos, 0, sizeof chaos);
    chaos.seed = chaos_seed();
    assert_mproc(0, mproc_queue_create(&chaos.queue, maxsize));
    assert_mproc(0, mproc_queue_create(&chaos.results, 0));
    for (int i = 0; i < PROCESSES; i++) {
        start_one(&chaos, i);
    }
    for (int i = 0; i < kills; i++) {
        int index = (int)(chaos_random(&chaos.seed) % PROCESSES);
        pass_time(&chaos);
        kill_one(&chaos, index);
        start_one(&chaos, index);
        take_results(&chaos);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        kill_one(&chaos, i);
    }
    assert_mproc(0, mproc_queue_close(chaos.queue));
    for (int i = PRODUCERS; i < PRODUCERS + CONSUMERS; i++) {
        end_child(chaos.processes[i], 0);
    }
    kill_one(&chaos, PROCESSES - 1);
    take_results(&chaos);
    assert_true(mproc_queue_empty(chaos.queue));
    check_fates(&chaos);
    mproc_queue_destroy(chaos.queue);
    mproc_queue_destroy(chaos.results);
    for (int i = 0; i < chaos.life_count; i++) {
        free(chaos.lives[i]);
    }
    free(chaos.lives);
}

static int kills_for(int fast) {
    return chaos_kills(system_is_slow_to_spawn() ? fast / 20 : fast);
}

static void deaths_around_a_queue_without_limit(void **state) {
    (void)state;
    run_chaos(0, 10); /* warms up what is made once */
    test_note_open_handles();
    run_chaos(0, kills_for(1000));
}

static void deaths_around_a_bounded_queue(void **state) {
    (void)state;
    run_chaos(4, kills_for(1000));
}

int main(int argc, char **argv) {
    static const mproc_target targets[] = {MPROC_TARGET(produce), MPROC_TARGET(consume), MPROC_TARGET(stand_by),
                                           MPROC_TARGETS_END};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(deaths_around_a_queue_without_limit), cmocka_unit_test(deaths_around_a_bounded_queue),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("queue_chaos", tests, NULL, NULL);
}
