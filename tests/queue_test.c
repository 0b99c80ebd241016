/* SPDX-License-Identifier: MIT */
/* Queues: the acceptance cases 68 to 74, handing over in every way, order, waiting, and deaths. */
#include "support/children.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "mproc.h"
#include "queue/store.h"
#include "support/system.h"

/* What runs in the children ------------------------------------------------------------------------------------ */

/* Puts the numbers from..from+count-1, each with the producer's own number. */
static void produce(mproc_task *task) {
    int producer, from, count;
    mproc_queue *queue = mproc_task_queue(task, 0);
    if (queue == NULL || mproc_task_unpack(task, "(o,i,i,i)", NULL, &producer, &from, &count) != 0) {
        return;
    }
    for (int i = from; i < from + count; i++) {
        check_task(task, mproc_queue_put(queue, mproc_pack("[i,i]", producer, i), MPROC_FOREVER));
    }
}

/* Moves items from one queue to another until the first is closed and empty. */
static void consume(mproc_task *task) {
    mproc_queue *from = mproc_task_queue(task, 0), *to = mproc_task_queue(task, 1);
    cJSON *item;
    int status = 0;
    while (from != NULL && to != NULL && (status = mproc_queue_get(from, &item, MPROC_FOREVER)) == 0) {
        check_task(task, mproc_queue_put(to, item, MPROC_FOREVER));
        check_task(task, mproc_queue_task_done(from));
    }
    check_task(task, status == MPROC_ECLOSED ? 0 : status);
}

/* Answers each item of the first queue on the second one, values and bytes, until it is null. */
static void echo(mproc_task *task) {
    mproc_queue *from = mproc_task_queue(task, 0), *to = mproc_task_queue(task, 1);
    bool is_end = from == NULL || to == NULL;
    while (!is_end) {
        cJSON *item;
        void *data;
        size_t size;
        int status = mproc_queue_get(from, &item, MPROC_FOREVER);
        if (status == 0) {
            is_end = cJSON_IsNull(item);
            check_task(task, mproc_queue_put(to, item, MPROC_FOREVER));
        } else if (status == MPROC_ETYPE) {
            check_task(task, mproc_queue_get_bytes(from, &data, &size, MPROC_FOREVER));
            check_task(task, mproc_queue_put_bytes(to, data, size, MPROC_FOREVER));
            mproc_free(data);
        } else {
            check_task(task, status);
            is_end = true;
        }
    }
}

/* Gets for ever, without taking note of anything; says once that it is about to. */
static void get_for_ever(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0), *ready = mproc_task_queue(task, 1);
    cJSON *item;
    check_task(task, mproc_queue_put(ready, cJSON_CreateTrue(), MPROC_FOREVER));
    while (mproc_queue_get(queue, &item, MPROC_FOREVER) == 0) {
        cJSON_Delete(item);
    }
}

/* Puts for ever. */
static void put_for_ever(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    while (queue != NULL && mproc_queue_put(queue, mproc_pack("[i]", 1), MPROC_FOREVER) == 0) {
    }
}

/* Makes a queue of its own, puts into it, and hands it over: it outlives its maker. */
static void make_and_hand_over(mproc_task *task) {
    mproc_queue *out = mproc_task_queue(task, 0), *made;
    check_task(task, mproc_queue_create(&made, 0));
    check_task(task, mproc_queue_put(made, cJSON_CreateString("heritage"), MPROC_FOREVER));
    check_task(task, mproc_queue_put(out, mproc_pack("{s:o}", "queue", mproc_queue_ref(made)), MPROC_FOREVER));
    mproc_queue_destroy(made);
}

/* Hands its queues on to a child of its own. */
static void start_echo(mproc_task *task) {
    mproc_queue *from = mproc_task_queue(task, 0), *to = mproc_task_queue(task, 1);
    mproc_process *process;
    check_task(task, mproc_spawn(&process, echo, mproc_pack("[o,o]", mproc_queue_ref(from), mproc_queue_ref(to))));
    mproc_process_join(process, MPROC_FOREVER);
    mproc_process_destroy(process);
}

/* Several threads of one process at the queues. */
struct worker {
    mproc_queue *from, *to;
    bool failed;
};

static void move_all(void *argument) {
    struct worker *worker = argument;
    cJSON *item;
    int status;
    while ((status = mproc_queue_get(worker->from, &item, MPROC_FOREVER)) == 0) {
        worker->failed = worker->failed || mproc_queue_put(worker->to, item, MPROC_FOREVER) != 0;
    }
    worker->failed = worker->failed || status != MPROC_ECLOSED;
}

