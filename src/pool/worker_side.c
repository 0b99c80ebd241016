/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/reader.h"
#include "link/handover.h"
#include "platform/self.h"
#include "pool/pool.h"

/* How long a thread that waits looks for results by itself, in nanoseconds, and up to how many workers it is worth it. */
#define WATCHING_TIME UINT64_C(50000)
#define WATCHED_WORKERS_MAX 8

/* So many frames are taken out of a ring before others may have the lock. */
#define FRAMES_AT_ONCE 64

static void send_frame(struct worker *worker, enum frame_kind kind, const void *data, size_t size,
                       const struct message *handles) {
    if (link_send_copy(worker->link, kind, data, size, handles) != 0) {
        link_end(worker->link); /* it has ended, or will, since it cannot be told */
    }
}

void worker_ring(struct worker *worker) {
    send_frame(worker, FRAME_DOORBELL, NULL, 0, NULL);
}

/* What arrives ------------------------------------------------------------------------------------------------- */

static enum taken take_results(struct worker *worker, const uint8_t *data, size_t size, struct message *handles) {
    struct results_head head;
    if (size < sizeof head) {
        return RESULTS_SENSELESS;
    }
    memcpy(&head, data, sizeof head);
    return tasks_take_results(worker->pool, worker, &head, data + sizeof head, size - sizeof head, handles);
}

/* At most so many frames; whether there may be more that can be taken now. A frame that makes no sense ends the worker. */
static bool drain_some(struct worker *worker, int count) {
    struct ring *ring = &worker->memory->ring;
    const uint8_t *frame = NULL;
    size_t size;
    worker->waits_for_pipe = false;
    for (int i = 0; i < count && (frame = ring_peek(ring, &size)) != NULL; i++) {
        enum taken taken = take_results(worker, frame, size, NULL);
        if (taken != RESULTS_TAKEN) {
            worker->waits_for_pipe = true; /* or for its end */
            if (taken == RESULTS_SENSELESS) {
                link_end(worker->link);
            }
            return false;
        }
        ring_skip(ring, size);
    }
    return frame != NULL;
}

void worker_drain(struct worker *worker) {
    (void)drain_some(worker, INT32_MAX);
}

static void give_task(struct worker *worker, uint64_t number) {
    const struct pool_task *task = task_of_number(worker->pool, number);
    if (task != NULL) {
        send_frame(worker, FRAME_TASK, task->body, task->body_size, task->handles);
    } else {
        link_end(worker->link); /* it was cancelled, and the worker does not know: another one begins anew */
    }
}

static void note_failure(struct worker *worker, const struct frame *frame) {
    if (frame->size > 0 && frame->body[frame->size - 1] == '\0') {
        memory_free(worker->failure);
        worker->failure = memory_copy_text((const char *)frame->body);
    }
}

static bool take_results_frame(struct worker *worker, const struct frame *frame) {
    struct message handles;
    memset(&handles, 0, sizeof handles);
    int status = handover_receive(worker->passage, frame, &handles);
    size_t size = frame->size - (size_t)frame->handle_count * FRAME_TICKET_SIZE;
    bool is_sound = status == 0 && take_results(worker, frame->body, size, &handles) == RESULTS_TAKEN;
    message_clear(&handles);
    return is_sound;
}

static bool on_frame(struct worker *worker, const struct frame *frame) {
    uint64_t number;
    worker_drain(worker); /* it was written before */
    switch (frame->kind) {
    case FRAME_DOORBELL:
        return true;
    case FRAME_RESULTS:
        return take_results_frame(worker, frame);
    case FRAME_FETCH:
        if (frame->size != sizeof number) {
            return false;
        }
        memcpy(&number, frame->body, sizeof number);
        if (number != 0) {
            give_task(worker, number);
        } else {
            tasks_wake_one(worker->pool);
        }
        return true;
    case FRAME_FAILED:
        note_failure(worker, frame);
        return true;
    default:
        return false;
    }
}

