/* SPDX-License-Identifier: MIT */
/* The worker process: takes a task, carries its items out, publishes each result (worker_results.c) before it begins the
 * next item. */
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/step.h"
#include "mproc/value.h"
#include "platform/self.h"
#include "platform/shared_memory.h"
#include "pool/pool.h"
#include "pool/worker_process.h"
#include "spawn/preparation.h"
#include "spawn/runtime.h"
#include "spawn/task.h"
#include "value/cbor.h"
#include "value/reference.h"
#include "value/value.h"

/* Results wait so long for others to go with them, while items are short. */
#define GATHERING_TIME UINT64_C(1000000)

/* How long a worker looks for the next task before it sleeps, in nanoseconds. */
#define LOOKING_TIME UINT64_C(50000)

/* Looking at the clock takes as long as a short item: while items are shorter than this, it is looked at for so many at once.
 * What is told of an item's beginning is too early by that at most. */
#define SHORT_ITEM UINT64_C(2000)
#define ITEMS_A_LOOK 16

/* Items -------------------------------------------------------------------------------------------------------- */

/* Calls the function; publishes what it returns. */
static void carry_out(struct worker_process *self, const struct task_head *head, mproc_task *task) {
    task->cancelled = &self->memory->cancelled;
    task->number = head->number;
    int status = task_carry_out(task);
    if (status != 0) {
        worker_publish_failure(self, head->number, status, mproc_last_error()->message);
    } else if (head->form == TASK_BYTES || task->result_bytes != NULL) {
        worker_publish_bytes(self, head, task);
    } else {
        worker_publish_value(self, head, task);
    }
    task_clear(task);
}

static cJSON *no_kwargs(void) {
    static cJSON none;
    none.type = cJSON_Object;
    return &none;
}

/* One item of a map: `item` is its arguments, or the only one of them. It stays as it is. */
static void carry_out_value(struct worker_process *self, const struct task_head *head, mproc_task *task, cJSON *item) {
    cJSON array;
    if (head->form == TASK_STARMAP) {
        task->args = item;
    } else { /* an array around the item, without an allocation for each */
        memset(&array, 0, sizeof array);
        array.type = cJSON_Array;
        array.child = item;
        item->prev = item;
        // cppcheck-suppress autoVariables ; the task ends before it does
        task->args = &array;
    }
    task->kwargs = no_kwargs();
    carry_out(self, head, task);
}

static int carry_out_apply(struct worker_process *self, const struct task_head *head, mproc_task *task,
                           const uint8_t *place) {
    struct task_call sizes;
    struct arguments call;
    memset(&call, 0, sizeof call);
    memcpy(&sizes, place, sizeof sizes);
    size_t start = (size_t)(place - self->task.bytes.data) + sizeof sizes;
    size_t data = (start + (size_t)sizes.values_size + TASK_ALIGNMENT - 1) / TASK_ALIGNMENT * TASK_ALIGNMENT;
    call.values = self->task; /* lent */
    call.values.bytes.data += start;
    call.values.bytes.size = (size_t)sizes.values_size;
    int status = arguments_decode(&call, &task->args, &task->kwargs);
    if (status != 0) {
        worker_publish_failure(self, head->number, status, mproc_last_error()->message);
        return status;
    }
    task->data = self->task.bytes.data + data;
    task->size = (size_t)sizes.data_size;
    cJSON *args = task->args, *kwargs = task->kwargs;
    carry_out(self, head, task);
    value_delete(args);
    value_delete(kwargs);
    return 0;
}

/* Where the items of a task are. */
struct items {
    const uint8_t *place;
    uint32_t index;
};

/* Goes to the next item; returns what the present one has. */
static const uint8_t *next_item(const struct task_head *head, struct items *items, size_t *size) {
    uint32_t item_size = 0;
    const uint8_t *item = items->place;
    if (head->form == TASK_BYTES) {
        *size = (size_t)head->item_size;
    } else if (head->form != TASK_APPLY) {
        memcpy(&item_size, item, sizeof item_size);
        item += sizeof item_size;
        *size = item_size;
    }
    items->place = item + *size;
    items->index++;
    return item;
}