static void consume_in_threads(mproc_task *task) {
    enum { THREADS = 4 };
    struct worker worker = {mproc_task_queue(task, 0), mproc_task_queue(task, 1), false};
    struct worker workers[THREADS];
    uv_thread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = worker;
        if (uv_thread_create(&threads[i], move_all, &workers[i]) != 0) {
            abort();
        }
    }
    for (int i = 0; i < THREADS; i++) {
        (void)uv_thread_join(&threads[i]);
        if (workers[i].failed) {
            mproc_task_fail(task, "a thread failed");
        }
    }
}

/* Says what each misuse gives, seen from another process. */
static void misuse(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0), *out = mproc_task_queue(task, 1);
    cJSON *item;
    cJSON *codes = cJSON_CreateArray();
    int status = mproc_queue_put_nowait(queue, cJSON_CreateTrue());
    cJSON_AddItemToArray(codes, cJSON_CreateString(mproc_err_name(status)));
    status = mproc_queue_put_nowait(queue, cJSON_CreateTrue());
    cJSON_AddItemToArray(codes, cJSON_CreateString(mproc_err_name(status)));
    status = mproc_queue_put(queue, cJSON_CreateTrue(), 20);
    cJSON_AddItemToArray(codes, cJSON_CreateString(mproc_err_name(status)));
    cJSON_AddItemToArray(codes, cJSON_CreateString(mproc_last_error()->message));
    if (mproc_queue_get(queue, &item, 0) == 0) {
        cJSON_Delete(item);
    }
    status = mproc_queue_get(queue, &item, 20);
    cJSON_AddItemToArray(codes, cJSON_CreateString(mproc_err_name(status)));
    status = mproc_queue_task_done(queue);
    cJSON_AddItemToArray(codes, cJSON_CreateString(mproc_err_name(status)));
    status = mproc_queue_task_done(queue);
    cJSON_AddItemToArray(codes, cJSON_CreateString(mproc_err_name(status)));
    status = mproc_queue_put_bytes(queue, NULL, 0, 0);
    cJSON_AddItemToArray(codes, cJSON_CreateString(mproc_err_name(status)));
    check_task(task, mproc_queue_put(out, codes, MPROC_FOREVER));
}

static void want_a_queue(mproc_task *task) {
    if (mproc_task_queue(task, 0) != NULL) {
        mproc_task_fail(task, "that was no queue");
    }
}

/* Helpers ------------------------------------------------------------------------------------------------------ */

static void expect_text(mproc_queue *queue, const char *text) {
    cJSON *item = get_item(queue);
    assert_string_equal(cJSON_GetStringValue(item), text);
    cJSON_Delete(item);
}

static int count_handles(void **state) {
    mproc_queue *queue = create_queue(0);
    (void)state;
    mproc_process *process = start_child(produce, mproc_pack("[o,i,i,i]", mproc_queue_ref(queue), 0, 0, 1));
    end_child(process, 0);
    mproc_queue_destroy(queue);
    test_note_open_handles();
    return 0;
}

/* Within one process ------------------------------------------------------------------------------------------- */

/* Acceptance 68. */
static void a_full_queue_refuses_and_waits(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(6);
    for (int i = 0; i < 3; i++) {
        put_number(queue, 2 * i);
        assert_false(mproc_queue_full(queue));
        assert_mproc(0, mproc_queue_put_nowait(queue, cJSON_CreateNumber(2 * i + 1)));
    }
    assert_true(mproc_queue_full(queue));
    assert_false(mproc_queue_empty(queue));
    assert_int_equal(mproc_queue_qsize(queue), 6);
    assert_mproc(MPROC_EFULL, mproc_queue_put_nowait(queue, cJSON_CreateTrue()));
    assert_message("mproc_queue_put_nowait: the queue is full");
    assert_mproc(MPROC_EFULL, mproc_queue_put(queue, cJSON_CreateTrue(), 0));
    assert_mproc(MPROC_EFULL, mproc_queue_put_bytes(queue, "x", 1, 0));
    double before = mproc_time();
    assert_mproc(MPROC_EFULL, mproc_queue_put(queue, cJSON_CreateTrue(), 200));
    assert_true(mproc_time() - before >= 0.2);
    assert_message("the queue stayed full for 200 ms");
    assert_int_equal(mproc_queue_qsize(queue), 6);
    for (int i = 0; i < 6; i++) {
        expect_number(queue, i);
    }
    mproc_queue_destroy(queue);
}

