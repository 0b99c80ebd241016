/* SPDX-License-Identifier: MIT */
#include "queue/queue_state.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/session.h"
#include "hub/shared_block.h"
#include "queue/backlog.h"
#include "queue/delivery.h"
#include "queue/store.h"

struct queue {
    struct object object;
    size_t limit;        /* of items; 0: none */
    uint64_t unfinished; /* put, and not marked done */
    bool is_closed;
    struct delivery_owner delivery; /* in front of the backlog; only a queue without a limit has one */
    struct shared_block delivery_block;
    struct shared_block store_block; /* for large items */
    struct backlog backlog;
    struct call_list getters, putters, joiners; /* those who wait */
    struct call_list watchers;                  /* those who wait until somebody can get something */
};

static struct object *create(const struct request *request) {
    struct queue *queue = memory_allocate(sizeof *queue);
    if (queue == NULL) {
        return NULL;
    }
    queue->limit = (size_t)request->argument;
    queue->delivery_block = queue->store_block = (struct shared_block)SHARED_BLOCK_NONE;
    return &queue->object;
}

static struct queue *queue_of(struct object *object) {
    return (struct queue *)object; /* its first member */
}

static void move_payload(struct payload *to, struct payload *from) {
    *to = *from;
    memset(from, 0, sizeof *from);
}

/* The store ---------------------------------------------------------------------------------------------------- */

static struct store *store_of(const struct queue *queue) {
    return queue->store_block.view;
}

/* What is taken in is the queue's own, also where it stands in the store. false: it makes no sense. */
static bool keep(const struct queue *queue, unsigned mark, const void *data, size_t size) {
    struct stored_item item;
    if (PAYLOAD_PLACE_OF(mark) != PAYLOAD_IN_STORE) {
        return true;
    }
    if (size != sizeof item || store_of(queue) == NULL) {
        return false;
    }
    memcpy(&item, data, sizeof item);
    if (!store_has(&item)) {
        return false;
    }
    store_keep(store_of(queue), &item);
    return true;
}

static bool keep_payload(const struct queue *queue, const struct payload *payload) {
    return keep(queue, payload_mark(payload), payload_data(payload), payload_size(payload));
}

static void keep_delivered(void *context, const struct delivery_item *item) {
    (void)keep(context, item->mark, item->data, item->size);
}

/* The delivery ------------------------------------------------------------------------------------------------- */

static bool has_delivery(const struct queue *queue) {
    return queue->delivery.shared != NULL;
}

/* This process takes as well, one item at a time and with the lock held, so that it needs no number of its own. */
#define TAKER_HERE (CALL_TAKER_MAX + 1)

/* Lays a payload out for a taker; 0: it does not go there. */
static uint64_t lay_out(struct queue *queue, const struct payload *payload, uint32_t taker) {
    if (!has_delivery(queue) || payload->message.handle_count > 0) {
        return 0;
    }
    return delivery_add(&queue->delivery, payload_mark(payload), payload_data(payload), payload_size(payload), taker);
}

/* For anyone: an item that is too large for the delivery itself stands in the store meanwhile. */
static bool lay_out_large(struct queue *queue, const struct backlog_item *item) {
    struct stored_item stored;
    if (store_of(queue) == NULL || !store_fill(store_of(queue), 0, item->data, item->size, &stored)) {
        return false;
    }
    store_keep(store_of(queue), &stored);
    if (delivery_add(&queue->delivery, item->mark | PAYLOAD_IN_STORE, &stored, sizeof stored, DELIVERY_NOBODY) == 0) {
        store_free(store_of(queue), &stored);
        return false;
    }
    return true;
}

/* Whether it can stand in the delivery, and does now, for anyone. */
static bool lay_out_item(struct queue *queue, const struct backlog_item *item) {
    if (item->payload != NULL && item->payload->message.handle_count > 0) {
        return false;
    }
    return delivery_add(&queue->delivery, item->mark, item->data, item->size, DELIVERY_NOBODY) != 0 ||
           (item->size > DELIVERY_ITEM_MAX && lay_out_large(queue, item));
}

/* Moves what it can from the backlog into the delivery, in order. */
static void refill(struct queue *queue) {
    struct backlog_item item;
    while (has_delivery(queue) && backlog_peek(&queue->backlog, &item) && lay_out_item(queue, &item)) {
        backlog_remove(&queue->backlog);
    }
}

