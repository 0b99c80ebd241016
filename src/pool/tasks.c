/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "pool/pool.h"

/* The table of tasks that are handed out ----------------------------------------------------------------------- */

static bool grow_slots(struct mproc_pool *pool) {
    uint32_t count = pool->slot_count > 0 ? pool->slot_count * 2 : 64;
    struct pool_slot *grown = memory_resize(pool->slots, count * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    for (uint32_t i = pool->slot_count; i < count; i++) {
        grown[i].task = NULL;
        grown[i].generation = 0;
        grown[i].next_free = i + 1 < count ? i + 2 : 0;
    }
    pool->first_free_slot = pool->slot_count + 1;
    pool->slots = grown;
    pool->slot_count = count;
    return true;
}

uint64_t task_number(const struct mproc_pool *pool, const struct pool_task *task) {
    return (uint64_t)pool->slots[task->slot].generation << 32 | ((uint64_t)task->slot + 1);
}

/* Gives the task a number; 0: there is no memory for it. */
static uint64_t enter(struct mproc_pool *pool, struct pool_task *task) {
    if (pool->first_free_slot == 0 && !grow_slots(pool)) {
        return 0;
    }
    task->slot = pool->first_free_slot - 1;
    struct pool_slot *slot = &pool->slots[task->slot];
    pool->first_free_slot = slot->next_free;
    slot->task = task;
    slot->generation++;
    return task_number(pool, task);
}

uint64_t task_delivery(const struct mproc_pool *pool, const struct pool_task *task) {
    return pool->slots[task->slot].delivery;
}

static void leave(struct mproc_pool *pool, struct pool_task *task) {
    struct pool_slot *slot = &pool->slots[task->slot];
    slot->task = NULL;
    slot->next_free = pool->first_free_slot;
    pool->first_free_slot = task->slot + 1;
}

struct pool_task *task_of_number(struct mproc_pool *pool, uint64_t number) {
    uint32_t index = (uint32_t)number; /* its low half */
    if (index == 0 || index > pool->slot_count || pool->slots[index - 1].generation != (uint32_t)(number >> 32)) {
        return NULL;
    }
    return pool->slots[index - 1].task;
}

/* Handing out -------------------------------------------------------------------------------------------------- */

/* Takes a worker out of those that sleep, if it does not get up by itself at this moment. It is marked before, so that the mark
 * cannot come after what the worker does about it. */
static bool claim_sleeper(struct mproc_pool *pool, struct worker *worker) {
    (void)atomic_replace(&worker->memory->rung, 1);
    bool is_claimed = sleepers_remove(pool->memory, worker->index);
    if (!is_claimed) {
        atomic_store_release(&worker->memory->rung, 0);
    }
    return is_claimed;
}

static struct worker *first_sleeper(struct mproc_pool *pool) {
    for (unsigned i = 0; i < pool->limit; i++) {
        uint64_t bits = atomic_load(&pool->memory->sleepers[i / 64]);
        if (bits == 0) {
            i |= 63; /* none in this word */
        } else if ((bits >> i % 64 & 1) != 0 && pool->workers[i] != NULL) {
            return pool->workers[i];
        }
    }
    return NULL;
}

void tasks_wake_one(struct mproc_pool *pool) {
    struct worker *worker;
    atomic_fence(); /* what was handed out is seen by whoever is being woken, before this sees that he is */
    if (pool->waking != NULL && atomic_load(&pool->waking->memory->rung) != 0) {
        return;
    }
    while (atomic_load(&pool->memory->sleeper_count) > 0 && (worker = first_sleeper(pool)) != NULL) {
        if (claim_sleeper(pool, worker)) {
            pool->waking = worker;
            worker_ring(worker);
            return;
        }
    }
}

/* false: there is no room for it now. */
static bool hand_out(struct mproc_pool *pool, struct pool_task *task) {
    struct task_head head;
    uint64_t number = enter(pool, task);
    if (number == 0) {
        return false;
    }
    memcpy(&head, task->body, sizeof head);
    head.number = number;
    head.first = task->received;
    head.is_elsewhere = task->handles != NULL || task->body_size > DELIVERY_ITEM_MAX;
    memcpy(task->body, &head, sizeof head);
    uint64_t delivery = delivery_add(&pool->delivery, TASK_KIND, task->body,
                                     head.is_elsewhere ? sizeof head : task->body_size, DELIVERY_NOBODY);
    pool->slots[task->slot].delivery = delivery;
    if (delivery == 0) {
        leave(pool, task);
        return false;
    }
    task->state = TASK_HANDED;
    return true;
}

void tasks_hand_out(struct mproc_pool *pool) {
    bool has_handed_out = false;
    while (pool->first_waiting != NULL && pool->state != POOL_TERMINATED) {
        struct pool_task *task = pool->first_waiting;
        if (task->state == TASK_WAITING && !hand_out(pool, task)) {
            break;
        }
        has_handed_out = has_handed_out || task->state == TASK_HANDED; /* otherwise it was cancelled */
        pool->first_waiting = task->next;
        task->next = NULL;
        if (task->state == TASK_DONE) {
            job_unuse(task->job);
        }
    }
    if (has_handed_out) {
        tasks_wake_one(pool);
    }
    if (pool->worker_count < pool->limit && pool->unfinished > pool->worker_count) {
        supervisor_wake(pool); /* to start another worker */
    }
}

/* The supervisor has to look in time. */
static void note_limit(struct mproc_pool *pool, int64_t timeout_ms) {
    if (timeout_ms == 0) {
        return;
    }
    if (pool->shortest_limit == 0 || timeout_ms < pool->shortest_limit) {
        pool->shortest_limit = timeout_ms;
    }
    if (pool->next_check > deadline_after(timeout_ms)) {
        supervisor_wake(pool);
    }
}

void tasks_submit(struct mproc_pool *pool, struct pool_task *task) {
    struct pool_task *last = pool->first_waiting != NULL ? pool->last_waiting : NULL;
    task->state = TASK_WAITING;
    *(last != NULL ? &last->next : &pool->first_waiting) = task;
    pool->last_waiting = task;
    pool->unfinished++;
    pool->submitted += task->count;
    note_limit(pool, task->job->timeout_ms);
    if (last == NULL) {
        tasks_hand_out(pool);
    }
}

void task_return(struct mproc_pool *pool, struct pool_task *task) {
    leave(pool, task);
    task->state = TASK_WAITING;
    task->has_begun = true;
    task->next = pool->first_waiting;
    pool->last_waiting = pool->first_waiting != NULL ? pool->last_waiting : task;
    pool->first_waiting = task;
    tasks_hand_out(pool);
}

/* Ending ------------------------------------------------------------------------------------------------------- */

void task_clear_body(struct pool_task *task) {
    memory_free(task->body);
    task->body = NULL;
    if (task->handles != NULL) {
        message_clear(task->handles);
        memory_free(task->handles);
        task->handles = NULL;
    }
}

/* A task that waits in the list stays in it, and is skipped there. */
static void end_task(struct mproc_pool *pool, struct pool_task *task) {
    struct mproc_async_result *job = task->job;
    bool is_listed = task->state == TASK_WAITING;
    if (task->state == TASK_HANDED) {
        leave(pool, task);
    }
    task->state = TASK_DONE;
    task_clear_body(task);
    pool->unfinished--;
    if (is_listed) {
        job_use(job); /* until the list has let go of it */
    }
    job_note_task_done(job);
    pool_note_progress(pool);
}

static void note_items(struct mproc_pool *pool, struct pool_task *task, uint32_t completed, uint32_t failed) {
    struct mproc_async_result *job = task->job;
    task->received += completed + failed;
    task->tries = 0;
    job->items_done += completed + failed;
    pool->completed += completed;
    pool->failed += failed;
    if (task->received == task->count) {
        end_task(pool, task);
    } else {
        job_note_results(job);
    }
}

/* Memory for so many bytes of results: a power of two, so that growing is not copying again and again; the small ones of
 * single tasks have what they need. */
static size_t capacity_for(size_t size) {
    size_t capacity = 256;
    while (size > capacity) {
        capacity *= 2;
    }
    return size <= 128 ? size : capacity;
}

static int append_results(struct pool_task *task, const uint8_t *data, size_t size) {
    size_t capacity = capacity_for(task->results_size + size);
    if (task->results == NULL || capacity != capacity_for(task->results_size)) {
        uint8_t *grown = memory_resize(task->results, capacity);
        if (grown == NULL) {
            return MPROC_ENOMEM;
        }
        task->results = grown;
    }
    memcpy(task->results + task->results_size, data, size);
    task->results_size += size;
    return 0;
}

/* Copies the failure of an item to its place among the results, so that an iterator finds it there. */
static int append_failure(struct pool_task *task, const mproc_error *error) {
    size_t length = strlen(error->message) + 1, size = RESULT_SIZE(sizeof(mproc_error) + length);
    struct result_record record = {error->code, RESULT_FAILURE, sizeof(mproc_error) + length};
    uint8_t *all = memory_allocate(size);
    if (all == NULL) {
        return MPROC_ENOMEM;
    }
    memcpy(all, &record, sizeof record);
    memcpy(all + sizeof record, error, sizeof *error);
    memcpy(all + sizeof record + sizeof *error, error->message, length);
    int status = append_results(task, all, size);
    memory_free(all);
    return status;
}

static void fail_item(struct mproc_pool *pool, struct pool_task *task, const mproc_error *error) {
    struct mproc_async_result *job = task->job;
    if (job->is_wanted && job->extras->iterator != NULL) {
        (void)append_failure(task, error); /* for want of memory the iterator ends there */
    }
    job_note_failure(job, task->first + task->received, error);
    note_items(pool, task, 0, 1);
}

void task_fail_next(struct mproc_pool *pool, struct pool_task *task, const struct worker *worker, int code,
                    const char *message) {
    mproc_error error = {code, 0, message, task->job->target->name, mproc_process_pid(worker->process), 0};
    if (code == MPROC_EDIED) {
        (void)mproc_process_exitcode(worker->process, &error.exitcode); /* or it is unknown, and stays 0 */
    }
    fail_item(pool, task, &error);
}

void task_fail_rest(struct mproc_pool *pool, struct pool_task *task, const mproc_error *cause) {
    mproc_error error = *cause;
    error.target = cause->target != NULL ? cause->target : task->job->target->name;
    uint32_t left = task->state != TASK_DONE ? task->count - task->received : 0;
    while (left-- > 0) { /* with the last one the task may be gone */
        fail_item(pool, task, &error);
    }
}

void tasks_fail_all(struct mproc_pool *pool, const mproc_error *cause) {
    for (struct pool_task *task = pool->first_waiting; task != NULL;) {
        struct pool_task *next = task->next;
        pool->first_waiting = next;
        task->next = NULL;
        struct mproc_async_result *job = task->job;
        task_fail_rest(pool, task, cause);
        job_unuse(job); /* the list has let go of it */
        task = next;
    }
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].task != NULL) {
            (void)delivery_withdraw(&pool->delivery, pool->slots[i].delivery); /* or a worker has it */
            task_fail_rest(pool, pool->slots[i].task, cause);
        }
    }
}