/* Acceptance 69. */
static void an_empty_queue_tells_and_waits(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0);
    cJSON *item = NULL;
    for (int i = 2; i < 6; i++) {
        put_number(queue, i);
    }
    for (int i = 2; i < 6; i++) {
        expect_number(queue, i);
    }
    assert_mproc(MPROC_EEMPTY, mproc_queue_get_nowait(queue, &item));
    assert_message("mproc_queue_get_nowait: the queue is empty");
    double before = mproc_time();
    assert_mproc(MPROC_EEMPTY, mproc_queue_get(queue, &item, 200));
    assert_true(mproc_time() - before >= 0.2);
    assert_true(mproc_queue_empty(queue));
    assert_int_equal(mproc_queue_qsize(queue), 0);
    mproc_queue_destroy(queue);
}

/* Acceptance 71, and what was in it can still be taken. */
static void a_closed_queue_takes_nothing_more(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0);
    cJSON *item = NULL;
    put_number(queue, 1);
    assert_mproc(0, mproc_queue_close(queue));
    assert_mproc(MPROC_ECLOSED, mproc_queue_put(queue, cJSON_CreateTrue(), MPROC_FOREVER));
    assert_message("mproc_queue_put: the queue is closed");
    assert_mproc(MPROC_ECLOSED, mproc_queue_put_bytes(queue, "x", 1, 0));
    expect_number(queue, 1);
    assert_mproc(MPROC_ECLOSED, mproc_queue_get(queue, &item, MPROC_FOREVER));
    assert_mproc(0, mproc_queue_close(queue));
    mproc_queue_destroy(queue);
}

static void an_item_of_the_other_kind_stays(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0);
    cJSON *item = NULL;
    void *data = NULL;
    size_t size = 0;
    assert_mproc(0, mproc_queue_put_bytes(queue, "a\0b", 3, 0));
    put_number(queue, 1);
    assert_mproc(MPROC_ETYPE, mproc_queue_get(queue, &item, 0));
    assert_message("get it with mproc_queue_get_bytes");
    assert_mproc(0, mproc_queue_get_bytes(queue, &data, &size, 0));
    assert_int_equal(size, 3);
    assert_memory_equal(data, "a\0b", 3);
    mproc_free(data);
    assert_mproc(MPROC_ETYPE, mproc_queue_get_bytes(queue, &data, &size, 0));
    expect_number(queue, 1);
    assert_mproc(0, mproc_queue_put_bytes(queue, NULL, 0, 0));
    assert_mproc(0, mproc_queue_get_bytes(queue, &data, &size, 0));
    assert_int_equal(size, 0);
    assert_non_null(data);
    mproc_free(data);
    mproc_queue_destroy(queue);
}

static void joining_waits_for_the_work(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0);
    assert_mproc(0, mproc_queue_join(queue, MPROC_FOREVER)); /* nothing was put */
    put_number(queue, 1);
    expect_number(queue, 1);
    assert_mproc(MPROC_ETIMEDOUT, mproc_queue_join(queue, 20));
    assert_message("not all items were marked done within 20 ms");
    assert_mproc(0, mproc_queue_task_done(queue));
    assert_mproc(0, mproc_queue_join(queue, 0));
    assert_mproc(MPROC_ERANGE, mproc_queue_task_done(queue));
    assert_message("called more often than items were put");
    mproc_queue_destroy(queue);
}

