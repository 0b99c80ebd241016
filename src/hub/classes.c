/* SPDX-License-Identifier: MIT */
#include "hub/classes.h"

#include <stddef.h>

#include "queue/queue_state.h"
#include "shared/shared_state.h"
#include "sync/sync_state.h"

const struct object_class *class_of(enum reference_kind kind) {
    switch (kind) {
    case REFERENCE_QUEUE:
        return &queue_class;
    case REFERENCE_LOCK:
        return &lock_class;
    case REFERENCE_SEMAPHORE:
        return &semaphore_class;
    case REFERENCE_EVENT:
        return &event_class;
    case REFERENCE_CONDITION:
        return &condition_class;
    case REFERENCE_BARRIER:
        return &barrier_class;
    case REFERENCE_SHARED:
        return &shared_class;
    case REFERENCE_CONNECTION:
    case REFERENCE_WORKER:
        break; /* their two ends know nobody else */
    }
    return NULL;
}
