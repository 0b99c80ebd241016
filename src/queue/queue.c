/* SPDX-License-Identifier: MIT */
/* What a caller sees of a queue, in any process, but for putting (queue_put.c) and getting (queue_get.c). The queue itself
 * is queue_state.c's. */
#include "mproc/queue.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "queue/queue_handle.h"
#include "queue/queue_state.h"
#include "spawn/runtime.h"
#include "spawn/task.h"

/* Making, handing over ----------------------------------------------------------------------------------------- */

/* The hold is taken, also on failure. */
static int create_handle(struct hold *hold, mproc_queue **queue) {
    mproc_queue *created = memory_allocate(sizeof *created);
    int status = created != NULL ? 0 : MPROC_ENOMEM;
    if (status == 0 && uv_mutex_init(&created->mutex) != 0) {
        status = error_no_memory(sizeof created->mutex);
    }
    if (status != 0) {
        memory_free(created);
        hold_close(hold);
        return status;
    }
    created->hold = *hold;
    *queue = created;
    return 0;
}

int mproc_queue_create(mproc_queue **queue, size_t maxsize) {
    static const char function[] = "mproc_queue_create";
    int status = runtime_check(function);
    if (status != 0) {
        return status;
    }
    if (queue == NULL) {
        return error_null(function, "queue");
    }
    struct hold hold;
    status = hold_create(&hold, REFERENCE_QUEUE, maxsize < INT64_MAX ? (int64_t)maxsize : 0);
    if (status == 0) {
        status = create_handle(&hold, queue);
    }
    return status == 0 ? 0 : error_explain(status, "%s: ", function);
}

void mproc_queue_destroy(mproc_queue *queue) {
    if (queue != NULL) {
        shared_view_unuse(shared_part_view(&queue->delivery));
        shared_view_unuse(shared_part_view(&queue->store));
        uv_mutex_destroy(&queue->mutex);
        hold_close(&queue->hold);
        memory_free(queue);
    }
}

cJSON *mproc_queue_ref(const mproc_queue *queue) {
    if (queue == NULL) {
        (void)error_null("mproc_queue_ref", "queue");
        return NULL;
    }
    return hold_reference(&queue->hold);
}

int mproc_queue_from(mproc_queue **queue, const cJSON *ref) {
    static const char function[] = "mproc_queue_from";
    int status = runtime_check(function);
    if (status != 0) {
        return status;
    }
    if (queue == NULL || ref == NULL) {
        return error_null(function, queue == NULL ? "queue" : "ref");
    }
    struct hold hold;
    status = hold_open(&hold, REFERENCE_QUEUE, ref);
    if (status == 0) {
        status = create_handle(&hold, queue);
    }
    return status == 0 ? 0 : error_explain(status, "%s: ", function);
}

static int open_queue(void **queue, const cJSON *ref) {
    mproc_queue *opened = NULL;
    int status = mproc_queue_from(&opened, ref);
    *queue = opened;
    return status;
}

static void release_queue(void *queue) {
    mproc_queue_destroy(queue);
}

struct mproc_queue *mproc_task_queue(mproc_task *task, int index) {
    static const struct task_object_kind kind = {"a queue", open_queue, release_queue};
    return task_object(task, index, &kind);
}

/* Asking ------------------------------------------------------------------------------------------------------- */

int queue_explain(const char *function, int status, int64_t timeout_ms) {
    long long timeout = (long long)timeout_ms;
    switch (status) {
    case 0:
        return 0;
    case MPROC_EFULL:
        return timeout == 0 ? error_set(MPROC_EFULL, 0, "%s: the queue is full", function)
                            : error_set(MPROC_EFULL, 0, "%s: the queue stayed full for %lld ms", function, timeout);
    case MPROC_EEMPTY:
        return timeout == 0 ? error_set(MPROC_EEMPTY, 0, "%s: the queue is empty", function)
                            : error_set(MPROC_EEMPTY, 0, "%s: the queue stayed empty for %lld ms", function, timeout);
    case MPROC_ETIMEDOUT:
        return error_set(MPROC_ETIMEDOUT, 0, "%s: not all items were marked done within %lld ms", function, timeout);
    case MPROC_ECLOSED:
        return error_set(MPROC_ECLOSED, 0, "%s: the queue is closed", function);
    case MPROC_ERANGE:
        return error_set(MPROC_ERANGE, 0, "%s: called more often than items were put", function);
    default:
        return error_explain(status, "%s: ", function);
    }
}

/* An operation without a payload. value: the answer's; NULL: not wanted. */
static int ask(mproc_queue *queue, const char *function, enum queue_operation operation, int64_t timeout_ms,
               int64_t *value) {
    struct request request;
    struct answer answer;
    if (queue == NULL) {
        return error_null(function, "queue");
    }
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    memset(&request, 0, sizeof request);
    request.operation = operation;
    status = hold_ask(&queue->hold, &request, deadline_after(timeout_ms), &answer);
    payload_clear(&answer.payload);
    if (status == 0 && value != NULL) {
        *value = answer.value;
    }
    return queue_explain(function, status, timeout_ms);
}

/* Shared memory ------------------------------------------------------------------------------------------------ */

struct shared_view *shared_part_view(const struct shared_part *part) {
    return (struct shared_view *)(uintptr_t)atomic_load_acquire(&part->view);
}

struct shared_view *queue_open_part(mproc_queue *queue, struct shared_part *part, uint32_t operation, size_t size) {
    struct request request;
    struct answer answer;
    if (shared_part_view(part) != NULL) {
        return shared_part_view(part);
    }
    uv_mutex_lock(&queue->mutex); /* whoever else wants it waits for it */
    if (!part->was_asked_for) {
        part->was_asked_for = true;
        memset(&request, 0, sizeof request);
        request.operation = operation;
        if (hold_ask(&queue->hold, &request, DEADLINE_NEVER, &answer) == 0) {
            atomic_store_release(&part->view, (uint64_t)(uintptr_t)shared_view_open(&answer, size));
        }
        payload_clear(&answer.payload);
    }
    uv_mutex_unlock(&queue->mutex);
    return shared_part_view(part);
}

/* The rest ----------------------------------------------------------------------------------------------------- */

int64_t mproc_queue_qsize(mproc_queue *queue) {
    int64_t count = 0;
    int status = ask(queue, "mproc_queue_qsize", QUEUE_SIZE, MPROC_FOREVER, &count);
    return status == 0 ? count : status;
}

bool mproc_queue_empty(mproc_queue *queue) {
    int64_t count = 0;
    return ask(queue, "mproc_queue_empty", QUEUE_SIZE, MPROC_FOREVER, &count) == 0 && count == 0;
}

bool mproc_queue_full(mproc_queue *queue) {
    int64_t is_full = 0;
    return ask(queue, "mproc_queue_full", QUEUE_IS_FULL, MPROC_FOREVER, &is_full) == 0 && is_full != 0;
}

int mproc_queue_task_done(mproc_queue *queue) {
    return ask(queue, "mproc_queue_task_done", QUEUE_TASK_DONE, MPROC_FOREVER, NULL);
}

int mproc_queue_join(mproc_queue *queue, int64_t timeout_ms) {
    return ask(queue, "mproc_queue_join", QUEUE_JOIN, timeout_ms, NULL);
}

int mproc_queue_close(mproc_queue *queue) {
    return ask(queue, "mproc_queue_close", QUEUE_CLOSE, MPROC_FOREVER, NULL);
}
