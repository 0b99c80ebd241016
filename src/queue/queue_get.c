/* SPDX-License-Identifier: MIT */
/* Getting. An item is taken from the delivery, where there is one and an item is in it, or asked for. It is the caller's
 * with the very last step, settle(): until then a death of this process brings it back. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "queue/delivery.h"
#include "queue/queue_handle.h"
#include "queue/queue_state.h"
#include "queue/store.h"
#include "spawn/runtime.h"
#include "value/cbor.h"

/* An item on its way to the caller: from the delivery, where its bytes still stand, or with an answer. */
struct arrival {
    struct delivery *delivery; /* NULL: with the answer */
    struct delivery_item item;
    struct answer answer;
    struct shared_view *store; /* NULL: it does not stand in the queue's store */
    struct stored_item stored;
};

static int error_kind(const char *function, enum payload_kind wanted) {
    return error_set(MPROC_ETYPE, 0,
                     wanted == PAYLOAD_VALUE ? "%s: the next item is raw bytes; get it with mproc_queue_get_bytes"
                                             : "%s: the next item is a value; get it with mproc_queue_get",
                     function);
}

/* Taking ------------------------------------------------------------------------------------------------------- */

static int ask(mproc_queue *queue, const char *function, enum payload_kind wanted, int64_t timeout_ms,
               struct arrival *arrival) {
    struct request request;
    struct answer *answer = &arrival->answer;
    struct shared_view *view = shared_part_view(&queue->delivery);
    memset(&request, 0, sizeof request);
    request.operation = QUEUE_GET;
    request.argument = (int64_t)wanted | (view != NULL ? QUEUE_HAS_DELIVERY : 0);
    int status = hold_ask(&queue->hold, &request, deadline_after(timeout_ms), answer);
    if (status != 0) {
        payload_clear(&answer->payload);
    }
    if (status == MPROC_ETYPE) {
        return error_kind(function, wanted);
    }
    if (status != 0) {
        return queue_explain(function, status == MPROC_ETIMEDOUT ? MPROC_EEMPTY : status, timeout_ms);
    }
    if (answer->payload.kind == PAYLOAD_NONE) {
        arrival->delivery = view != NULL ? view->memory : NULL;
        return view != NULL && delivery_find(view->memory, (uint64_t)answer->value, view->process, &arrival->item)
                   ? 0
                   : error_set(MPROC_ESYSTEM, 0, "%s: an item that was announced is not there", function);
    }
    if (answer->value != 0 && runtime.is_child) { /* the first process has the queue itself */
        (void)queue_open_part(queue, &queue->delivery, QUEUE_OPEN_DELIVERY, sizeof(struct delivery));
    }
    return 0;
}

static int take(mproc_queue *queue, const char *function, enum payload_kind wanted, int64_t timeout_ms,
                struct arrival *arrival) {
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    memset(arrival, 0, sizeof *arrival);
    struct shared_view *view = shared_part_view(&queue->delivery);
    switch (view != NULL ? delivery_take(view->memory, wanted, view->process, &arrival->item) : DELIVERY_EMPTY) {
    case DELIVERY_TAKEN:
        arrival->delivery = view->memory;
        return 0;
    case DELIVERY_OTHER_KIND:
        return error_kind(function, wanted);
    case DELIVERY_EMPTY:
        break;
    }
    return ask(queue, function, wanted, timeout_ms, arrival);
}

/* Where the item stands in the queue's store. */
static int find_stored(mproc_queue *queue, struct arrival *arrival) {
    bool is_delivered = arrival->delivery != NULL;
    const struct payload *payload = &arrival->answer.payload;
    if ((is_delivered ? PAYLOAD_PLACE_OF(arrival->item.mark) : payload->place) != PAYLOAD_IN_STORE) {
        return 0;
    }
    struct shared_view *view = queue_open_part(queue, &queue->store, QUEUE_OPEN_STORE, sizeof(struct store));
    bool is_sound = (is_delivered ? arrival->item.size : payload_size(payload)) == sizeof arrival->stored;
    if (is_sound) {
        memcpy(&arrival->stored, is_delivered ? arrival->item.data : payload_data(payload), sizeof arrival->stored);
    }
    if (view == NULL || !is_sound || !store_has(&arrival->stored)) {
        return error_set(MPROC_ESYSTEM, 0, "the shared memory that a large item stands in could not be opened");
    }
    arrival->store = view;
    return 0;
}

