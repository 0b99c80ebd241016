/* SPDX-License-Identifier: MIT */
/* What a caller sees of a queue, in any process. The queue itself is queue_state.c's. */
#include "mproc/queue.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/hold.h"
#include "platform/shared_memory.h"
#include "queue/delivery.h"
#include "queue/queue_state.h"
#include "spawn/runtime.h"
#include "spawn/task.h"
#include "value/cbor.h"
#include "value/value.h"

struct mproc_queue {
    struct hold hold;
    atomic_number open_epoch; /* hold_epoch() when the queue was known to be open and without a limit */
    uv_mutex_t mutex;         /* of getting the delivery */
    bool delivery_was_asked_for;
    uint32_t taker;
    atomic_number delivery; /* struct delivery *, or 0 */
};

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

static struct delivery *delivery_of(const mproc_queue *queue) {
    return (struct delivery *)(uintptr_t)atomic_load_acquire(&queue->delivery);
}

void mproc_queue_destroy(mproc_queue *queue) {
    if (queue != NULL) {
        shared_memory_unmap(delivery_of(queue), sizeof(struct delivery));
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

/* Without a system call, where the queue is known to be open and to have no limit. */
static bool post(mproc_queue *queue, enum payload_kind kind, const void *data, size_t size) {
    uint64_t epoch = hold_epoch();
    return epoch != 0 && atomic_load_acquire(&queue->open_epoch) == epoch &&
           hold_post(&queue->hold, QUEUE_PUT, kind, data, size);
}

/* The request's payload is taken. */
static int put(mproc_queue *queue, const char *function, struct request *request, int64_t timeout_ms) {
    struct answer answer;
    uint64_t epoch = hold_epoch();
    request->operation = QUEUE_PUT;
    int status = hold_ask(&queue->hold, request, deadline_after(timeout_ms), &answer);
    payload_clear(&answer.payload);
    if (status == 0 && answer.value != 0) {
        atomic_store_release(&queue->open_epoch, epoch);
        hold_allow_posting();
    }
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
    if (status == 0 && (request.payload.message.handle_count > 0 ||
                        !post(queue, PAYLOAD_VALUE, payload_data(&request.payload), payload_size(&request.payload)))) {
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
    if (status == 0 && post(queue, PAYLOAD_BYTES, data, size)) {
        return 0;
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

/* Once it is known that there can be one. Where it cannot be had, the first process is asked for each item. */
static void open_delivery(mproc_queue *queue) {
    struct request request;
    struct answer answer;
    void *view = NULL;
    uv_mutex_lock(&queue->mutex);
    bool is_first = !queue->delivery_was_asked_for;
    queue->delivery_was_asked_for = true;
    uv_mutex_unlock(&queue->mutex);
    if (!is_first || !runtime.is_child) { /* the first process has the queue itself */
        return;
    }
    memset(&request, 0, sizeof request);
    request.operation = QUEUE_OPEN_DELIVERY;
    int status = hold_ask(&queue->hold, &request, DEADLINE_NEVER, &answer);
    const struct message *message = &answer.payload.message;
    if (status == 0 && message->handle_count == 1 &&
        shared_memory_map(message->handles[0], sizeof(struct delivery), &view) == 0) {
        queue->taker = (uint32_t)answer.value;
        atomic_store_release(&queue->delivery, (uint64_t)(uintptr_t)view);
    }
    payload_clear(&answer.payload);
}

/* An item on its way to the caller: from the delivery, where its bytes still stand, or with an answer. */
struct arrival {
    struct delivery *delivery; /* NULL: with the answer */
    struct delivery_item item;
    struct answer answer;
};

static int ask_for_item(mproc_queue *queue, const char *function, enum payload_kind wanted, int64_t timeout_ms,
                        struct arrival *arrival) {
    struct request request;
    struct answer *answer = &arrival->answer;
    struct delivery *delivery = delivery_of(queue);
    memset(&request, 0, sizeof request);
    request.operation = QUEUE_GET;
    request.argument = (int64_t)wanted | (delivery != NULL ? QUEUE_HAS_DELIVERY : 0);
    int status = hold_ask(&queue->hold, &request, deadline_after(timeout_ms), answer);
    if (status != 0) {
        payload_clear(&answer->payload);
    }
    if (status == MPROC_ETYPE) {
        return error_kind(function, wanted);
    }
    if (status != 0) {
        return explain(function, status == MPROC_ETIMEDOUT ? MPROC_EEMPTY : status, timeout_ms);
    }
    if (answer->payload.kind == PAYLOAD_NONE) {
        arrival->delivery = delivery;
        return delivery != NULL && delivery_find(delivery, (uint64_t)answer->value, queue->taker, &arrival->item)
                   ? 0
                   : error_set(MPROC_ESYSTEM, 0, "%s: an item that was announced is not there", function);
    }
    if (answer->value != 0) {
        open_delivery(queue);
    }
    return 0;
}

static int get(mproc_queue *queue, const char *function, enum payload_kind wanted, int64_t timeout_ms,
               struct arrival *arrival) {
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    memset(arrival, 0, sizeof *arrival);
    arrival->delivery = delivery_of(queue);
    switch (arrival->delivery != NULL ? delivery_take(arrival->delivery, wanted, queue->taker, &arrival->item)
                                      : DELIVERY_EMPTY) {
    case DELIVERY_TAKEN:
        return 0;
    case DELIVERY_OTHER_KIND:
        return error_kind(function, wanted);
    case DELIVERY_EMPTY:
        break;
    }
    arrival->delivery = NULL;
    return ask_for_item(queue, function, wanted, timeout_ms, arrival);
}

/* The last step of a get: from here on a death of this process does not bring the item back. */
static void settle(mproc_queue *queue, struct arrival *arrival, bool was_taken) {
    if (arrival->delivery == NULL) {
        hold_settle(&queue->hold, &arrival->answer, was_taken);
    } else if (was_taken) {
        delivery_finish(arrival->delivery, &arrival->item);
    } else {
        delivery_give_back(arrival->delivery, &arrival->item);
    }
}

static int decode(struct arrival *arrival, cJSON **item) {
    size_t used;
    if (arrival->delivery == NULL) {
        return payload_decode(&arrival->answer.payload, item);
    }
    return cbor_decode(arrival->item.data, arrival->item.size, &used, NULL, 0, item);
}

static int get_value(mproc_queue *queue, const char *function, cJSON **item, int64_t timeout_ms) {
    struct arrival arrival;
    if (queue == NULL || item == NULL) {
        return error_null(function, queue == NULL ? "queue" : "item");
    }
    int status = get(queue, function, PAYLOAD_VALUE, timeout_ms, &arrival);
    if (status == 0) {
        status = decode(&arrival, item);
        if (status != 0) {
            (void)error_prefix("%s: ", function);
        }
        settle(queue, &arrival, status == 0);
    }
    return status;
}

int mproc_queue_get(mproc_queue *queue, cJSON **item, int64_t timeout_ms) {
    return get_value(queue, "mproc_queue_get", item, timeout_ms);
}

int mproc_queue_get_nowait(mproc_queue *queue, cJSON **item) {
    return get_value(queue, "mproc_queue_get_nowait", item, 0);
}

static int copy_bytes(struct arrival *arrival, void **data, size_t *size) {
    if (arrival->delivery == NULL) {
        return payload_take_bytes(&arrival->answer.payload, data, size);
    }
    void *copy = memory_resize(NULL, arrival->item.size > 0 ? arrival->item.size : 1);
    if (copy == NULL) {
        return MPROC_ENOMEM;
    }
    memcpy(copy, arrival->item.data, arrival->item.size);
    *data = copy;
    *size = arrival->item.size;
    return 0;
}

int mproc_queue_get_bytes(mproc_queue *queue, void **data, size_t *size, int64_t timeout_ms) {
    static const char function[] = "mproc_queue_get_bytes";
    struct arrival arrival;
    if (queue == NULL || data == NULL || size == NULL) {
        return error_null(function, queue == NULL ? "queue" : data == NULL ? "data" : "size");
    }
    int status = get(queue, function, PAYLOAD_BYTES, timeout_ms, &arrival);
    if (status == 0) {
        status = copy_bytes(&arrival, data, size);
        settle(queue, &arrival, status == 0);
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
