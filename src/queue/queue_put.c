/* SPDX-License-Identifier: MIT */
/* Putting. An item takes the first of these ways that is open to it:
 *
 *   - it is posted: copied into the ring that this process shares with the queue's, where the queue is known to be open and to
 *     have no limit;
 *   - it is sent with a request, and answered.
 *
 * A large one stands in the queue's store meanwhile, where a slot is free; then only its place is posted or sent. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "queue/queue_handle.h"
#include "queue/queue_state.h"
#include "queue/store.h"
#include "value/value.h"

static int check(mproc_queue *queue, const char *function, int64_t timeout_ms) {
    return queue == NULL ? error_null(function, "queue") : error_check_timeout(function, timeout_ms);
}

/* The store ---------------------------------------------------------------------------------------------------- */

/* Copies an item into the store; false: it is small, or there is no room. */
static bool fill_store(mproc_queue *queue, const void *data, size_t size, struct stored_item *item) {
    if (size < STORE_ITEM_MIN || size > STORE_SLOT_SIZE) {
        return false;
    }
    struct shared_view *view = queue_open_part(queue, &queue->store, QUEUE_OPEN_STORE, sizeof(struct store));
    return view != NULL && store_fill(view->memory, view->process, data, size, item);
}

static void empty_store(mproc_queue *queue, const struct stored_item *item) {
    store_free(shared_part_view(&queue->store)->memory, item);
}

/* Two ways ----------------------------------------------------------------------------------------------------- */

/* Without a system call. */
static bool post(mproc_queue *queue, unsigned mark, const void *data, size_t size) {
    uint64_t epoch = hold_epoch();
    return epoch != 0 && atomic_load_acquire(&queue->open_epoch) == epoch &&
           hold_post(&queue->hold, QUEUE_PUT, mark, data, size);
}

/* The request's payload is taken. */
static int put_request(mproc_queue *queue, const char *function, struct request *request, int64_t timeout_ms) {
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
    return queue_explain(function, status == MPROC_ETIMEDOUT ? MPROC_EFULL : status, timeout_ms);
}

static int post_or_send(mproc_queue *queue, const char *function, unsigned mark, const void *data, size_t size,
                        int64_t timeout_ms) {
    struct request request;
    if (post(queue, mark, data, size)) {
        return 0;
    }
    memset(&request, 0, sizeof request);
    int status = mark == PAYLOAD_BYTES ? payload_set_bytes(&request.payload, data, size)
                                       : payload_copy(&request.payload, mark, data, size);
    if (status == 0) {
        status = put_request(queue, function, &request, timeout_ms);
    }
    payload_clear(&request.payload);
    return status;
}

/* An item that stands in the store. */
static int put_stored(mproc_queue *queue, const char *function, enum payload_kind kind, const struct stored_item *item,
                      int64_t timeout_ms) {
    int status = post_or_send(queue, function, (unsigned)kind | PAYLOAD_IN_STORE, item, sizeof *item, timeout_ms);
    if (status != 0) {
        empty_store(queue, item);
    }
    return status;
}

/* Values ------------------------------------------------------------------------------------------------------- */

/* The request has the item encoded, and is taken. Handles go along with a request only. */
static int put_encoded(mproc_queue *queue, const char *function, struct request *request, int64_t timeout_ms) {
    const struct payload *payload = &request->payload;
    struct stored_item item;
    if (payload->message.handle_count == 0) {
        const void *data = payload_data(payload);
        size_t size = payload_size(payload);
        if (fill_store(queue, data, size, &item)) {
            return put_stored(queue, function, PAYLOAD_VALUE, &item, timeout_ms);
        }
        if (post(queue, PAYLOAD_VALUE, data, size)) {
            return 0;
        }
    }
    return put_request(queue, function, request, timeout_ms);
}

static int put_value(mproc_queue *queue, const char *function, const cJSON *item, int64_t timeout_ms) {
    struct request request;
    memset(&request, 0, sizeof request);
    int status = check(queue, function, timeout_ms);
    if (status == 0) {
        status = payload_set_value(&request.payload, item);
        if (status != 0) {
            (void)error_prefix("%s: ", function);
        }
    }
    if (status == 0) {
        status = put_encoded(queue, function, &request, timeout_ms);
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

/* Raw bytes ---------------------------------------------------------------------------------------------------- */

int mproc_queue_put_bytes(mproc_queue *queue, const void *data, size_t size, int64_t timeout_ms) {
    static const char function[] = "mproc_queue_put_bytes";
    struct stored_item item;
    int status = check(queue, function, timeout_ms);
    if (status == 0 && data == NULL && size > 0) {
        status = error_null(function, "data");
    }
    if (status == 0 && size > MPROC_MESSAGE_MAX) {
        status = error_set(MPROC_ERANGE, 0, "%s: an item of %llu bytes; at most %llu are possible", function,
                           (unsigned long long)size, (unsigned long long)MPROC_MESSAGE_MAX);
    }
    if (status != 0) {
        return status;
    }
    return fill_store(queue, data, size, &item) ? put_stored(queue, function, PAYLOAD_BYTES, &item, timeout_ms)
                                                : post_or_send(queue, function, PAYLOAD_BYTES, data, size, timeout_ms);
}