/* Results ------------------------------------------------------------------------------------------------------ */

/* The record at the beginning of `data`; false: it makes no sense. */
static bool read_record(const uint8_t *data, size_t size, struct result_record *record) {
    if (size < sizeof *record) {
        return false;
    }
    memcpy(record, data, sizeof *record);
    if (record->size > size - sizeof *record || RESULT_SIZE(record->size) > size) {
        return false;
    }
    return record->kind != RESULT_FAILURE || (record->size > 0 && data[sizeof *record + record->size - 1] == '\0');
}

/* Where the value of an item goes that is a run of bytes. */
static uint8_t *place_of(const struct pool_task *task, uint32_t item) {
    return task->job->extras->bytes + (size_t)(task->first + item) * task->job->extras->result_size;
}

/* Takes successful results, at most `count`, up to the first failure. Returns how many; `used` receives their bytes. */
static uint32_t take_run(struct pool_task *task, const uint8_t *data, size_t size, uint32_t count, size_t *used) {
    const struct mproc_async_result *job = task->job;
    struct result_record record;
    uint32_t taken = 0;
    size_t place = 0;
    while (taken < count && read_record(data + place, size - place, &record) && record.kind != RESULT_FAILURE) {
        if (job->extras->bytes != NULL) {
            memcpy(place_of(task, task->received + taken), data + place + sizeof record, job->extras->result_size);
        }
        place += RESULT_SIZE(record.size);
        taken++;
    }
    if (taken > 0 && job->extras->bytes == NULL && job->is_wanted && append_results(task, data, place) != 0) {
        return 0;
    }
    *used = place;
    return taken;
}