static void carry_out_item(struct worker_process *self, const struct task_head *head, const mproc_target *target,
                           const uint8_t *item, size_t size) {
    mproc_task task;
    cJSON *value = NULL;
    cJSON no_args, number;
    size_t used;
    memset(&task, 0, offsetof(mproc_task, small_result));
    task.target = target;
    if (head->form == TASK_APPLY) {
        (void)carry_out_apply(self, head, &task, item);
    } else if (head->form == TASK_BYTES) {
        memset(&no_args, 0, sizeof no_args);
        no_args.type = cJSON_Array;
        task.args = &no_args;
        task.kwargs = no_kwargs();
        task.data = item;
        task.size = size;
        carry_out(self, head, &task);
    } else if (cbor_decode_number(item, size, &number)) {
        carry_out_value(self, head, &task, &number);
    } else if (cbor_decode(item, size, &used, self->task.handles, self->task.handle_count, &value) != 0) {
        worker_publish_failure(self, head->number, mproc_last_error()->code, mproc_last_error()->message);
    } else {
        carry_out_value(self, head, &task, value);
        value_delete(value);
    }
}

/* Tasks -------------------------------------------------------------------------------------------------------- */

/* Says that it begins an item, and how long the last one took. */
static void begin_item(struct worker_process *self, const struct task_head *head, uint32_t index) {
    struct worker_memory *memory = self->memory;
    if (self->now - self->sent_at > GATHERING_TIME) {
        worker_send_results(self, head->number);
    }
    atomic_store_release(&memory->begun_at, self->now);
    step();
    atomic_store_release(&memory->begun, (uint64_t)index + 1);
    step();
}

static void look_at_clock(struct worker_process *self) {
    struct worker_memory *memory = self->memory;
    uint64_t before = self->now;
    self->now = uv_hrtime();
    atomic_store_release(&memory->busy_time, atomic_load_any(&memory->busy_time) + self->now - before);
    self->items_a_look = self->now - before < SHORT_ITEM * self->items_unlooked ? ITEMS_A_LOOK : 1;
    self->items_unlooked = 0;
}

static void end_item(struct worker_process *self) {
    struct worker_memory *memory = self->memory;
    if (++self->items_unlooked >= self->items_a_look) {
        look_at_clock(self);
    }
    atomic_store_release(&memory->tasks, atomic_load_any(&memory->tasks) + 1);
    if (self->items_left != UINT64_MAX) {
        self->items_left--;
    }
    size_t resident = 0;
    self->must_leave = self->items_left == 0 ||
                       (self->memory_max > 0 && uv_resident_set_memory(&resident) == 0 && resident > self->memory_max);
}

static const mproc_target *find_target(const char *name, size_t size) {
    static const mproc_target *last;
    if (last != NULL && strlen(last->name) == size && memcmp(last->name, name, size) == 0) {
        return last;
    }
    for (const mproc_target *row = runtime.targets; row != NULL && row->name != NULL; row++) {
        if (strlen(row->name) == size && memcmp(row->name, name, size) == 0) {
            last = row;
            return row;
        }
    }
    return NULL;
}

static void carry_out_items(struct worker_process *self, const struct task_head *head) {
    const uint8_t *name = self->task.bytes.data + sizeof *head;
    const mproc_target *target = find_target((const char *)name, head->name_size);
    struct items items = {name + head->name_size, 0};
    size_t size = 0;
    if (head->form == TASK_BYTES) {
        size_t start = (size_t)(items.place - self->task.bytes.data);
        items.place = self->task.bytes.data + (start + TASK_ALIGNMENT - 1) / TASK_ALIGNMENT * TASK_ALIGNMENT;
    }
    self->now = uv_hrtime();
    self->items_a_look = 1;
    while (items.index < head->count && !self->must_leave) {
        bool is_wanted = items.index >= head->first;
        const uint8_t *item = next_item(head, &items, &size);
        if (!is_wanted) {
            continue;
        }
        begin_item(self, head, items.index - 1);
        if (atomic_load(&self->memory->cancelled) == head->number) {
            worker_publish_failure(self, head->number, MPROC_ECANCELED, "the task was cancelled before it ran");
        } else if (self->lost_handles != 0) {
            worker_publish_failure(
                self, head->number, self->lost_handles,
                "the handles in the task's arguments could not be received: its worker may have none left");
        } else if (target == NULL) {
            (void)error_set(MPROC_ETARGET, 0, "a function is not in the table given to mproc_init of the worker");
            worker_publish_failure(self, head->number, MPROC_ETARGET, mproc_last_error()->message);
        } else {
            carry_out_item(self, head, target, item, size);
        }
        end_item(self);
    }
}