static void misuse_is_told(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(1), *other = NULL;
    cJSON *item = NULL;
    mproc_connection *a, *b;
    assert_mproc(MPROC_EINVAL, mproc_queue_create(NULL, 0));
    assert_mproc(MPROC_EINVAL, mproc_queue_put(NULL, cJSON_CreateTrue(), 0));
    assert_mproc(MPROC_EINVAL, mproc_queue_put(queue, NULL, 0));
    assert_mproc(MPROC_EINVAL, mproc_queue_put(queue, cJSON_CreateTrue(), -2));
    assert_message("timeout_ms is -2");
    assert_mproc(MPROC_EINVAL, mproc_queue_put(queue, mproc_pack("[i}", 1), 0)); /* mproc_pack's own error */
    assert_mproc(MPROC_EINVAL, mproc_queue_put_bytes(queue, NULL, 1, 0));
    assert_mproc(MPROC_ERANGE, mproc_queue_put_bytes(queue, "", (size_t)MPROC_MESSAGE_MAX + 1, 0));
    assert_message("at most");
    assert_mproc(MPROC_EINVAL, mproc_queue_get(queue, NULL, 0));
    assert_mproc(MPROC_EINVAL, mproc_queue_get(NULL, &item, 0));
    assert_int_equal(mproc_queue_qsize(NULL), MPROC_EINVAL);
    assert_false(mproc_queue_empty(NULL));
    assert_null(mproc_queue_ref(NULL));
    mproc_queue_destroy(NULL);
    cJSON *nan = cJSON_CreateNumber(1e308);
    nan->valuedouble = nan->valuedouble * 10 - nan->valuedouble * 10;
    assert_mproc(MPROC_EINVAL, mproc_queue_put(queue, nan, 0));
    assert_message("mproc_queue_put: ");
    cJSON *deep = cJSON_CreateArray();
    for (int i = 0; i < 1100; i++) {
        cJSON *outer = cJSON_CreateArray();
        assert_true(cJSON_AddItemToArray(outer, deep));
        deep = outer;
    }
    assert_mproc(MPROC_ERANGE, mproc_queue_put(queue, deep, 0));
    assert_int_equal(mproc_queue_qsize(queue), 0); /* none of these left anything */

    cJSON *number = cJSON_CreateNumber(1);
    assert_mproc(MPROC_ETYPE, mproc_queue_from(&other, number));
    cJSON_Delete(number);
    cJSON *foreign = mproc_pack("{s:{s:s,s:i,s:i}}", "$mproc", "kind", "queue", "id", 1, "process", 1);
    assert_mproc(MPROC_ESTATE, mproc_queue_from(&other, foreign));
    assert_message("made in another process");
    cJSON_Delete(foreign);
    assert_mproc(0, mproc_pipe(&a, &b, true));
    cJSON *end = mproc_connection_ref(b);
    assert_mproc(MPROC_ETYPE, mproc_queue_from(&other, end));
    assert_message("one to a connection");
    mproc_connection_close(a);
    mproc_connection_close(b);
    cJSON *reference = mproc_queue_ref(queue);
    assert_mproc(0, mproc_queue_from(&other, reference));
    mproc_queue_destroy(other);
    assert_mproc(MPROC_ESTATE, mproc_queue_from(&other, reference));
    cJSON_Delete(reference);
    mproc_process *process = start_child(want_a_queue, mproc_pack("[o]", end));
    end_child(process, 1);
    mproc_queue_destroy(queue);
}

/* Between processes -------------------------------------------------------------------------------------------- */

/* Acceptance 70: put and end at once. */
static void what_a_process_put_is_there_when_it_has_ended(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0);
    mproc_process *process = start_child(produce, mproc_pack("[o,i,i,i]", mproc_queue_ref(queue), 7, 10, 10));
    end_child(process, 0);
    assert_int_equal(mproc_queue_qsize(queue), 10);
    for (int i = 10; i < 20; i++) {
        cJSON *item = get_item(queue);
        assert_int_equal(cJSON_GetArrayItem(item, 1)->valueint, i);
        cJSON_Delete(item);
    }
    mproc_queue_destroy(queue);
}

/* Acceptance 72. */
static void four_consumers_finish_ten_items(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0), *results = create_queue(0);
    mproc_process *processes[4];
    for (int i = 0; i < 4; i++) {
        processes[i] = start_child(consume, mproc_pack("[o,o]", mproc_queue_ref(queue), mproc_queue_ref(results)));
    }
    for (int i = 0; i < 10; i++) {
        put_number(queue, i);
    }
    assert_mproc(0, mproc_queue_join(queue, TEST_PATIENCE_MS));
    assert_int_equal(mproc_queue_qsize(results), 10);
    assert_mproc(MPROC_ERANGE, mproc_queue_task_done(queue));
    assert_mproc(0, mproc_queue_close(queue));
    for (int i = 0; i < 4; i++) {
        end_child(processes[i], 0);
    }
    mproc_queue_destroy(queue);
    mproc_queue_destroy(results);
}

static void expect_echo_of_bytes(mproc_queue *to, mproc_queue *from, size_t size) {
    unsigned char *sent = malloc(size > 0 ? size : 1);
    void *data = NULL;
    size_t arrived = 0;
    assert_non_null(sent);
    for (size_t i = 0; i < size; i++) {
        sent[i] = (unsigned char)(i * 131 >> 3);
    }
    assert_mproc(0, mproc_queue_put_bytes(to, sent, size, MPROC_FOREVER));
    assert_mproc(0, mproc_queue_get_bytes(from, &data, &arrived, TEST_PATIENCE_MS));
    assert_int_equal(arrived, size);
    assert_memory_equal(data, sent, size);
    mproc_free(data);
    free(sent);
}