/* Until the ring is empty and its writer has to ring again. */
static void empty_ring(struct worker *worker) {
    struct mproc_pool *pool = worker->pool;
    bool is_left = true;
    while (is_left) {
        uv_mutex_lock(&pool->mutex);
        is_left = drain_some(worker, FRAMES_AT_ONCE);
        if (!is_left && !worker->waits_for_pipe) { /* otherwise what comes through the pipe wakes this thread */
            is_left = !ring_sleep(&worker->memory->ring);
        }
        tasks_hand_out(pool);
        uv_mutex_unlock(&pool->mutex);
    }
}

/* Watching ----------------------------------------------------------------------------------------------------- */

static bool is_alive(const struct worker *worker) {
    return worker != NULL && worker->state == WORKER_ALIVE;
}

static void drain_all(struct mproc_pool *pool) {
    for (unsigned i = 0; i < pool->limit; i++) {
        if (is_alive(pool->workers[i])) {
            worker_drain(pool->workers[i]);
        }
    }
    tasks_hand_out(pool);
}

static void wake_rings(struct mproc_pool *pool) {
    for (unsigned i = 0; i < pool->limit; i++) {
        if (is_alive(pool->workers[i])) {
            ring_wake(&pool->workers[i]->memory->ring);
        }
    }
}

/* From here on they ring again. */
static void let_rings_sleep(struct mproc_pool *pool) {
    for (unsigned i = 0; i < pool->limit; i++) {
        struct worker *worker = pool->workers[i];
        while (is_alive(worker) && !worker->waits_for_pipe && !ring_sleep(&worker->memory->ring)) {
            worker_drain(worker);
        }
    }
    tasks_hand_out(pool);
}

void workers_watch(struct mproc_pool *pool, bool (*is_done)(const void *context), const void *context) {
    uint64_t end = uv_hrtime() + WATCHING_TIME;
    if (pool->is_watched || pool->limit > WATCHED_WORKERS_MAX || is_done(context)) {
        return;
    }
    pool->is_watched = true;
    wake_rings(pool);
    while (!is_done(context) && uv_hrtime() < end) {
        uv_mutex_unlock(&pool->mutex);
        self_yield();
        uv_mutex_lock(&pool->mutex);
        drain_all(pool);
    }
    pool->is_watched = false;
    let_rings_sleep(pool);
}

/* Frames ------------------------------------------------------------------------------------------------------- */

static void on_data(void *context, const uint8_t *data, size_t size) {
    struct worker *worker = context;
    bool is_sound = true;
    while (size > 0 && is_sound) {
        size_t used;
        int status = frame_reader_feed(&worker->frames, data, size, &used);
        data += used;
        size -= used;
        is_sound = status == 0 || status == MPROC_ETIMEDOUT;
        if (status == 0) {
            struct frame frame = frame_reader_take(&worker->frames);
            uv_mutex_lock(&worker->pool->mutex);
            is_sound = on_frame(worker, &frame);
            uv_mutex_unlock(&worker->pool->mutex);
            memory_free(frame.body);
        }
    }
    if (!is_sound) {
        link_end(worker->link); /* by which it ends */
    }
    empty_ring(worker);
}

static void on_end(void *context) {
    struct worker *worker = context;
    struct mproc_pool *pool = worker->pool;
    hub_reader_close(worker->reader);
    uv_mutex_lock(&pool->mutex);
    worker->reader = NULL;
    worker->state = WORKER_ENDED;
    worker->next_ended = pool->first_ended;
    pool->first_ended = worker;
    supervisor_wake(pool);
    uv_mutex_unlock(&pool->mutex);
}

static const struct hub_reader_events worker_events = {on_data, on_end};

int worker_open(struct worker *worker, struct link_ends *ends) {
    struct link_ends sending = {HANDLE_INVALID, ends->writer, ends->passage};
    ends->writer = ends->passage = HANDLE_INVALID;
    worker->passage = sending.passage; /* the link's */
    int status = link_open(&worker->link, &sending, LINK_NEVER_WAITS);
    if (status == 0) {
        (void)ring_sleep(&worker->memory->ring);
    }
    return status;
}

int worker_listen(struct worker *worker, struct link_ends *ends) {
    handle reader = ends->reader;
    ends->reader = HANDLE_INVALID;
    return hub_reader_open(&worker->reader, reader, &worker_events, worker);
}
