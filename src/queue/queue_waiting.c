/* SPDX-License-Identifier: MIT */
/* A queue among the things that a thread waits for: ready where the delivery has an item, or when the queue itself says so. */
#include "base/error.h"
#include "base/memory.h"
#include "queue/delivery.h"
#include "queue/queue_handle.h"
#include "queue/queue_state.h"
#include "wait/waiting.h"

static bool is_delivered(mproc_queue *queue) {
    struct shared_view *view = shared_part_view(&queue->delivery);
    return view != NULL && delivery_has_ready(view->memory);
}

/* Asks it, unless it is plain that it is ready. */
static int begin(struct waiting *waiting, const char *function) {
    mproc_queue *queue = waiting->thing;
    if (is_delivered(queue)) {
        return 0;
    }
    struct hold_question *question = memory_allocate(sizeof *question);
    int status = question != NULL ? 0 : MPROC_ENOMEM;
    if (status == 0) {
        status = hold_begin(&queue->hold, QUEUE_AWAIT, !waiting->only_asks, waiting->bell, question);
    }
    if (status != 0) {
        memory_free(question);
        return error_explain(status, "%s: ", function);
    }
    waiting->own.question = question;
    return 0;
}

/* One who only asks gets an answer in any case, which is looked at in the end. */
static void look(struct waiting *waiting) {
    const struct hold_question *question = waiting->own.question;
    waiting->is_ready = question == NULL || (!waiting->only_asks && hold_is_answered(question));
}

static void call_off(struct waiting *waiting) {
    if (waiting->own.question != NULL) {
        hold_call_off(waiting->own.question);
    }
}

/* A queue that is gone, or cannot be asked, is ready: a get does not wait either. */
static void conclude(struct waiting *waiting) {
    struct hold_question *question = waiting->own.question;
    if (question != NULL) {
        hold_conclude(question);
        waiting->is_ready = question->answer.status != MPROC_ETIMEDOUT;
    }
}

static void end(struct waiting *waiting) {
    memory_free(waiting->own.question);
}

const struct waiting_kind queue_waiting = {true, begin, look, call_off, conclude, end};
