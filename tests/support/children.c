/* SPDX-License-Identifier: MIT */
#include "support/children.h"

#include "base/clock.h"
#include "hub/object.h"

mproc_process *start_child(mproc_fn target, cJSON *args) {
    mproc_process *process = NULL;
    assert_mproc(0, mproc_spawn(&process, target, args));
    return process;
}

void end_child(mproc_process *process, int exitcode) {
    int code = 12345;
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_process_exitcode(process, &code));
    assert_int_equal(code, exitcode);
    mproc_process_destroy(process);
}

void check_task(mproc_task *task, int status) {
    if (status != 0) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
    }
}

mproc_queue *create_queue(size_t maxsize) {
    mproc_queue *queue = NULL;
    assert_mproc(0, mproc_queue_create(&queue, maxsize));
    return queue;
}

void put_number(mproc_queue *queue, int number) {
    assert_mproc(0, mproc_queue_put(queue, cJSON_CreateNumber(number), 0));
}

cJSON *get_item(mproc_queue *queue) {
    cJSON *item = NULL;
    assert_mproc(0, mproc_queue_get(queue, &item, TEST_PATIENCE_MS));
    return item;
}

void expect_number(mproc_queue *queue, int number) {
    cJSON *item = get_item(queue);
    assert_true(cJSON_IsNumber(item));
    assert_int_equal(item->valueint, number);
    cJSON_Delete(item);
}

void wait_for_waiters(size_t count) {
    deadline patience = deadline_after(TEST_PATIENCE_MS);
    while (calls_waiting() != count && deadline_remaining_ms(patience) > 0) {
        mproc_sleep(1);
    }
    assert_int_equal(calls_waiting(), count);
}
