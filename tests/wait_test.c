/* SPDX-License-Identifier: MIT */
/* mproc_wait: each kind of thing, many of them, several threads and processes that wait and take, and deaths. */
#include "support/children.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "connection/connection.h"
#include "support/helper.h"
#include "support/pools.h"
#include "support/system.h"

enum { MEBIBYTE = 1 << 20, LARGE_MESSAGES = 20 };

/* What runs in the children ------------------------------------------------------------------------------------ */

/* Waits until its connection has ended. */
static void stay_until_let_go(mproc_task *task) {
    mproc_connection *connection = mproc_task_connection(task, 0);
    if (connection != NULL) {
        (void)mproc_connection_poll(connection, MPROC_FOREVER);
    }
}

static void send_large_messages(mproc_task *task) {
    mproc_connection *connection = mproc_task_connection(task, 0);
    char *data = calloc(1, MEBIBYTE);
    for (int i = 0; i < LARGE_MESSAGES && connection != NULL && data != NULL; i++) {
        check_task(task, mproc_connection_send_bytes(connection, data, MEBIBYTE));
    }
    free(data);
}

static void return_item(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    cJSON *item = NULL;
    if (queue != NULL) {
        check_task(task, mproc_queue_get(queue, &item, MPROC_FOREVER));
        mproc_task_return(task, item);
    }
}

/* What is ready of the two goes to the results, with its name; until the connection ends. */
static void tell_what_is_ready(mproc_task *task) {
    mproc_waitable things[] = {{.process = mproc_parent_process()},
                               {.queue = mproc_task_queue(task, 0)},
                               {.connection = mproc_task_connection(task, 1)}};
    mproc_queue *results = mproc_task_queue(task, 2);
    int status = results != NULL ? 0 : MPROC_EINVAL;
    while (status == 0) {
        cJSON *item = NULL;
        int count = mproc_wait(things, 3, MPROC_FOREVER);
        status = count > 0 ? 0 : count;
        if (status == 0 && things[0].ready) {
            status = MPROC_EDIED;
        }
        if (status == 0 && things[1].ready) {
            status = mproc_queue_get_nowait(things[1].queue, &item);
            status = status != 0 ? status : mproc_queue_put(results, mproc_pack("[s,o]", "queue", item), MPROC_FOREVER);
        }
        if (status == 0 && things[2].ready) {
            status = mproc_connection_recv(things[2].connection, &item, 0);
            status =
                status != 0 ? status : mproc_queue_put(results, mproc_pack("[s,o]", "connection", item), MPROC_FOREVER);
        }
    }
    if (status != MPROC_ECLOSED) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
    }
}

static void wait_for_queue(mproc_task *task) {
    mproc_waitable thing = {.queue = mproc_task_queue(task, 0)};
    check_task(task, mproc_wait(&thing, 1, MPROC_FOREVER) == 1 ? 0 : MPROC_EINVAL);
}

/* So many items, one after the other. */
static void get_from_queue(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    int count = 0;
    check_task(task, mproc_task_unpack(task, "(o,i)", NULL, &count));
    for (int i = 0; i < count && queue != NULL; i++) {
        cJSON *item = NULL;
        check_task(task, mproc_queue_get(queue, &item, MPROC_FOREVER));
        cJSON_Delete(item);
    }
}

struct getter {
    mproc_queue *queue;
    mproc_connection *told;
    int status;
};

static void get_and_tell(void *context) {
    struct getter *getter = context;
    cJSON *item = NULL;
    getter->status = mproc_queue_get(getter->queue, &item, MPROC_FOREVER);
    if (getter->status == 0) {
        getter->status = mproc_connection_send(getter->told, item);
    }
}

/* One thread gets, and reads what comes for all, before this one waits. */
static void wait_beside_a_getter(mproc_task *task) {
    struct getter getter = {mproc_task_queue(task, 0), mproc_task_connection(task, 2), 0};
    mproc_waitable thing = {.queue = mproc_task_queue(task, 1)};
    uv_thread_t thread;
    cJSON *told = NULL;
    if (getter.queue == NULL || getter.told == NULL || uv_thread_create(&thread, get_and_tell, &getter) != 0) {
        mproc_task_fail(task, "no queue, no connection, or no thread");
        return;
    }
    check_task(task, mproc_connection_recv(getter.told, &told, MPROC_FOREVER));
    cJSON_Delete(told);
    check_task(task, mproc_wait(&thing, 1, MPROC_FOREVER) == 1 ? 0 : MPROC_EINVAL);
    (void)uv_thread_join(&thread);
    check_task(task, getter.status);
}

