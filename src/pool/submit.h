/* SPDX-License-Identifier: MIT */
/* What apply, map and imap have in common on the way from a call to tasks. */
#ifndef MPROC_POOL_SUBMIT_H
#define MPROC_POOL_SUBMIT_H

#include "pool/pool.h"

/* The table's row of the function, after all that every call checks; NULL with the error set. */
const mproc_target *submit_target(mproc_pool *pool, const char *function, mproc_fn fn);

/* A task's body: its beginning, and then each item of TASK_MAP. Errors as cbor_encode; then it is as it was. */
int submit_begin_body(struct message *body, const mproc_target *target, enum task_form form, uint32_t count);
int submit_append_item(struct message *body, const cJSON *item);
int submit_append_padding(struct message *body); /* to TASK_ALIGNMENT */
/* The task takes the body, where this succeeds. MPROC_ENOMEM. */
int submit_set_body(struct pool_task *task, struct message *body);

/* Submits a task with its body, and waits for room where there is a limit. With the lock. MPROC_ECLOSED, or why the pool
 * is broken. */
int submit_task(struct mproc_pool *pool, const char *function, struct pool_task *task);

/* The caller's part in a job; NULL: he does not want it. With the lock. */
void submit_hand_over(struct mproc_async_result *job, mproc_async_result **result);
/* For a call that waits for its own result, which is destroyed. */
int submit_wait(mproc_async_result *result, cJSON **value);

/* How many items go into a chunk. wanted: 0: choose. */
size_t submit_chunk_size(const struct mproc_pool *pool, size_t count, size_t wanted);

#endif