static void open_block(struct shared_block *block, size_t size, struct call *call) {
    int status = shared_block_create(block, size);
    if (status == 0) {
        status = shared_block_share(block, call);
    }
    call_finish(call, status, call_taker(call));
}

static void open_delivery(struct queue *queue, struct call *call) {
    if (queue->limit > 0) {
        call_finish(call, MPROC_ENOTSUP, 0);
        return;
    }
    if (!has_delivery(queue) && shared_block_create(&queue->delivery_block, sizeof(struct delivery)) == 0) {
        delivery_begin(&queue->delivery, queue->delivery_block.view);
    }
    open_block(&queue->delivery_block, sizeof(struct delivery), call);
}

/* Getting ------------------------------------------------------------------------------------------------------ */

static enum payload_kind wanted_kind(const struct call *getter) {
    return (enum payload_kind)(getter->request.argument & ~(int64_t)QUEUE_HAS_DELIVERY);
}

static bool uses_delivery(const struct call *getter) {
    return (getter->request.argument & QUEUE_HAS_DELIVERY) != 0;
}

static void answer_payload(const struct queue *queue, struct call *getter, struct payload *payload) {
    move_payload(&getter->answer.payload, payload);
    call_finish(getter, 0, queue->limit == 0);
}

/* The first who waits for an item of this kind; those who wait for the other kind are told that the next is not for them. */
static struct call *next_getter(struct queue *queue, enum payload_kind kind) {
    while (queue->getters.first != NULL && wanted_kind(queue->getters.first) != kind) {
        call_finish(queue->getters.first, MPROC_ETYPE, 0);
    }
    return queue->getters.first;
}

/* Gives a payload to whoever waits for it. Whether somebody has it. */
static bool give_to_getter(struct queue *queue, struct payload *payload) {
    struct call *getter = next_getter(queue, payload->kind);
    if (getter == NULL) {
        return false;
    }
    uint64_t number = uses_delivery(getter) ? lay_out(queue, payload, call_taker(getter)) : 0;
    if (number != 0) {
        payload_clear(payload);
        call_finish(getter, 0, (int64_t)number);
    } else {
        answer_payload(queue, getter, payload);
    }
    return true;
}

/* Takes the first item out of the delivery. 0; MPROC_EEMPTY; MPROC_ETYPE; MPROC_ENOMEM. */
static int take_delivered(struct queue *queue, enum payload_kind wanted, struct payload *payload) {
    struct delivery_item item;
    if (!has_delivery(queue)) {
        return MPROC_EEMPTY;
    }
    switch (delivery_take(queue->delivery.shared, wanted, TAKER_HERE, &item)) {
    case DELIVERY_EMPTY:
        return MPROC_EEMPTY;
    case DELIVERY_OTHER_KIND:
        return MPROC_ETYPE;
    case DELIVERY_TAKEN:
        break;
    }
    int status = payload_copy(payload, item.mark, item.data, item.size);
    if (status == 0) {
        delivery_finish(queue->delivery.shared, &item);
    } else {
        delivery_give_back(queue->delivery.shared, &item);
    }
    return status;
}

/* Takes the first item out of the backlog. As take_delivered. */
static int take_waiting(struct queue *queue, enum payload_kind wanted, struct payload *payload) {
    struct backlog_item item;
    if (!backlog_peek(&queue->backlog, &item)) {
        return MPROC_EEMPTY;
    }
    return PAYLOAD_KIND_OF(item.mark) == wanted ? backlog_take(&queue->backlog, payload) : MPROC_ETYPE;
}

static bool take_any(struct delivery *delivery, struct delivery_item *item) {
    return delivery_take(delivery, PAYLOAD_VALUE, TAKER_HERE, item) == DELIVERY_TAKEN ||
           delivery_take(delivery, PAYLOAD_BYTES, TAKER_HERE, item) == DELIVERY_TAKEN;
}

static void take_in_waiting(struct queue *queue);