/* Sends what came of it, and stays: without descriptors, LeakSanitizer does not let a process end well. */
static void wait_without_handles(mproc_task *task) {
    mproc_connection *connection = mproc_task_connection(task, 0);
    mproc_waitable thing = {.connection = connection};
    if (connection != NULL) {
        system_forbid_handles();
        check_task(task, mproc_connection_send(connection, cJSON_CreateNumber(mproc_wait(&thing, 1, 0))));
        mproc_sleep(600 * 1000);
    }
}

/* Helpers ------------------------------------------------------------------------------------------------------ */

static void create_pipe(mproc_connection **a, mproc_connection **b) {
    assert_mproc(0, mproc_pipe(a, b, false));
}

static void send_number(mproc_connection *connection, int number) {
    assert_mproc(0, mproc_connection_send(connection, cJSON_CreateNumber(number)));
}

static void expect_message(mproc_connection *connection, int number) {
    cJSON *value = NULL;
    assert_mproc(0, mproc_connection_recv(connection, &value, 0));
    assert_int_equal(value->valueint, number);
    cJSON_Delete(value);
}

/* A child that ends when `ours` is closed. */
static mproc_process *start_staying(mproc_connection **ours) {
    mproc_connection *theirs;
    create_pipe(&theirs, ours);
    mproc_process *process = start_child(stay_until_let_go, mproc_pack("[o]", mproc_connection_ref(theirs)));
    mproc_connection_close(theirs);
    return process;
}

static void move_away(mproc_connection *connection) {
    mproc_connection *moved = NULL;
    cJSON *reference = mproc_connection_ref(connection);
    assert_non_null(reference);
    assert_mproc(0, mproc_connection_from(&moved, reference));
    cJSON_Delete(reference);
    mproc_connection_close(moved);
}

/* Exactly this one is ready. */
static void expect_ready(mproc_waitable *things, size_t count, size_t index) {
    assert_mproc(1, mproc_wait(things, count, TEST_PATIENCE_MS));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(things[i].ready, i == index);
    }
}

static void expect_nothing(mproc_waitable *things, size_t count) {
    for (size_t i = 0; i < count; i++) {
        things[i].ready = true;
    }
    assert_mproc(MPROC_ETIMEDOUT, mproc_wait(things, count, 0));
    assert_mproc(MPROC_ETIMEDOUT, mproc_wait(things, count, 20));
    assert_message("within 20 ms");
    for (size_t i = 0; i < count; i++) {
        assert_false(things[i].ready);
    }
}

/* What is refused ---------------------------------------------------------------------------------------------- */

static void wrong_arguments_are_told(void **state) {
    (void)state;
    mproc_connection *a, *b;
    create_pipe(&a, &b);
    mproc_waitable things[] = {{.connection = a, .ready = true}, {.ready = true}};
    assert_mproc(MPROC_EINVAL, mproc_wait(NULL, 1, 0));
    assert_mproc(MPROC_EINVAL, mproc_wait(things, 0, MPROC_FOREVER));
    assert_message("no things");
    assert_mproc(MPROC_EINVAL, mproc_wait(things, 1, -7));
    assert_mproc(MPROC_EINVAL, mproc_wait(things, 2, 0));
    assert_message("mproc_wait: all pointers are NULL (things[1])");
    assert_false(things[0].ready);
    assert_false(things[1].ready);
    mproc_waitable both = {.connection = a, .process = mproc_current_process()};
    assert_mproc(MPROC_EINVAL, mproc_wait(&both, 1, 0));
    assert_message("several pointers");
    mproc_connection_close(a);
    mproc_connection_close(b);
}

