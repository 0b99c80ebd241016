/* SPDX-License-Identifier: MIT */
/* Publishing: each result stands in memory that the pool sees before the next item begins, and is sent with others. */
#include <string.h>

#include "base/error.h"
#include "base/step.h"
#include "platform/self.h"
#include "pool/worker_process.h"
#include "value/cbor.h"

static void ring_bell(struct worker_process *self) {
    if (ring_must_wake(&self->memory->ring)) {
        (void)link_send_copy(self->link, FRAME_DOORBELL, NULL, 0,
                             NULL); /* fails where the pool has ended, and all with it */
    }
}

void worker_send_results(struct worker_process *self, uint64_t number) {
    struct worker_memory *memory = self->memory;
    uint64_t published = atomic_load_any(&memory->published);
    struct results_head head = {number, (uint32_t)atomic_load_any(&memory->first), PUBLISHED_COUNT(published)};
    if (head.count == 0) {
        return;
    }
    step();
    if (ring_write(&memory->ring, &head, sizeof head, memory->results, PUBLISHED_BYTES(published))) {
        step();
        ring_bell(self);
    } else {
        struct buffer both = {NULL, 0, 0};
        if (buffer_append(&both, &head, sizeof head) != 0 ||
            buffer_append(&both, memory->results, PUBLISHED_BYTES(published)) != 0 ||
            link_send_copy(self->link, FRAME_RESULTS, both.data, both.size, NULL) != 0) {
            self_exit_now(1); /* what is published is found by the pool */
        }
        buffer_clear(&both);
    }
    step();
    /* What was sent may be found here once more when this process dies now: the pool knows it by its item. */
    atomic_store_release(&memory->published, 0);
    atomic_store_release(&memory->first, head.first + head.count);
    self->sent_at = self->now;
}

/* A result that has no room among the others, or has handles. */
static void send_alone(struct worker_process *self, uint64_t number, const struct result_record *record,
                       const void *data) {
    static const uint8_t zeros[8];
    struct results_head head = {number, 0, 1};
    struct buffer all = {NULL, 0, 0};
    worker_send_results(self, number);
    head.first = (uint32_t)atomic_load_any(&self->memory->first);
    int status = buffer_append(&all, &head, sizeof head);
    if (status == 0) {
        status = buffer_append(&all, record, sizeof *record);
    }
    if (status == 0 && record->size > 0) {
        status = buffer_append(&all, data, (size_t)record->size);
    }
    if (status == 0) {
        status = buffer_append(&all, zeros, RESULT_SIZE(record->size) - sizeof *record - (size_t)record->size);
    }
    if (status == 0) {
        status = link_send_copy(self->link, FRAME_RESULTS, all.data, all.size, &self->result);
    }
    if (status != 0) {
        self_exit_now(1); /* no memory for it: the pool tells that this task's worker ended */
    }
    buffer_clear(&all);
    atomic_store_release(&self->memory->first, head.first + 1);
}

static void publish(struct worker_process *self, uint64_t number, const struct result_record *record,
                    const void *data) {
    struct worker_memory *memory = self->memory;
    size_t size = RESULT_SIZE(record->size);
    if (size > RESULTS_CAPACITY || self->result.handle_count > 0) {
        send_alone(self, number, record, data);
        return;
    }
    uint64_t published = atomic_load_any(&memory->published);
    if (PUBLISHED_BYTES(published) + size > RESULTS_CAPACITY) {
        worker_send_results(self, number);
        published = 0;
    }
    uint8_t *place = memory->results + PUBLISHED_BYTES(published);
    memcpy(place, record, sizeof *record);
    if (record->size > 0) {
        memcpy(place + sizeof *record, data, (size_t)record->size);
    }
    step();
    atomic_store_release(&memory->published,
                         PUBLISHED(PUBLISHED_COUNT(published) + 1, PUBLISHED_BYTES(published) + size));
}

void worker_publish_failure(struct worker_process *self, uint64_t number, int code, const char *text) {
    struct result_record record = {code, RESULT_FAILURE, strlen(text) + 1};
    publish(self, number, &record, text);
}

void worker_publish_bytes(struct worker_process *self, const struct task_head *head, const mproc_task *task) {
    struct result_record record = {0, RESULT_BYTES, task->result_size};
    if (head->form == TASK_BYTES && task->result_size != head->result_size) {
        (void)error_set(MPROC_ERANGE, 0, "%s returned %llu bytes, but %llu are wanted", task->target->name,
                        (unsigned long long)task->result_size, (unsigned long long)head->result_size);
        worker_publish_failure(self, head->number, MPROC_ERANGE, mproc_last_error()->message);
    } else {
        publish(self, head->number, &record, task->result_bytes);
    }
}

void worker_publish_value(struct worker_process *self, const struct task_head *head, const mproc_task *task) {
    struct result_record record = {0, RESULT_VALUE, 0};
    cJSON null_value;
    memset(&null_value, 0, sizeof null_value);
    null_value.type = cJSON_NULL;
    self->result.bytes.size = 0;
    if (cbor_encode(task->result != NULL ? task->result : &null_value, &self->result) != 0) {
        (void)error_prefix("%s: the result cannot be sent: ", task->target->name);
        worker_publish_failure(self, head->number, mproc_last_error()->code, mproc_last_error()->message);
        return;
    }
    record.size = self->result.bytes.size;
    publish(self, head->number, &record, self->result.bytes.data);
    if (self->result.handle_count > 0) {
        message_clear(&self->result);
    }
}
