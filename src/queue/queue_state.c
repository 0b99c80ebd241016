/* SPDX-License-Identifier: MIT */
#include "queue/queue_state.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

struct item {
    struct payload payload;
    struct item *next;
};

struct queue {
    struct object object;
    size_t limit; /* of items; 0: none */
    size_t count;
    uint64_t unfinished; /* put, and not marked done */
    bool is_closed;
    struct item *first, *last;
    struct call_list getters, putters, joiners; /* those who wait */
};

static struct object *create(const struct request *request) {
    struct queue *queue = memory_allocate(sizeof *queue);
    if (queue == NULL) {
        return NULL;
    }
    queue->limit = (size_t)request->argument;
    return &queue->object;
}

static struct queue *queue_of(struct object *object) {
    return (struct queue *)object; /* its first member */
}

static void move_payload(struct payload *to, struct payload *from) {
    *to = *from;
    memset(from, 0, sizeof *from);
}

/* Getting ------------------------------------------------------------------------------------------------------ */

static bool is_wanted(const struct call *getter, const struct payload *payload) {
    return getter->request.argument == (int64_t)payload->kind;
}

/* Gives a payload to the first who waits for one of its kind; those who wait for the other kind are told that the next is
 * not for them. Whether somebody has it. */
static bool give_to_getter(struct queue *queue, struct payload *payload) {
    while (queue->getters.first != NULL) {
        struct call *getter = queue->getters.first;
        if (is_wanted(getter, payload)) {
            move_payload(&getter->answer.payload, payload);
            call_finish(getter, 0, 0);
            return true;
        }
        call_finish(getter, MPROC_ETYPE, 0);
    }
    return false;
}

/* Puts -------------------------------------------------------------------------------------------------------- */

static bool is_full(const struct queue *queue) {
    return queue->limit > 0 && queue->count >= queue->limit;
}

static int append(struct queue *queue, struct payload *payload) {
    struct item *item = memory_allocate(sizeof *item);
    if (item == NULL) {
        return MPROC_ENOMEM;
    }
    move_payload(&item->payload, payload);
    *(queue->last != NULL ? &queue->last->next : &queue->first) = item;
    queue->last = item;
    queue->count++;
    return 0;
}

/* There is room. */
static void take_in(struct queue *queue, struct call *putter) {
    int status = 0;
    if (!give_to_getter(queue, &putter->request.payload)) {
        status = append(queue, &putter->request.payload);
    }
    if (status == 0) {
        queue->unfinished++;
    }
    call_finish(putter, status, 0);
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

static void get(struct queue *queue, struct call *call) {
    struct item *item = queue->first;
    if (item == NULL && queue->is_closed) {
        call_finish(call, MPROC_ECLOSED, 0);
    } else if (item == NULL) {
        call_wait(call, &queue->object, &queue->getters);
    } else if (!is_wanted(call, &item->payload)) {
        call_finish(call, MPROC_ETYPE, 0);
    } else {
        queue->first = item->next;
        queue->last = queue->first != NULL ? queue->last : NULL;
        queue->count--;
        move_payload(&call->answer.payload, &item->payload);
        memory_free(item);
        call_finish(call, 0, 0);
        take_in_waiting(queue);
    }
}

/* The limit may be passed by it: what was accepted is not lost. */
static void give_back(struct object *object, struct payload *payload) {
    struct queue *queue = queue_of(object);
    if (give_to_getter(queue, payload)) {
        return;
    }
    struct item *item = memory_allocate(sizeof *item);
    if (item != NULL) {
        move_payload(&item->payload, payload);
        item->next = queue->first;
        queue->first = item;
        queue->last = queue->last != NULL ? queue->last : item;
        queue->count++;
    }
}

/* The rest ----------------------------------------------------------------------------------------------------- */

static void finish_all(struct call_list *list, int status) {
    while (list->first != NULL) {
        call_finish(list->first, status, 0);
    }
}

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

static void close_queue(struct queue *queue, struct call *call) {
    queue->is_closed = true;
    finish_all(&queue->putters, MPROC_ECLOSED);
    finish_all(&queue->getters, MPROC_ECLOSED); /* they wait because it is empty */
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
        call_finish(call, 0, (int64_t)queue->count);
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
    }
    call_finish(call, MPROC_EINVAL, 0);
}

static void destroy(struct object *object) {
    struct queue *queue = queue_of(object);
    while (queue->first != NULL) {
        struct item *item = queue->first;
        queue->first = item->next;
        payload_clear(&item->payload);
        memory_free(item);
    }
    memory_free(queue);
}

const struct object_class queue_class = {REFERENCE_QUEUE, create, carry_out, give_back, NULL, destroy};