static void what_cannot_be_waited_for_is_told(void **state) {
    (void)state;
    mproc_connection *a, *b;
    mproc_process *process = NULL;
    create_pipe(&a, &b);
    mproc_waitable sends = {.connection = b};
    assert_mproc(MPROC_EPERM, mproc_wait(&sends, 1, 0));
    assert_message("mproc_wait: this end only sends");
    move_away(a);
    mproc_waitable moved = {.connection = a};
    assert_mproc(MPROC_ESTATE, mproc_wait(&moved, 1, MPROC_FOREVER));
    mproc_waitable itself = {.process = mproc_current_process()};
    assert_mproc(MPROC_ESTATE, mproc_wait(&itself, 1, 0));
    assert_mproc(0, mproc_process_create(&process, stay_until_let_go, NULL));
    mproc_waitable unstarted = {.process = process};
    assert_mproc(MPROC_ESTATE, mproc_wait(&unstarted, 1, MPROC_FOREVER));
    assert_message("call mproc_process_start first");
    mproc_process_destroy(process);
    mproc_connection_close(a);
    mproc_connection_close(b);
}

struct callback_wait {
    mproc_async_result *other;
    int asked, waited;
};

static void wait_in_callback(cJSON *value, void *user) {
    cJSON_Delete(value);
    struct callback_wait *wait = user;
    mproc_waitable thing = {.result = wait->other};
    wait->asked = mproc_wait(&thing, 1, 0);
    wait->waited = mproc_wait(&thing, 1, MPROC_FOREVER);
}

static void a_callback_does_not_wait_for_a_result(void **state) {
    (void)state;
    mproc_pool *pool = create_pool(1);
    mproc_queue *queue = create_queue(0), *never = create_queue(0);
    mproc_async_result *first = NULL;
    struct callback_wait wait = {NULL, 0, 0};
    mproc_apply_options with_callback = {.callback = wait_in_callback, .user = &wait};
    assert_mproc(0, mproc_pool_apply_async(pool, return_item, mproc_pack("[o]", mproc_queue_ref(queue)), &with_callback,
                                           &first));
    assert_mproc(
        0, mproc_pool_apply_async(pool, return_item, mproc_pack("[o]", mproc_queue_ref(never)), NULL, &wait.other));
    put_number(queue, 1);
    assert_mproc(0, mproc_async_result_wait(first, TEST_PATIENCE_MS));
    assert_mproc(MPROC_ETIMEDOUT, wait.asked);
    assert_mproc(MPROC_ESTATE, wait.waited);
    put_number(never, 2);
    mproc_async_result_destroy(first);
    mproc_waitable thing = {.result = wait.other};
    expect_ready(&thing, 1, 0);
    mproc_async_result_destroy(wait.other);
    end_pool(pool);
    mproc_queue_destroy(queue);
    mproc_queue_destroy(never);
}

/* Each kind ---------------------------------------------------------------------------------------------------- */

static void a_connection_is_ready_as_long_as_there_is_something(void **state) {
    (void)state;
    mproc_connection *a, *b;
    create_pipe(&a, &b);
    mproc_waitable thing = {.connection = a};
    expect_nothing(&thing, 1);
    send_number(b, 1);
    send_number(b, 2);
    for (int i = 0; i < 3; i++) {
        expect_ready(&thing, 1, 0);
    }
    expect_message(a, 1);
    expect_ready(&thing, 1, 0);
    expect_message(a, 2);
    expect_nothing(&thing, 1);
    mproc_connection_close(b);
    expect_ready(&thing, 1, 0);
    cJSON *value = NULL;
    assert_mproc(MPROC_ECLOSED, mproc_connection_recv(a, &value, 0));
    expect_ready(&thing, 1, 0);
    mproc_connection_close(a);
}

static void a_queue_is_ready_as_long_as_there_is_something(void **state) {
    (void)state;
    for (size_t maxsize = 0; maxsize < 2; maxsize++) {
        mproc_queue *queue = create_queue(maxsize);
        mproc_waitable thing = {.queue = queue};
        expect_nothing(&thing, 1);
        put_number(queue, 1);
        expect_ready(&thing, 1, 0);
        expect_ready(&thing, 1, 0);
        expect_number(queue, 1);
        expect_nothing(&thing, 1);
        put_number(queue, 2);
        assert_mproc(0, mproc_queue_close(queue));
        expect_ready(&thing, 1, 0);
        expect_number(queue, 2);
        expect_ready(&thing, 1, 0); /* closed */
        mproc_queue_destroy(queue);
    }
}

static void a_process_is_ready_when_it_has_ended(void **state) {
    (void)state;
    mproc_connection *hold;
    mproc_process *process = start_staying(&hold);
    mproc_waitable thing = {.process = process};
    expect_nothing(&thing, 1);
    mproc_connection_close(hold);
    expect_ready(&thing, 1, 0);
    assert_mproc(0, mproc_process_join(process, 0));
    expect_ready(&thing, 1, 0);
    end_child(process, 0);
}