static void get(struct queue *queue, struct call *call) {
    struct payload payload;
    memset(&payload, 0, sizeof payload);
    int status = take_delivered(queue, wanted_kind(call), &payload);
    if (status == MPROC_EEMPTY) {
        status = take_waiting(queue, wanted_kind(call), &payload);
    }
    if (status == MPROC_EEMPTY && !queue->is_closed) {
        call_wait(call, &queue->object, &queue->getters);
        return;
    }
    if (status != 0) {
        call_finish(call, status == MPROC_EEMPTY ? MPROC_ECLOSED : status, 0);
        return;
    }
    refill(queue);
    answer_payload(queue, call, &payload);
    take_in_waiting(queue);
}

/* What has become ready in the delivery goes to those who wait. */
static void serve_from_delivery(struct queue *queue) {
    struct call *getter;
    struct payload payload;
    memset(&payload, 0, sizeof payload);
    while ((getter = queue->getters.first) != NULL) {
        int status = take_delivered(queue, wanted_kind(getter), &payload);
        if (status == MPROC_EEMPTY) {
            return;
        }
        if (status == 0) {
            answer_payload(queue, getter, &payload);
        } else {
            call_finish(getter, status, 0);
        }
    }
}

static size_t count_items(const struct queue *queue) {
    return queue->backlog.count + (has_delivery(queue) ? delivery_count(&queue->delivery) : 0);
}

static void finish_all(struct call_list *list, int status) {
    while (list->first != NULL) {
        call_finish(list->first, status, 0);
    }
}

/* Whether a get would not wait. */
static bool is_ready(const struct queue *queue) {
    return queue->is_closed || count_items(queue) > 0;
}

/* Where there may be more than there was. */
static void serve_watchers(struct queue *queue) {
    if (queue->watchers.first != NULL && is_ready(queue)) {
        finish_all(&queue->watchers, 0);
    }
}

static void forget(struct object *object, uint32_t taker) {
    struct queue *queue = queue_of(object);
    bool has_returned = has_delivery(queue) && delivery_return(&queue->delivery, taker);
    if (has_returned) { /* some may have been marked as the taker's in the store already */
        delivery_visit(&queue->delivery, keep_delivered, queue);
    }
    if (store_of(queue) != NULL) {
        store_forget(store_of(queue), taker);
    }
    if (has_returned) {
        serve_from_delivery(queue);
        serve_watchers(queue);
    }
}

/* Moves what is ready in the delivery behind these items. For want of memory the rest stays where it is. */
static void empty_delivery(struct queue *queue, struct backlog *items) {
    struct delivery_item item;
    int status = 0;
    while (has_delivery(queue) && status == 0 && take_any(queue->delivery.shared, &item)) {
        status = backlog_append(items, item.mark, item.data, item.size);
        if (status == 0) {
            delivery_finish(queue->delivery.shared, &item);
        } else {
            delivery_give_back(queue->delivery.shared, &item);
        }
    }
}

/* It goes to the front. The limit may be passed by it: what was accepted is not lost. */
static void give_back(struct object *object, struct payload *payload) {
    struct queue *queue = queue_of(object);
    struct backlog front = {NULL, NULL, 0};
    (void)keep_payload(queue, payload);
    if (give_to_getter(queue, payload)) {
        return;
    }
    if (backlog_append_payload(&front, payload) == 0) {
        empty_delivery(queue, &front);
        backlog_prepend(&queue->backlog, &front);
    }
    refill(queue);
    serve_watchers(queue);
}

/* Putting ------------------------------------------------------------------------------------------------------ */

static bool is_full(const struct queue *queue) {
    return queue->limit > 0 && queue->backlog.count >= queue->limit;
}

/* There is room. */
static void take_in(struct queue *queue, struct call *putter) {
    int status = keep_payload(queue, &putter->request.payload) ? 0 : MPROC_EINVAL;
    if (status == 0 && !give_to_getter(queue, &putter->request.payload)) {
        status = backlog_append_payload(&queue->backlog, &putter->request.payload);
        refill(queue);
    }
    if (status == 0) {
        queue->unfinished++;
        serve_watchers(queue);
    }
    call_finish(putter, status, status == 0 && queue->limit == 0);
}

static void take_in_waiting(struct queue *queue) {
    while (queue->putters.first != NULL && !is_full(queue)) {
        take_in(queue, queue->putters.first);
    }
}