/* Acceptance 74. */
static void values_and_bytes_of_all_kinds_come_back(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 16, 4095, 4096, 65519, 65536, 65537, 1 << 20, 16 << 20};
    mproc_queue *to = create_queue(0), *from = create_queue(0);
    mproc_process *process = start_child(echo, mproc_pack("[o,o]", mproc_queue_ref(to), mproc_queue_ref(from)));
    cJSON *sent = mproc_pack("{s:I,s:f,s:s,s:[n,b,b],s:{}}", "int", (int64_t)-9007199254740991, "double", 0.1, "string",
                             "数据", "list", 1, 0, "map");
    assert_non_null(sent);
    char *text = cJSON_PrintUnformatted(sent);
    assert_mproc(0, mproc_queue_put(to, sent, 0));
    cJSON *item = get_item(from);
    char *arrived = cJSON_PrintUnformatted(item);
    assert_string_equal(arrived, text);
    cJSON_free(text);
    cJSON_free(arrived);
    cJSON_Delete(item);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        expect_echo_of_bytes(to, from, sizes[i]);
    }
    assert_mproc(0, mproc_queue_put(to, cJSON_CreateNull(), 0));
    item = get_item(from);
    assert_true(cJSON_IsNull(item));
    cJSON_Delete(item);
    end_child(process, 0);
    mproc_queue_destroy(to);
    mproc_queue_destroy(from);
}

static void a_large_value_comes_back(void **state) {
    (void)state;
    enum { LENGTH = 1 << 20 };
    char *text = malloc(LENGTH + 1);
    mproc_queue *to = create_queue(0), *from = create_queue(2);
    assert_non_null(text);
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    mproc_process *process = start_child(echo, mproc_pack("[o,o]", mproc_queue_ref(to), mproc_queue_ref(from)));
    for (int i = 0; i < 3; i++) {
        assert_mproc(0, mproc_queue_put(to, mproc_pack("[i,s]", i, text), 0));
    }
    for (int i = 0; i < 3; i++) {
        cJSON *item = get_item(from);
        assert_int_equal(cJSON_GetArrayItem(item, 0)->valueint, i);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(item, 1)), text);
        cJSON_Delete(item);
    }
    assert_mproc(0, mproc_queue_put(to, cJSON_CreateNull(), 0));
    cJSON_Delete(get_item(from));
    end_child(process, 0);
    mproc_queue_destroy(to);
    mproc_queue_destroy(from);
    free(text);
}

/* Puts one item of so many bytes, each page with its number, and ends at once. */
static void put_huge(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    double size = 0;
    if (queue == NULL || mproc_task_unpack(task, "(o,f)", NULL, &size) != 0) {
        return;
    }
    uint32_t *data = calloc((size_t)size, 1);
    if (data == NULL) {
        mproc_task_fail(task, "no memory");
        return;
    }
    for (size_t i = 0; i < (size_t)size / 4096; i++) {
        data[i * 1024] = (uint32_t)i;
    }
    check_task(task, mproc_queue_put_bytes(queue, data, (size_t)size, MPROC_FOREVER));
    free(data);
}

static void a_gibibyte_goes_through_and_leaves_nothing(void **state) {
    (void)state;
    size_t size = system_is_slow_to_spawn() ? (size_t)1 << 26 : (size_t)1 << 30, arrived = 0;
    void *data = NULL;
    mproc_queue *queue = create_queue(0);
    end_child(start_child(put_huge, mproc_pack("[o,f]", mproc_queue_ref(queue), (double)size)), 0);
    assert_mproc(0, mproc_queue_get_bytes(queue, &data, &arrived, TEST_PATIENCE_MS));
    assert_int_equal(arrived, size);
    for (size_t i = 0; i < size / 4096; i++) {
        assert_int_equal(((uint32_t *)data)[i * 1024], i);
    }
    mproc_free(data);
    end_child(start_child(put_huge, mproc_pack("[o,f]", mproc_queue_ref(queue), (double)(1 << 20))), 0);
    mproc_queue_destroy(queue); /* with an item in it */
}

/* More of them than the queue's store has slots, from a child and from here, all held at once, and longer than the queue. */
static void large_items_stay_as_they_are_until_they_are_freed(void **state) {
    enum { COUNT = STORE_SLOTS + 8, SIZE = 1 << 20 };
    void *data[COUNT];
    size_t size;
    (void)state;
    mproc_queue *queue = create_queue(0);
    for (int i = 0; i < COUNT; i += 2) {
        end_child(start_child(put_huge, mproc_pack("[o,f]", mproc_queue_ref(queue), (double)SIZE)), 0);
        uint32_t *mine = calloc(1, SIZE);
        assert_non_null(mine);
        mine[SIZE / sizeof *mine - 1] = (uint32_t)i;
        assert_mproc(0, mproc_queue_put_bytes(queue, mine, SIZE, 0));
        free(mine);
    }
    for (int i = 0; i < COUNT; i++) {
        assert_mproc(0, mproc_queue_get_bytes(queue, &data[i], &size, TEST_PATIENCE_MS));
        assert_int_equal(size, SIZE);
    }
    mproc_queue_destroy(queue);
    for (int i = 0; i < COUNT; i++) {
        const uint32_t *numbers = data[i];
        assert_int_equal(numbers[SIZE / sizeof *numbers - 1], i % 2 == 0 ? 0 : i - 1);
        assert_int_equal(numbers[1024 * (SIZE / 4096 - 1)], i % 2 == 0 ? SIZE / 4096 - 1 : 0);
        mproc_free(data[i]);
    }
}

