/* SPDX-License-Identifier: MIT */
/* What the worker process knows of itself: worker.c takes tasks and carries them out, worker_results.c publishes results. */
#ifndef MPROC_POOL_WORKER_PROCESS_H
#define MPROC_POOL_WORKER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "link/link.h"
#include "pool/worker_memory.h"
#include "spawn/task.h"
#include "value/message.h"

struct worker_process {
    unsigned index;
    struct link *link;
    struct pool_memory *pool;
    struct worker_memory *memory;
    uint64_t items_left; /* until it is to be replaced; UINT64_MAX: never */
    size_t memory_max;   /* 0: no limit */
    bool must_leave;
    int lost_handles;    /* 0; else why those of the task could not be received */
    struct message task; /* the one that is carried out, used again and again */
    struct message result;
    uint64_t sent_at;        /* when results were sent last */
    uint64_t now;            /* when the clock was looked at last */
    uint32_t items_unlooked; /* since then */
    uint32_t items_a_look;
};

/* The result of the item that is next in the task of this number, whose death from here on costs nothing. */
void worker_publish_failure(struct worker_process *self, uint64_t number, int code, const char *text);
void worker_publish_bytes(struct worker_process *self, const struct task_head *head, const mproc_task *task);
void worker_publish_value(struct worker_process *self, const struct task_head *head, const mproc_task *task);

/* Sends what is published and not yet sent. */
void worker_send_results(struct worker_process *self, uint64_t number);

#endif
