/* SPDX-License-Identifier: MIT */
/* What a caller sees of a queue, in any process. The queue itself is queue_state.c's. */
#include "mproc/queue.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/hold.h"
#include "queue/queue_state.h"
#include "spawn/runtime.h"
#include "spawn/task.h"
#include "value/value.h"

struct mproc_queue {
    struct hold hold;
};

/* Making, handing over ----------------------------------------------------------------------------------------- */

int mproc_queue_create(mproc_queue **queue, size_t maxsize) {
    static const char function[] = "mproc_queue_create";
    int status = runtime_check(function);
    if (status != 0) {
        return status;
    }
    if (queue == NULL) {
        return error_null(function, "queue");
    }
    mproc_queue *created = memory_allocate(sizeof *created);
    status = created != NULL ? hold_create(&created->hold, REFERENCE_QUEUE, maxsize < INT64_MAX ? (int64_t)maxsize : 0)
                             : MPROC_ENOMEM;
    if (status != 0) {
        memory_free(created);
        return error_explain(status, "%s: ", function);
    }
    *queue = created;
    return 0;
}

void mproc_queue_destroy(mproc_queue *queue) {
    if (queue != NULL) {
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
    mproc_queue *opened = memory_allocate(sizeof *opened);
    status = opened != NULL ? hold_open(&opened->hold, REFERENCE_QUEUE, ref) : MPROC_ENOMEM;
    if (status != 0) {
        memory_free(opened);
        return error_explain(status, "%s: ", function);
    }
    *queue = opened;
    return 0;
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

/* The error of a queue's own, told by the function that asked. */
static int explain(const char *function, int status, int64_t timeout_ms) {
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
    return explain(function, status, timeout_ms);
}

/* Putting ------------------------------------------------------------------------------------------------------ */

/* The request's payload is taken. */
static int put(mproc_queue *queue, const char *function, struct request *request, int64_t timeout_ms) {
    struct answer answer;
    request->operation = QUEUE_PUT;
    int status = hold_ask(&queue->hold, request, deadline_after(timeout_ms), &answer);
    payload_clear(&answer.payload);
    if (status == MPROC_ERANGE) { /* not the queue's own: too many handles */
        return error_explain(status, "%s: ", function);
    }
    return explain(function, status == MPROC_ETIMEDOUT ? MPROC_EFULL : status, timeout_ms);
}

static int check_put(mproc_queue *queue, const char *function, int64_t timeout_ms) {
    return queue == NULL ? error_null(function, "queue") : error_check_timeout(function, timeout_ms);
}

static int put_value(mproc_queue *queue, const char *function, const cJSON *item, int64_t timeout_ms) {
    struct request request;
    memset(&request, 0, sizeof request);
    int status = check_put(queue, function, timeout_ms);
    if (status == 0) {
        status = payload_set_value(&request.payload, item);
        if (status != 0) {
            (void)error_prefix("%s: ", function);
        }
    }
    if (status == 0) {
        status = put(queue, function, &request, timeout_ms);
    }
    payload_clear(&request.payload);
    return status;
}

static int put_named(mproc_queue *queue, const char *function, cJSON *item, int64_t timeout_ms) {
    if (item == NULL) {
        int status = value_pending_error();
        return status != 0 ? status : error_null(function, "item");
    }
    int status = put_value(queue, function, item, timeout_ms);
    value_delete(item);
    return status;
}

int mproc_queue_put(mproc_queue *queue, cJSON *item, int64_t timeout_ms) {
    return put_named(queue, "mproc_queue_put", item, timeout_ms);
}

int mproc_queue_put_nowait(mproc_queue *queue, cJSON *item) {
    return put_named(queue, "mproc_queue_put_nowait", item, 0);
}

int mproc_queue_put_bytes(mproc_queue *queue, const void *data, size_t size, int64_t timeout_ms) {
    static const char function[] = "mproc_queue_put_bytes";
    struct request request;
    memset(&request, 0, sizeof request);
    int status = check_put(queue, function, timeout_ms);
    if (status == 0 && data == NULL && size > 0) {
        status = error_null(function, "data");
    }
    if (status == 0 && size > MPROC_MESSAGE_MAX) {
        status = error_set(MPROC_ERANGE, 0, "%s: an item of %llu bytes; at most %llu are possible", function,
                           (unsigned long long)size, (unsigned long long)MPROC_MESSAGE_MAX);
    }
    if (status == 0) {
        status = payload_set_bytes(&request.payload, data, size);
    }
    if (status == 0) {
        status = put(queue, function, &request, timeout_ms);
    }
    payload_clear(&request.payload);
    return status;
}

/* Getting ------------------------------------------------------------------------------------------------------ */

static int error_kind(const char *function, enum payload_kind wanted) {
    return error_set(MPROC_ETYPE, 0,
                     wanted == PAYLOAD_VALUE ? "%s: the next item is raw bytes; get it with mproc_queue_get_bytes"
                                             : "%s: the next item is a value; get it with mproc_queue_get",
                     function);
}

/* The answer's payload is to be settled, where this succeeds. */
static int get(mproc_queue *queue, const char *function, enum payload_kind wanted, int64_t timeout_ms,
               struct answer *answer) {
    struct request request;
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    memset(&request, 0, sizeof request);
    request.operation = QUEUE_GET;
    request.argument = wanted;
    status = hold_ask(&queue->hold, &request, deadline_after(timeout_ms), answer);
    if (status == 0) {
        return 0;
    }
    payload_clear(&answer->payload);
    return status == MPROC_ETYPE ? error_kind(function, wanted)
                                 : explain(function, status == MPROC_ETIMEDOUT ? MPROC_EEMPTY : status, timeout_ms);
}

static int get_value(mproc_queue *queue, const char *function, cJSON **item, int64_t timeout_ms) {
    struct answer answer;
    if (queue == NULL || item == NULL) {
        return error_null(function, queue == NULL ? "queue" : "item");
    }
    int status = get(queue, function, PAYLOAD_VALUE, timeout_ms, &answer);
    if (status == 0) {
        status = payload_decode(&answer.payload, item);
        if (status != 0) {
            (void)error_prefix("%s: ", function);
        }
        hold_settle(&queue->hold, &answer, status == 0);
    }
    return status;
}

int mproc_queue_get(mproc_queue *queue, cJSON **item, int64_t timeout_ms) {
    return get_value(queue, "mproc_queue_get", item, timeout_ms);
}

int mproc_queue_get_nowait(mproc_queue *queue, cJSON **item) {
    return get_value(queue, "mproc_queue_get_nowait", item, 0);
}

int mproc_queue_get_bytes(mproc_queue *queue, void **data, size_t *size, int64_t timeout_ms) {
    static const char function[] = "mproc_queue_get_bytes";
    struct answer answer;
    if (queue == NULL || data == NULL || size == NULL) {
        return error_null(function, queue == NULL ? "queue" : data == NULL ? "data" : "size");
    }
    int status = get(queue, function, PAYLOAD_BYTES, timeout_ms, &answer);
    if (status == 0) {
        *data = payload_take_bytes(&answer.payload, size);
        hold_settle(&queue->hold, &answer, true);
    }
    return status;
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