/* Large items of a queue that is full of them come and go in order. */
static void put_large_ones(mproc_task *task) {
    enum { SIZE = 100000 };
    static char data[SIZE];
    mproc_queue *queue = mproc_task_queue(task, 0);
    for (int i = 0; queue != NULL && i < 100; i++) {
        memset(data, i, SIZE);
        check_task(task, mproc_queue_put_bytes(queue, data, (size_t)(SIZE - i), MPROC_FOREVER));
    }
}

static void large_items_pass_a_small_queue(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(3);
    mproc_process *process = start_child(put_large_ones, mproc_pack("[o]", mproc_queue_ref(queue)));
    for (int i = 0; i < 100; i++) {
        unsigned char *data;
        void *any;
        size_t size;
        assert_mproc(0, mproc_queue_get_bytes(queue, &any, &size, TEST_PATIENCE_MS));
        data = any;
        assert_int_equal(size, 100000 - i);
        assert_int_equal(data[0], i);
        assert_int_equal(data[size - 1], i);
        mproc_free(any);
    }
    end_child(process, 0);
    mproc_queue_destroy(queue);
}

static void grandchildren_use_it_too(void **state) {
    (void)state;
    mproc_queue *to = create_queue(0), *from = create_queue(0);
    mproc_process *process = start_child(start_echo, mproc_pack("[o,o]", mproc_queue_ref(to), mproc_queue_ref(from)));
    put_number(to, 1);
    expect_number(from, 1);
    assert_mproc(0, mproc_queue_put(to, cJSON_CreateNull(), 0));
    end_child(process, 0);
    mproc_queue_destroy(to);
    mproc_queue_destroy(from);
}

/* Each number is put, and then told of over the pipe. */
static void put_and_tell(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    mproc_connection *connection = mproc_task_connection(task, 1);
    for (int i = 0; queue != NULL && connection != NULL && i < 2000; i++) {
        check_task(task, mproc_queue_put(queue, cJSON_CreateNumber(i), MPROC_FOREVER));
        check_task(task, mproc_connection_send_bytes(connection, NULL, 0));
    }
}

/* What one has been told of is there. */
static void get_when_told(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    mproc_connection *connection = mproc_task_connection(task, 1);
    for (int i = 0; queue != NULL && connection != NULL && i < 2000; i++) {
        void *data;
        size_t size;
        cJSON *item = NULL;
        check_task(task, mproc_connection_recv_bytes(connection, &data, &size, MPROC_FOREVER));
        mproc_free(data);
        check_task(task, mproc_queue_get_nowait(queue, &item));
        if (item == NULL || item->valueint != i) {
            mproc_task_fail(task, "item %d is not there", i);
        }
        cJSON_Delete(item);
    }
}

static void what_one_was_told_of_is_there(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0);
    mproc_connection *a, *b;
    assert_mproc(0, mproc_pipe(&a, &b, true));
    mproc_process *getter =
        start_child(get_when_told, mproc_pack("[o,o]", mproc_queue_ref(queue), mproc_connection_ref(a)));
    mproc_process *putter =
        start_child(put_and_tell, mproc_pack("[o,o]", mproc_queue_ref(queue), mproc_connection_ref(b)));
    mproc_connection_close(a);
    mproc_connection_close(b);
    end_child(putter, 0);
    end_child(getter, 0);
    mproc_queue_destroy(queue);
}

static void a_queue_outlives_the_process_that_made_it(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0), *received = NULL;
    mproc_process *process = start_child(make_and_hand_over, mproc_pack("[o]", mproc_queue_ref(queue)));
    end_child(process, 0);
    cJSON *item = get_item(queue);
    assert_mproc(0, mproc_queue_from(&received, cJSON_GetObjectItem(item, "queue")));
    cJSON_Delete(item);
    expect_text(received, "heritage");
    mproc_queue_destroy(received);
    mproc_queue_destroy(queue);
}