/* Has the whole of a task sent, where only its head stood in the delivery. */
static int fetch(struct worker_process *self, const struct task_head *head) {
    int status = link_send_copy(self->link, FRAME_FETCH, &head->number, sizeof head->number, NULL);
    while (status == 0) {
        struct frame frame;
        status = link_receive(self->link, DEADLINE_NEVER, &frame);
        if (status == 0 && frame.kind == FRAME_TASK) {
            struct message handles = {{0}, NULL, 0, 0};
            self->lost_handles = link_receive_handles(self->link, &frame, &handles);
            message_clear(&self->task);
            self->task = handles;
            self->task.bytes.data = frame.body;
            self->task.bytes.size = self->task.bytes.capacity = frame.size;
            return 0;
        }
        memory_free(frame.body); /* a doorbell */
    }
    return status;
}

static int copy_task(struct worker_process *self, const struct delivery_item *item, struct task_head *head) {
    int status = 0;
    self->lost_handles = 0;
    memcpy(head, item->data, sizeof *head);
    if (head->is_elsewhere) {
        status = fetch(self, head);
        if (status == 0) {
            memcpy(head, self->task.bytes.data, sizeof *head);
        }
    } else {
        self->task.bytes.size = 0;
        status = buffer_append(&self->task.bytes, item->data, item->size);
    }
    return status;
}

static void carry_out_task(struct worker_process *self, const struct delivery_item *item) {
    struct worker_memory *memory = self->memory;
    struct task_head head;
    if (copy_task(self, item, &head) != 0) {
        self->must_leave = true; /* the task goes to another one */
        return;
    }
    /* From here on the task is this worker's: what it says below belongs to this number. */
    atomic_store_release(&memory->published, 0);
    atomic_store_release(&memory->first, head.first);
    atomic_store_release(&memory->begun, head.first);
    step();
    atomic_store_release(&memory->running, head.number);
    delivery_finish(&self->pool->delivery, item);
    step();
    carry_out_items(self, &head);
    if (self->items_unlooked > 0) {
        look_at_clock(self);
    }
    worker_send_results(self, head.number);
    atomic_store_release(&memory->begun_at, 0);
    if (!self->must_leave) { /* otherwise the rest of the task is found by it */
        atomic_store_release(&memory->running, 0);
    }
    if (self->task.handle_count > 0) {
        message_clear(&self->task);
    }
}

/* Waiting ------------------------------------------------------------------------------------------------------ */

static void lie_down(struct worker_process *self) {
    sleepers_add(self->pool, self->index);
    atomic_fence();
}

static bool take(const struct worker_process *self, struct delivery_item *item) {
    return delivery_take(&self->pool->delivery, TASK_KIND, self->index + 1, item) == DELIVERY_TAKEN;
}

/* Was rung for, and looks for tasks now: whoever hands one out from here on rings for the next worker. */
static void answer_bell(struct worker_process *self) {
    (void)sleepers_remove(self->pool, self->index); /* the bell may be an old one */
    (void)atomic_replace(&self->memory->rung, 0);
    atomic_fence();
}

/* Has another worker woken where there is more than this one takes. */
static void pass_bell_on(struct worker_process *self, const struct delivery_item *item) {
    static const uint64_t no_task = 0;
    if (delivery_has_next(&self->pool->delivery, item) && atomic_load(&self->pool->sleeper_count) > 0) {
        (void)link_send_copy(self->link, FRAME_FETCH, &no_task, sizeof no_task, NULL); /* or the pool has ended */
    }
}

/* The next task often comes soon after the last one: then it is here sooner than by the bell. */
static bool take_soon(const struct worker_process *self, struct delivery_item *item) {
    uint64_t end = self->now + LOOKING_TIME; /* from when the last one was done */
    while (uv_hrtime() < end) {
        if (take(self, item)) {
            return true;
        }
        self_yield();
    }
    return false;
}