static void take_failure(struct mproc_pool *pool, struct pool_task *task, const struct worker *worker,
                         const uint8_t *data) {
    struct result_record record;
    memcpy(&record, data, sizeof record);
    if (record.kind == RESULT_FAILURE) {
        task_fail_next(pool, task, worker, record.code, (const char *)data + sizeof record);
    } else {
        task_fail_next(pool, task, worker, MPROC_ENOMEM, "there is no memory for the result");
    }
}

/* A result with handles comes alone: they are those of the item that is next. */
static bool keep_handles(struct pool_task *task, struct message *handles) {
    struct result_handles *kept = memory_allocate(sizeof *kept);
    if (kept == NULL) {
        return false;
    }
    kept->item = task->received;
    kept->message = *handles;
    kept->next = task->result_handles;
    task->result_handles = kept;
    memset(handles, 0, sizeof *handles);
    return true;
}

enum taken tasks_take_results(struct mproc_pool *pool, const struct worker *worker, const struct results_head *head,
                              const uint8_t *data, size_t size, struct message *handles) {
    struct pool_task *task = task_of_number(pool, head->number);
    uint32_t index = head->first, end = head->first + head->count;
    struct result_record record;
    if (task != NULL && (end > task->count || end < index)) {
        return RESULTS_SENSELESS;
    }
    if (task != NULL && index > task->received) {
        return RESULTS_EARLY;
    }
    if (handles != NULL && handles->handle_count > 0 && task != NULL && index == task->received &&
        !keep_handles(task, handles)) {
        return RESULTS_SENSELESS;
    }
    while (index < end && read_record(data, size, &record)) {
        size_t used = RESULT_SIZE(record.size);
        uint32_t taken = 1;
        /* What had come before, in another frame or from a worker that died, is not new; nor is a task that is done. */
        if (task != NULL && task->received == index) {
            taken = take_run(task, data, size, end - index, &used);
            bool is_last = task->received + (taken > 0 ? taken : 1) == task->count;
            if (taken > 0) {
                note_items(pool, task, taken, 0);
            } else {
                take_failure(pool, task, worker, data);
                taken = 1;
                used = RESULT_SIZE(record.size);
            }
            task = is_last ? NULL : task; /* it may be gone */
        }
        index += taken;
        data += used;
        size -= used;
    }
    return index == end ? RESULTS_TAKEN : RESULTS_SENSELESS;
}