static void a_queue_goes_through_pipes_and_queues(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0), *inner = create_queue(0), *again = NULL;
    mproc_connection *a, *b;
    cJSON *item = NULL;
    assert_mproc(0, mproc_pipe(&a, &b, true));
    put_number(inner, 42);
    assert_mproc(0, mproc_connection_send(a, mproc_pack("[o]", mproc_queue_ref(inner))));
    mproc_queue_destroy(inner); /* it lives on in the message */
    assert_mproc(0, mproc_connection_recv(b, &item, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_queue_put(queue, item, 0)); /* sent on without having been taken up */
    item = get_item(queue);
    assert_mproc(0, mproc_queue_from(&again, cJSON_GetArrayItem(item, 0)));
    cJSON_Delete(item);
    expect_number(again, 42);
    mproc_queue_destroy(again);
    mproc_connection_close(a);
    mproc_connection_close(b);
    mproc_queue_destroy(queue);
}

static void errors_in_a_child_are_the_same(void **state) {
    (void)state;
    static const char *const expected[] = {
        "MPROC_OK",     "MPROC_EFULL", "MPROC_EFULL",  "mproc_queue_put: the queue stayed full for 20 ms",
        "MPROC_EEMPTY", "MPROC_OK",    "MPROC_ERANGE", "MPROC_OK"};
    mproc_queue *queue = create_queue(1), *out = create_queue(0);
    mproc_process *process = start_child(misuse, mproc_pack("[o,o]", mproc_queue_ref(queue), mproc_queue_ref(out)));
    cJSON *codes = get_item(out);
    assert_int_equal(cJSON_GetArraySize(codes), (int)(sizeof expected / sizeof expected[0]));
    for (int i = 0; i < cJSON_GetArraySize(codes); i++) {
        assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(codes, i)), expected[i]);
    }
    cJSON_Delete(codes);
    end_child(process, 0);
    mproc_queue_destroy(queue);
    mproc_queue_destroy(out);
}

/* Order and numbers -------------------------------------------------------------------------------------------- */

enum { PRODUCERS = 4, CONSUMERS = 3 };

/* Each item once, and each producer's in order where one consumer sees them all. */
static void check_all(mproc_queue *results, int count, bool in_order) {
    unsigned char *seen = calloc((size_t)(PRODUCERS * count), 1);
    int next[PRODUCERS] = {0};
    assert_non_null(seen);
    for (int i = 0; i < PRODUCERS * count; i++) {
        cJSON *item = get_item(results);
        int producer = cJSON_GetArrayItem(item, 0)->valueint, number = cJSON_GetArrayItem(item, 1)->valueint;
        cJSON_Delete(item);
        assert_in_range(producer, 0, PRODUCERS - 1);
        assert_in_range(number, 0, count - 1);
        assert_int_equal(seen[producer * count + number], 0);
        seen[producer * count + number] = 1;
        if (in_order) {
            assert_int_equal(number, next[producer]);
            next[producer]++;
        }
    }
    assert_true(mproc_queue_empty(results));
    free(seen);
}

static void many_to_many(size_t maxsize, mproc_fn consumer, int consumers, int count) {
    mproc_queue *queue = create_queue(maxsize), *results = create_queue(0);
    mproc_process *producing[PRODUCERS], *consuming[CONSUMERS];
    for (int i = 0; i < consumers; i++) {
        consuming[i] = start_child(consumer, mproc_pack("[o,o]", mproc_queue_ref(queue), mproc_queue_ref(results)));
    }
    for (int i = 0; i < PRODUCERS; i++) {
        producing[i] = start_child(produce, mproc_pack("[o,i,i,i]", mproc_queue_ref(queue), i, 0, count));
    }
    for (int i = 0; i < PRODUCERS; i++) {
        end_child(producing[i], 0);
    }
    assert_mproc(0, mproc_queue_close(queue));
    for (int i = 0; i < consumers; i++) {
        end_child(consuming[i], 0);
    }
    check_all(results, count, consumers == 1 && consumer == consume);
    mproc_queue_destroy(queue);
    mproc_queue_destroy(results);
}

static void each_producers_order_is_kept(void **state) {
    (void)state;
    many_to_many(0, consume, 1, system_is_slow_to_spawn() ? 200 : 1000);
}

static void nothing_is_lost_or_doubled_between_many(void **state) {
    (void)state;
    many_to_many(0, consume, CONSUMERS, system_is_slow_to_spawn() ? 200 : 1000);
}

static void nothing_is_lost_or_doubled_in_a_small_queue(void **state) {
    (void)state;
    many_to_many(2, consume, CONSUMERS, system_is_slow_to_spawn() ? 100 : 500);
}

