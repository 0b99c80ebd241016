/* SPDX-License-Identifier: MIT */
#include "hub/classes.h"

#include <stddef.h>

#include "queue/queue_state.h"

const struct object_class *class_of(enum reference_kind kind) {
    switch (kind) {
    case REFERENCE_QUEUE:
        return &queue_class;
    case REFERENCE_CONNECTION:
    case REFERENCE_WORKER:
        break; /* their two ends know nobody else */
    }
    return NULL;
}