static void put(struct queue *queue, struct call *call) {
    if (queue->is_closed) {
        call_finish(call, MPROC_ECLOSED, 0);
    } else if (is_full(queue) || queue->putters.first != NULL) {
        call_wait(call, &queue->object, &queue->putters);
    } else {
        take_in(queue, call);
    }
}

static int append_posting(struct queue *queue, const struct posting *posting) {
    int status = backlog_append(&queue->backlog, posting->payload, posting->data, posting->size);
    refill(queue);
    return status;
}

/* For want of memory whoever waits is told so; the item comes again. */
static int post_to_getter(struct queue *queue, const struct posting *posting) {
    struct payload payload;
    memset(&payload, 0, sizeof payload);
    int status = payload_copy(&payload, posting->payload, posting->data, posting->size);
    if (status != 0) {
        call_finish(queue->getters.first, status, 0);
    } else if (!give_to_getter(queue, &payload)) { /* they wait for the other kind */
        status = append_posting(queue, posting);
    }
    payload_clear(&payload);
    return status;
}

/* Its sender counts on it, so it is taken in even where the queue was closed meanwhile. */
static bool post(struct object *object, const struct posting *posting) {
    struct queue *queue = queue_of(object);
    int status = 0;
    if (!keep(queue, posting->payload, posting->data, posting->size)) {
        return true;
    }
    if (queue->getters.first != NULL) {
        status = post_to_getter(queue, posting);
    } else if (queue->backlog.count > 0 || !has_delivery(queue) ||
               delivery_add(&queue->delivery, posting->payload, posting->data, posting->size, DELIVERY_NOBODY) == 0) {
        status = append_posting(queue, posting);
    }
    if (status == 0) {
        queue->unfinished++;
        serve_watchers(queue);
    }
    return status == 0;
}

/* The rest ----------------------------------------------------------------------------------------------------- */

static void task_done(struct queue *queue, struct call *call) {
    if (queue->unfinished == 0) {
        call_finish(call, MPROC_ERANGE, 0);
        return;
    }
    queue->unfinished--;
    if (queue->unfinished == 0) {
        finish_all(&queue->joiners, 0);
    }
    call_finish(call, 0, 0);
}

static void join(struct queue *queue, struct call *call) {
    if (queue->unfinished == 0) {
        call_finish(call, 0, 0);
    } else {
        call_wait(call, &queue->object, &queue->joiners);
    }
}

static void await(struct queue *queue, struct call *call) {
    if (is_ready(queue)) {
        call_finish(call, 0, 0);
    } else {
        call_wait(call, &queue->object, &queue->watchers);
    }
}

static void close_queue(struct queue *queue, struct call *call) {
    queue->is_closed = true;
    finish_all(&queue->putters, MPROC_ECLOSED);
    finish_all(&queue->getters, MPROC_ECLOSED); /* they wait because it is empty */
    serve_watchers(queue);
    sessions_note_closure();
    call_finish(call, 0, 0);
}

static void carry_out(struct object *object, struct call *call) {
    struct queue *queue = queue_of(object);
    switch ((enum queue_operation)call->request.operation) {
    case QUEUE_PUT:
        put(queue, call);
        return;
    case QUEUE_GET:
        get(queue, call);
        return;
    case QUEUE_SIZE:
        call_finish(call, 0, (int64_t)count_items(queue));
        return;
    case QUEUE_IS_FULL:
        call_finish(call, 0, is_full(queue));
        return;
    case QUEUE_TASK_DONE:
        task_done(queue, call);
        return;
    case QUEUE_JOIN:
        join(queue, call);
        return;
    case QUEUE_CLOSE:
        close_queue(queue, call);
        return;
    case QUEUE_AWAIT:
        await(queue, call);
        return;
    case QUEUE_OPEN_DELIVERY:
        open_delivery(queue, call);
        return;
    case QUEUE_OPEN_STORE:
        open_block(&queue->store_block, sizeof(struct store), call);
        return;
    }
    call_finish(call, MPROC_EINVAL, 0);
}

static void destroy(struct object *object) {
    struct queue *queue = queue_of(object);
    backlog_clear(&queue->backlog);
    shared_block_clear(&queue->delivery_block);
    shared_block_clear(&queue->store_block);
    memory_free(queue);
}

const struct object_class queue_class = {REFERENCE_QUEUE, create, carry_out, give_back, post, forget, NULL, destroy};