static void a_result_is_ready_when_the_task_has_returned(void **state) {
    (void)state;
    mproc_pool *pool = create_pool(2);
    mproc_queue *queue = create_queue(0);
    mproc_waitable things[2] = {{0}};
    cJSON *value = NULL;
    assert_mproc(0, mproc_pool_apply_async(pool, return_item, mproc_pack("[o]", mproc_queue_ref(queue)), NULL,
                                           &things[0].result));
    things[1].queue = queue;
    expect_nothing(things, 1);
    put_number(queue, 5);
    expect_ready(things, 1, 0);
    expect_ready(things, 2, 0);
    assert_mproc(0, mproc_async_result_get(things[0].result, &value, 0));
    assert_int_equal(value->valueint, 5);
    cJSON_Delete(value);
    mproc_async_result_destroy(things[0].result);
    end_pool(pool);
    mproc_queue_destroy(queue);
}

static void a_program_is_ready_when_it_has_ended(void **state) {
    (void)state;
    const char *const argv[] = {helper_path(), HELPER_OPTION, "copy", NULL};
    mproc_popen_options options = {.argv = argv, .in = {.kind = MPROC_PIPE}, .out = {.kind = MPROC_DEVNULL}};
    mproc_popen *program = NULL;
    int returncode = -1;
    assert_mproc(0, mproc_popen_create(&program, &options));
    mproc_waitable thing = {.program = program};
    expect_nothing(&thing, 1);
    assert_mproc(0, mproc_popen_close_stdin(program));
    expect_ready(&thing, 1, 0);
    assert_mproc(0, mproc_popen_wait(program, &returncode, 0));
    assert_int_equal(returncode, 0);
    expect_ready(&thing, 1, 0);
    mproc_popen_destroy(program);
}

static void all_that_is_ready_is_told(void **state) {
    (void)state;
    mproc_connection *a, *b, *hold;
    mproc_queue *queue = create_queue(0);
    create_pipe(&a, &b);
    mproc_process *process = start_staying(&hold);
    mproc_waitable things[] = {{.queue = queue}, {.connection = a}, {.process = process}, {.connection = a}};
    expect_nothing(things, 4);
    mproc_connection_close(hold);
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    put_number(queue, 1);
    expect_ready(things + 2, 1, 0);
    assert_mproc(2, mproc_wait(things, 4, MPROC_FOREVER));
    assert_true(things[0].ready && things[2].ready);
    send_number(b, 1);
    assert_mproc(4, mproc_wait(things, 4, 0));
    expect_message(a, 1);
    expect_number(queue, 1);
    expect_ready(things, 4, 2);
    end_child(process, 0);
    mproc_connection_close(a);
    mproc_connection_close(b);
    mproc_queue_destroy(queue);
}

/* A part of a message is nothing yet, however large it is. */
static void a_connection_is_ready_with_a_whole_message(void **state) {
    (void)state;
    mproc_connection *ours, *theirs;
    create_pipe(&ours, &theirs);
    mproc_process *process = start_child(send_large_messages, mproc_pack("[o]", mproc_connection_ref(theirs)));
    mproc_connection_close(theirs);
    mproc_waitable thing = {.connection = ours};
    for (int i = 0; i < LARGE_MESSAGES; i++) {
        void *data = NULL;
        size_t size;
        expect_ready(&thing, 1, 0);
        assert_mproc(0, mproc_connection_recv_bytes(ours, &data, &size, 0));
        assert_int_equal(size, MEBIBYTE);
        mproc_free(data);
    }
    end_child(process, 0);
    mproc_connection_close(ours);
}

/* Many --------------------------------------------------------------------------------------------------------- */

enum { MANY = 150, MANY_PROCESSES = 70 };