/* Takes the next task, and waits for one; false: there will be none. */
static bool take_or_wait(struct worker_process *self, struct delivery_item *item) {
    bool was_rung = false;
    if (take(self, item) || take_soon(self, item)) {
        return true;
    }
    while (!take(self, item)) {
        struct frame frame;
        lie_down(self);
        step();
        if (take(self, item)) {
            answer_bell(self);
            was_rung = true;
            break;
        }
        if (atomic_load(&self->pool->ends) != 0) {
            return false;
        }
        step();
        if (link_receive(self->link, DEADLINE_NEVER, &frame) != 0) {
            return false; /* the pool has ended */
        }
        memory_free(frame.body);
        answer_bell(self);
        was_rung = true;
    }
    if (was_rung) {
        pass_bell_on(self, item);
    }
    return true;
}

/* The beginning ------------------------------------------------------------------------------------------------ */

static int open_link(struct worker_process *self, const cJSON *reference) {
    struct parcel parcel;
    struct link_ends ends;
    void *pool = NULL, *memory = NULL;
    int status = reference_take(reference, REFERENCE_WORKER, &parcel);
    if (status != 0) {
        return status;
    }
    memcpy(&self->index, parcel.bytes.data, sizeof self->index);
    ends.reader = parcel.handles[0];
    ends.writer = parcel.handles[1];
    ends.passage = parcel.handle_count > 4 ? parcel.handles[4] : HANDLE_INVALID;
    status = shared_memory_map(parcel.handles[2], sizeof(struct pool_memory), &pool);
    if (status == 0) {
        status = shared_memory_map(parcel.handles[3], sizeof(struct worker_memory), &memory);
    }
    parcel.handles[0] = parcel.handles[1] = HANDLE_INVALID;
    if (parcel.handle_count > 4) {
        parcel.handles[4] = HANDLE_INVALID;
    }
    parcel_clear(&parcel);
    if (status == 0) {
        status = link_open(&self->link, &ends, LINK_WAITS);
    } else {
        link_close_ends(&ends);
    }
    self->pool = pool;
    self->memory = memory;
    return status;
}

static int initialize(const char *name, cJSON *initargs) {
    mproc_task task;
    memset(&task, 0, sizeof task);
    task.target = runtime_target_named(name);
    task.args = initargs;
    if (task.target == NULL) {
        value_delete(initargs);
        return error_set(MPROC_ETARGET, 0, "the initializer %s is not in the table given to mproc_init", name);
    }
    int status = task_run(&task);
    task_clear(&task);
    return status;
}

static int set_up(struct worker_process *self, mproc_task *task) {
    const cJSON *reference = NULL, *initargs = NULL;
    const char *initializer = NULL;
    double items_max = 0, memory_max = 0;
    int status = mproc_unpack(task->args, "[o,s,o,f,f]", &reference, &initializer, &initargs, &items_max, &memory_max);
    if (status == 0) {
        status = open_link(self, reference);
    }
    if (status == 0) {
        self->items_left = items_max > 0 ? (uint64_t)items_max : UINT64_MAX;
        self->memory_max = (size_t)memory_max;
        self_ignore_interrupt();
    }
    if (status == 0 && initializer[0] != '\0') {
        status = initialize(initializer, cJSON_DetachItemFromArray(task->args, 2));
        if (status != 0) {
            const char *text = mproc_last_error()->message;
            (void)link_send_copy(self->link, FRAME_FAILED, text, strlen(text) + 1, NULL); /* or the pool has ended */
        }
    }
    return status;
}

void pool_worker_run(mproc_task *task) {
    static struct worker_process self;
    struct delivery_item item;
    if (set_up(&self, task) == 0) {
        atomic_store_release(&self.memory->ready_at, uv_hrtime());
        while (!self.must_leave && take_or_wait(&self, &item)) {
            carry_out_task(&self, &item);
        }
    }
    message_clear(&self.task);
    message_clear(&self.result);
    /* The link stays open until this process ends, by which the pool notices it. */
}
