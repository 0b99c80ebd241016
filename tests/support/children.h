/* SPDX-License-Identifier: MIT */
/* Children of a test, and the queues that it shares with them. */
#ifndef MPROC_TEST_CHILDREN_H
#define MPROC_TEST_CHILDREN_H

#include "mproc.h"
#include "support/test.h"

/* Starts a child. args is taken. */
mproc_process *start_child(mproc_fn target, cJSON *args);

/* Waits for its end, which has to be with this exit code, and frees the handle. */
void end_child(mproc_process *process, int exitcode);

/* In a child: where status is an error, the task fails with its message. */
void check_task(mproc_task *task, int status);

mproc_queue *create_queue(size_t maxsize);
void put_number(mproc_queue *queue, int number);
/* The next item, which is the caller's. */
cJSON *get_item(mproc_queue *queue);
void expect_number(mproc_queue *queue, int number);

/* Until so many threads and processes wait in queues. */
void wait_for_waiters(size_t count);

#endif