static void many_connections_and_queues_are_waited_for(void **state) {
    (void)state;
    mproc_connection *readers[MANY], *writers[MANY];
    mproc_queue *queues[MANY];
    mproc_waitable *things = calloc(2 * MANY, sizeof *things);
    assert_non_null(things);
    for (size_t i = 0; i < MANY; i++) {
        create_pipe(&readers[i], &writers[i]);
        queues[i] = create_queue(0);
        things[2 * i].connection = readers[i];
        things[2 * i + 1].queue = queues[i];
    }
    expect_nothing(things, 2 * MANY);
    for (size_t i = 0; i < MANY; i += 7) {
        send_number(writers[i], 1);
        expect_ready(things, 2 * MANY, 2 * i);
        expect_message(readers[i], 1);
        put_number(queues[i], 2);
        expect_ready(things, 2 * MANY, 2 * i + 1);
        expect_number(queues[i], 2);
    }
    for (size_t i = 0; i < MANY; i++) {
        mproc_connection_close(writers[i]);
        assert_mproc(0, mproc_queue_close(queues[i]));
    }
    assert_mproc(2 * MANY, mproc_wait(things, 2 * MANY, MPROC_FOREVER));
    for (size_t i = 0; i < MANY; i++) {
        mproc_connection_close(readers[i]);
        mproc_queue_destroy(queues[i]);
    }
    free(things);
}

struct let_go {
    mproc_connection *hold;
    uv_thread_t thread;
};

static void close_hold(void *context) {
    struct let_go *let_go = context;
    mproc_connection_close(let_go->hold);
}

/* The last one first: it is beyond what Windows waits for by itself. */
static void many_processes_are_waited_for(void **state) {
    (void)state;
    mproc_waitable things[MANY_PROCESSES] = {{0}};
    mproc_process *processes[MANY_PROCESSES];
    struct let_go holds[MANY_PROCESSES];
    for (size_t i = 0; i < MANY_PROCESSES; i++) {
        processes[i] = start_staying(&holds[i].hold);
        things[i].process = processes[i];
    }
    expect_nothing(things, MANY_PROCESSES);
    for (size_t count = MANY_PROCESSES; count > 0; count--) {
        size_t last = count - 1;
        assert_int_equal(uv_thread_create(&holds[last].thread, close_hold, &holds[last]), 0);
        expect_ready(things, count, last);
        (void)uv_thread_join(&holds[last].thread);
        end_child(processes[last], 0);
    }
}

/* In other processes ------------------------------------------------------------------------------------------- */

static void expect_told(mproc_queue *results, const char *name, int number) {
    cJSON *result = get_item(results);
    assert_string_equal(cJSON_GetArrayItem(result, 0)->valuestring, name);
    assert_int_equal(cJSON_GetArrayItem(result, 1)->valueint, number);
    cJSON_Delete(result);
}

static void a_child_waits_for_a_queue_and_a_connection(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0), *results = create_queue(0);
    mproc_connection *ours, *theirs;
    create_pipe(&theirs, &ours);
    mproc_process *process =
        start_child(tell_what_is_ready, mproc_pack("[o,o,o]", mproc_queue_ref(queue), mproc_connection_ref(theirs),
                                                   mproc_queue_ref(results)));
    mproc_connection_close(theirs);
    for (int i = 0; i < 200; i++) {
        put_number(queue, i);
        expect_told(results, "queue", i);
        send_number(ours, -i);
        expect_told(results, "connection", -i);
    }
    for (int i = 0; i < 2000; i++) { /* faster than it takes them, so that some stand in shared memory */
        put_number(queue, i);
    }
    for (int i = 0; i < 2000; i++) {
        expect_told(results, "queue", i);
    }
    wait_for_waiters(1);
    mproc_connection_close(ours);
    end_child(process, 0);
    wait_for_waiters(0);
    mproc_queue_destroy(queue);
    mproc_queue_destroy(results);
}

enum { THREADS = 3, NUMBERS = 300 };

/* Takes numbers from a queue, by waiting or by a get, and adds them up; 0 ends it. */
struct taker {
    mproc_queue *queue;
    bool waits;
    int sum, status;
};

static void take_numbers(void *context) {
    struct taker *taker = context;
    mproc_waitable thing = {.queue = taker->queue};
    int number = 1;
    while (number != 0 && taker->status == 0) {
        cJSON *item = NULL;
        int count = taker->waits ? mproc_wait(&thing, 1, MPROC_FOREVER) : 1;
        taker->status = count < 0 ? count : mproc_queue_get(taker->queue, &item, taker->waits ? 0 : MPROC_FOREVER);
        if (taker->status == 0) {
            number = item->valueint;
            taker->sum += number;
            cJSON_Delete(item);
        } else if (taker->status == MPROC_EEMPTY) {
            taker->status = 0; /* another one was faster */
        }
    }
}

