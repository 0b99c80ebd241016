/* SPDX-License-Identifier: MIT */
/* A process's handle of a queue, for the files that carry out its functions. */
#ifndef MPROC_QUEUE_QUEUE_HANDLE_H
#define MPROC_QUEUE_QUEUE_HANDLE_H

#include <uv.h>

#include "hub/hold.h"
#include "hub/shared_block.h"
#include "mproc/queue.h"

/* Memory that is shared with the queue itself, from when it is first wanted. */
struct shared_part {
    bool was_asked_for;
    atomic_number view; /* struct shared_view *, or 0 */
};

struct mproc_queue {
    struct hold hold;
    atomic_number open_epoch; /* hold_epoch() when the queue was known to be open and without a limit */
    uv_mutex_t mutex;         /* of asking for what follows */
    struct shared_part delivery, store;
};

/* NULL: it is not there. */
struct shared_view *shared_part_view(const struct shared_part *part);

/* The same, but asks for it by this operation, once. */
struct shared_view *queue_open_part(mproc_queue *queue, struct shared_part *part, uint32_t operation, size_t size);

/* The error of a queue's own, told by the function that asked; 0 stays 0. */
int queue_explain(const char *function, int status, int64_t timeout_ms);

#endif