static void threads_of_a_process_share_its_queues(void **state) {
    (void)state;
    many_to_many(3, consume_in_threads, 2, system_is_slow_to_spawn() ? 100 : 500);
}

/* Deaths ------------------------------------------------------------------------------------------------------- */

static void a_killed_waiter_is_forgotten(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0), *ready = create_queue(0);
    mproc_process *waiting =
        start_child(get_for_ever, mproc_pack("[o,o]", mproc_queue_ref(queue), mproc_queue_ref(ready)));
    cJSON_Delete(get_item(ready));
    assert_mproc(0, mproc_process_kill(waiting));
    end_child(waiting, -9);
    /* The hub may learn of the death later than this process; then the item comes back. */
    put_number(queue, 5);
    expect_number(queue, 5);
    mproc_queue_destroy(queue);
    mproc_queue_destroy(ready);
}

/* Puts an item behind all others, into a queue that is full: a thread waits for its turn. */
static void put_true(void *queue) {
    (void)mproc_queue_put(queue, cJSON_CreateTrue(), TEST_PATIENCE_MS);
}

static uv_thread_t putting;

static void put_last(mproc_queue *queue) {
    assert_int_equal(uv_thread_create(&putting, put_true, queue), 0);
}

static void a_killed_putter_leaves_whole_items_only(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(3);
    cJSON *item = NULL;
    mproc_process *process = start_child(put_for_ever, mproc_pack("[o]", mproc_queue_ref(queue)));
    while (!mproc_queue_full(queue)) {
        mproc_sleep(1);
    }
    assert_mproc(0, mproc_process_kill(process));
    end_child(process, -9);
    put_last(queue);
    int left = 0;
    for (item = get_item(queue); cJSON_IsArray(item); item = get_item(queue)) {
        assert_int_equal(cJSON_GetArrayItem(item, 0)->valueint, 1);
        cJSON_Delete(item);
        left++;
    }
    assert_true(cJSON_IsTrue(item));
    cJSON_Delete(item);
    assert_int_equal(uv_thread_join(&putting), 0);
    assert_in_range(left, 3, 4); /* those in the queue, and the one whose put waited */
    mproc_queue_destroy(queue);
}

int main(int argc, char **argv) {
    static const mproc_target targets[] = {
        MPROC_TARGET(produce),      MPROC_TARGET(consume),
        MPROC_TARGET(echo),         MPROC_TARGET(get_for_ever),
        MPROC_TARGET(put_for_ever), MPROC_TARGET(make_and_hand_over),
        MPROC_TARGET(start_echo),   MPROC_TARGET(consume_in_threads),
        MPROC_TARGET(misuse),       MPROC_TARGET(want_a_queue),
        MPROC_TARGET(put_huge),     MPROC_TARGET(put_large_ones),
        MPROC_TARGET(put_and_tell), MPROC_TARGET(get_when_told),
        MPROC_TARGETS_END,
    };
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_refuses_and_waits),
        cmocka_unit_test(an_empty_queue_tells_and_waits),
        cmocka_unit_test(a_closed_queue_takes_nothing_more),
        cmocka_unit_test(an_item_of_the_other_kind_stays),
        cmocka_unit_test(joining_waits_for_the_work),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(what_a_process_put_is_there_when_it_has_ended),
        cmocka_unit_test(four_consumers_finish_ten_items),
        cmocka_unit_test(values_and_bytes_of_all_kinds_come_back),
        cmocka_unit_test(a_large_value_comes_back),
        cmocka_unit_test(a_gibibyte_goes_through_and_leaves_nothing),
        cmocka_unit_test(large_items_stay_as_they_are_until_they_are_freed),
        cmocka_unit_test(large_items_pass_a_small_queue),
        cmocka_unit_test(grandchildren_use_it_too),
        cmocka_unit_test(what_one_was_told_of_is_there),
        cmocka_unit_test(a_queue_outlives_the_process_that_made_it),
        cmocka_unit_test(a_queue_goes_through_pipes_and_queues),
        cmocka_unit_test(errors_in_a_child_are_the_same),
        cmocka_unit_test(each_producers_order_is_kept),
        cmocka_unit_test(nothing_is_lost_or_doubled_between_many),
        cmocka_unit_test(nothing_is_lost_or_doubled_in_a_small_queue),
        cmocka_unit_test(threads_of_a_process_share_its_queues),
        cmocka_unit_test(a_killed_waiter_is_forgotten),
        cmocka_unit_test(a_killed_putter_leaves_whole_items_only),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("queue", tests, count_handles, NULL);
}