/* Half of them wait, half of them get, from three queues of which the last is theirs together. */
static int take_in_threads(mproc_queue *const *queues, int *sum) {
    struct taker takers[2 * THREADS];
    uv_thread_t threads[2 * THREADS];
    int status = 0;
    for (int i = 0; i < 2 * THREADS; i++) {
        struct taker taker = {queues[i % THREADS], i >= THREADS, 0, 0};
        takers[i] = taker;
        if (taker.queue == NULL || uv_thread_create(&threads[i], take_numbers, &takers[i]) != 0) {
            return MPROC_ENOMEM;
        }
    }
    for (int i = 0; i < 2 * THREADS; i++) {
        (void)uv_thread_join(&threads[i]);
        *sum += takers[i].sum;
        status = takers[i].status != 0 ? takers[i].status : status;
    }
    return status;
}

static void take_in_child(mproc_task *task) {
    mproc_queue *queues[THREADS];
    int sum = 0;
    for (int i = 0; i < THREADS; i++) {
        queues[i] = mproc_task_queue(task, i);
    }
    mproc_queue *result = mproc_task_queue(task, THREADS);
    check_task(task, take_in_threads(queues, &sum));
    if (result != NULL) {
        check_task(task, mproc_queue_put(result, cJSON_CreateNumber(sum), MPROC_FOREVER));
    }
}

static void feed(mproc_queue *const *queues) {
    for (int number = 1; number <= NUMBERS; number++) {
        for (int i = 0; i < THREADS; i++) {
            put_number(queues[i], number);
        }
    }
    for (int i = 0; i < 2 * THREADS; i++) {
        put_number(queues[i % THREADS], 0);
    }
}

static void feed_in_thread(void *queues) {
    feed(queues);
}

#define SUM (THREADS * NUMBERS * (NUMBERS + 1) / 2)

/* In a child they share one link to the first process: whoever waits reads for all. */
static void threads_wait_and_get_from_the_same_queues(void **state) {
    (void)state;
    mproc_queue *queues[THREADS], *result = create_queue(0);
    uv_thread_t thread;
    int sum = 0;
    for (int i = 0; i < THREADS; i++) {
        queues[i] = create_queue(0);
    }
    mproc_process *process =
        start_child(take_in_child, mproc_pack("[o,o,o,o]", mproc_queue_ref(queues[0]), mproc_queue_ref(queues[1]),
                                              mproc_queue_ref(queues[2]), mproc_queue_ref(result)));
    feed(queues);
    expect_number(result, SUM);
    end_child(process, 0);
    assert_int_equal(uv_thread_create(&thread, feed_in_thread, queues), 0); /* the same in this process */
    assert_mproc(0, take_in_threads(queues, &sum));
    (void)uv_thread_join(&thread);
    assert_int_equal(sum, SUM);
    for (int i = 0; i < THREADS; i++) {
        mproc_queue_destroy(queues[i]);
    }
    mproc_queue_destroy(result);
}

/* When the thread that reads has got its own answer, the one that waits reads on. */
static void reading_is_passed_on_to_a_thread_that_waits(void **state) {
    (void)state;
    mproc_queue *first = create_queue(0), *second = create_queue(0);
    mproc_connection *ours, *theirs;
    assert_mproc(0, mproc_pipe(&ours, &theirs, true));
    mproc_process *process =
        start_child(wait_beside_a_getter, mproc_pack("[o,o,o]", mproc_queue_ref(first), mproc_queue_ref(second),
                                                     mproc_connection_ref(theirs)));
    mproc_connection_close(theirs);
    wait_for_waiters(1);
    send_number(ours, 1);
    wait_for_waiters(2);
    put_number(first, 2);
    mproc_waitable thing = {.connection = ours};
    expect_ready(&thing, 1, 0);
    expect_message(ours, 2);
    put_number(second, 3);
    end_child(process, 0);
    mproc_connection_close(ours);
    mproc_queue_destroy(first);
    mproc_queue_destroy(second);
}

/* Takes messages from a connection, by waiting or by a receive. */
struct receiver {
    mproc_connection *connection;
    bool waits;
    int count, status;
};