static void settle(mproc_queue *queue, struct arrival *arrival, bool was_taken) {
    if (was_taken && arrival->store != NULL) {
        store_use(arrival->store->memory, arrival->store->process, &arrival->stored);
    }
    if (arrival->delivery == NULL) {
        hold_settle(&queue->hold, &arrival->answer, was_taken);
    } else if (was_taken) {
        delivery_finish(arrival->delivery, &arrival->item);
    } else {
        delivery_give_back(arrival->delivery, &arrival->item);
    }
}

static int get(mproc_queue *queue, const char *function, enum payload_kind wanted, int64_t timeout_ms,
               struct arrival *arrival) {
    int status = take(queue, function, wanted, timeout_ms, arrival);
    if (status == 0) {
        status = find_stored(queue, arrival);
        if (status != 0) {
            (void)error_prefix("%s: ", function);
            settle(queue, arrival, false);
        }
    }
    return status;
}

static uint8_t *slot_of(const struct arrival *arrival) {
    struct store *store = arrival->store->memory;
    return store->bytes[arrival->stored.slot];
}

/* Values ------------------------------------------------------------------------------------------------------- */

static int decode(struct arrival *arrival, cJSON **item) {
    size_t used;
    if (arrival->store != NULL) {
        return cbor_decode(slot_of(arrival), (size_t)arrival->stored.size, &used, NULL, 0, item);
    }
    if (arrival->delivery != NULL) {
        return cbor_decode(arrival->item.data, arrival->item.size, &used, NULL, 0, item);
    }
    return payload_decode(&arrival->answer.payload, item);
}

static int get_value(mproc_queue *queue, const char *function, cJSON **item, int64_t timeout_ms) {
    struct arrival arrival;
    if (queue == NULL || item == NULL) {
        return error_null(function, queue == NULL ? "queue" : "item");
    }
    int status = get(queue, function, PAYLOAD_VALUE, timeout_ms, &arrival);
    if (status != 0) {
        return status;
    }
    status = decode(&arrival, item);
    if (status != 0) {
        (void)error_prefix("%s: ", function);
    }
    settle(queue, &arrival, status == 0);
    if (status == 0 && arrival.store != NULL) {
        store_free(arrival.store->memory, &arrival.stored);
    }
    return status;
}

int mproc_queue_get(mproc_queue *queue, cJSON **item, int64_t timeout_ms) {
    return get_value(queue, "mproc_queue_get", item, timeout_ms);
}

int mproc_queue_get_nowait(mproc_queue *queue, cJSON **item) {
    return get_value(queue, "mproc_queue_get_nowait", item, 0);
}

/* Raw bytes ---------------------------------------------------------------------------------------------------- */

/* mproc_free of a slot. */
static void release_slot(void *context, void *block, size_t size) {
    struct shared_view *view = context;
    struct store *store = view->memory;
    struct stored_item item = {(size_t)((uint8_t *)block - store->bytes[0]) / STORE_SLOT_SIZE, size};
    store_free(store, &item);
    shared_view_unuse(view);
}

/* The slot itself becomes the caller's, until mproc_free. */
static int lend_slot(struct arrival *arrival, void **data, size_t *size) {
    *data = slot_of(arrival);
    *size = (size_t)arrival->stored.size;
    int status = memory_keep_foreign(*data, *size, release_slot, arrival->store);
    if (status == 0) {
        shared_view_use(arrival->store);
    }
    return status;
}

static int copy_delivered(const struct arrival *arrival, void **data, size_t *size) {
    *size = arrival->item.size;
    *data = memory_resize(NULL, *size);
    if (*data == NULL) {
        return MPROC_ENOMEM;
    }
    memcpy(*data, arrival->item.data, *size);
    return 0;
}

static int take_bytes(struct arrival *arrival, void **data, size_t *size) {
    if (arrival->store != NULL) {
        return lend_slot(arrival, data, size);
    }
    if (arrival->delivery != NULL) {
        return copy_delivered(arrival, data, size);
    }
    return payload_take_bytes(&arrival->answer.payload, data, size);
}

int mproc_queue_get_bytes(mproc_queue *queue, void **data, size_t *size, int64_t timeout_ms) {
    static const char function[] = "mproc_queue_get_bytes";
    struct arrival arrival;
    if (queue == NULL || data == NULL || size == NULL) {
        return error_null(function, queue == NULL ? "queue" : data == NULL ? "data" : "size");
    }
    int status = get(queue, function, PAYLOAD_BYTES, timeout_ms, &arrival);
    if (status == 0) {
        status = take_bytes(&arrival, data, size);
        settle(queue, &arrival, status == 0);
    }
    return status;
}