static void receive_messages(void *context) {
    struct receiver *receiver = context;
    mproc_waitable thing = {.connection = receiver->connection};
    while (receiver->status == 0) {
        cJSON *value = NULL;
        int count = receiver->waits ? mproc_wait(&thing, 1, MPROC_FOREVER) : 1;
        receiver->status =
            count < 0 ? count
                      : mproc_connection_recv(receiver->connection, &value, receiver->waits ? 0 : MPROC_FOREVER);
        if (receiver->status == 0) {
            receiver->count++;
            cJSON_Delete(value);
        } else if (receiver->status == MPROC_ETIMEDOUT) {
            receiver->status = 0; /* another one was faster */
        }
    }
}

static void threads_wait_and_receive_from_the_same_connection(void **state) {
    (void)state;
    mproc_connection *a, *b;
    struct receiver receivers[THREADS + 1];
    uv_thread_t threads[THREADS + 1];
    int count = 0;
    create_pipe(&a, &b);
    for (int i = 0; i <= THREADS; i++) {
        struct receiver receiver = {a, i < THREADS, 0, 0};
        receivers[i] = receiver;
        assert_int_equal(uv_thread_create(&threads[i], receive_messages, &receivers[i]), 0);
    }
    for (int i = 0; i < 1000; i++) {
        send_number(b, i);
    }
    mproc_connection_close(b);
    for (int i = 0; i <= THREADS; i++) {
        (void)uv_thread_join(&threads[i]);
        assert_mproc(MPROC_ECLOSED, receivers[i].status);
        count += receivers[i].count;
    }
    assert_int_equal(count, 1000);
    mproc_connection_close(a);
}

static void a_connection_that_is_waited_for_is_not_handed_over(void **state) {
    (void)state;
    mproc_connection *a, *b;
    struct receiver receiver = {NULL, true, 0, 0};
    uv_thread_t thread;
    create_pipe(&a, &b);
    receiver.connection = a;
    assert_int_equal(uv_thread_create(&thread, receive_messages, &receiver), 0);
    while (!turn_has_visitors(&a->receive_turn)) {
        mproc_sleep(1);
    }
    assert_null(mproc_connection_ref(a));
    assert_int_equal(mproc_last_error()->code, MPROC_ESTATE);
    mproc_connection_close(b);
    (void)uv_thread_join(&thread);
    move_away(a);
    mproc_connection_close(a);
}

/* Deaths and want ---------------------------------------------------------------------------------------------- */

static void a_killed_waiter_is_forgotten(void **state) {
    (void)state;
    mproc_queue *queue = create_queue(0);
    mproc_process *process = start_child(wait_for_queue, mproc_pack("[o]", mproc_queue_ref(queue)));
    mproc_waitable thing = {.process = process};
    wait_for_waiters(1);
    assert_mproc(0, mproc_process_kill(process));
    expect_ready(&thing, 1, 0);
    wait_for_waiters(0);
    end_child(process, -9);
    process = start_child(wait_for_queue, mproc_pack("[o]", mproc_queue_ref(queue)));
    wait_for_waiters(1);
    put_number(queue, 1);
    end_child(process, 0);
    expect_number(queue, 1);
    mproc_queue_destroy(queue);
}

/* It was on its way to a process that never took it: with an answer, or, where that one has had an item before, in the shared
 * memory that it got from then on. */
static void what_a_dead_process_gives_back_is_ready(void **state) {
    (void)state;
    for (int before = 0; before < 2; before++) {
        mproc_queue *queue = create_queue(0);
        mproc_process *getter = start_child(get_from_queue, mproc_pack("[o,i]", mproc_queue_ref(queue), before + 1));
        mproc_waitable thing = {.queue = queue};
        if (before > 0) {
            wait_for_waiters(1);
            put_number(queue, 0);
        }
        wait_for_waiters(1);
        system_halt(mproc_process_pid(getter));
        put_number(queue, 1);
        expect_nothing(&thing, 1);
        mproc_process *waiter = start_child(wait_for_queue, mproc_pack("[o]", mproc_queue_ref(queue)));
        wait_for_waiters(1);
        assert_mproc(0, mproc_process_kill(getter));
        expect_ready(&thing, 1, 0);
        end_child(waiter, 0);
        end_child(getter, -9);
        expect_number(queue, 1);
        mproc_queue_destroy(queue);
    }
}

static void no_memory_is_told_and_loses_nothing(void **state) {
    (void)state;
    mproc_connection *a, *b;
    mproc_queue *queue = create_queue(0);
    create_pipe(&a, &b);
    send_number(b, 1);
    put_number(queue, 2);
    mproc_waitable things[] = {{.connection = a}, {.queue = queue}};
    int status = MPROC_ENOMEM;
    for (long nth = 1; status == MPROC_ENOMEM; nth++) {
        memory_fail_at(nth);
        status = mproc_wait(things, 2, 0);
        memory_fail_at(0);
        if (status == MPROC_ENOMEM) {
            assert_message("mproc_wait: ");
        }
    }
    assert_mproc(2, status);
    expect_message(a, 1);
    expect_number(queue, 2);
    mproc_connection_close(a);
    mproc_connection_close(b);
    mproc_queue_destroy(queue);
}

static void no_descriptors_are_told(void **state) {
    (void)state;
    test_skip_if_impossible(__func__);
    mproc_connection *ours, *theirs;
    cJSON *status = NULL;
    assert_mproc(0, mproc_pipe(&ours, &theirs, true));
    mproc_process *process = start_child(wait_without_handles, mproc_pack("[o]", mproc_connection_ref(theirs)));
    mproc_connection_close(theirs);
    assert_mproc(0, mproc_connection_recv(ours, &status, TEST_PATIENCE_MS));
    assert_mproc(MPROC_ESYSTEM, status->valueint);
    cJSON_Delete(status);
    assert_mproc(0, mproc_process_kill(process));
    end_child(process, -9);
    mproc_connection_close(ours);
}

static int note_handles(void **state) {
    const char *const argv[] = {helper_path(), HELPER_OPTION, "exit", "0", NULL};
    mproc_queue *queue = create_queue(0);
    (void)state;
    put_number(queue, 1);
    end_child(start_child(wait_for_queue, mproc_pack("[o]", mproc_queue_ref(queue))), 0);
    mproc_queue_destroy(queue);
    assert_mproc(0, mproc_check_call(argv));
    test_note_open_handles();
    return 0;
}

static const mproc_target targets[] = {MPROC_TARGET(stay_until_let_go),    MPROC_TARGET(send_large_messages),
                                       MPROC_TARGET(return_item),          MPROC_TARGET(tell_what_is_ready),
                                       MPROC_TARGET(wait_for_queue),       MPROC_TARGET(get_from_queue),
                                       MPROC_TARGET(wait_without_handles), MPROC_TARGET(take_in_child),
                                       MPROC_TARGET(wait_beside_a_getter), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_arguments_are_told),
        cmocka_unit_test(what_cannot_be_waited_for_is_told),
        cmocka_unit_test(a_callback_does_not_wait_for_a_result),
        cmocka_unit_test(a_connection_is_ready_as_long_as_there_is_something),
        cmocka_unit_test(a_queue_is_ready_as_long_as_there_is_something),
        cmocka_unit_test(a_process_is_ready_when_it_has_ended),
        cmocka_unit_test(a_result_is_ready_when_the_task_has_returned),
        cmocka_unit_test(a_program_is_ready_when_it_has_ended),
        cmocka_unit_test(all_that_is_ready_is_told),
        cmocka_unit_test(a_connection_is_ready_with_a_whole_message),
        cmocka_unit_test(many_connections_and_queues_are_waited_for),
        cmocka_unit_test(many_processes_are_waited_for),
        cmocka_unit_test(a_child_waits_for_a_queue_and_a_connection),
        cmocka_unit_test(threads_wait_and_get_from_the_same_queues),
        cmocka_unit_test(reading_is_passed_on_to_a_thread_that_waits),
        cmocka_unit_test(threads_wait_and_receive_from_the_same_connection),
        cmocka_unit_test(a_connection_that_is_waited_for_is_not_handed_over),
        cmocka_unit_test(a_killed_waiter_is_forgotten),
        cmocka_unit_test(what_a_dead_process_gives_back_is_ready),
        cmocka_unit_test(no_memory_is_told_and_loses_nothing),
        cmocka_unit_test(no_descriptors_are_told),
        cmocka_unit_test(nothing_is_left_open),
    };
    if (helper_is_wanted(argc, argv)) {
        return helper_main(argc, argv);
    }
    if (mproc_init(argc, argv, targets) != 0) {
        print_error("%s\n", mproc_last_error()->message);
        return 1;
    }
    return cmocka_run_group_tests(tests, note_handles, NULL);
}
