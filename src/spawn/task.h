/* SPDX-License-Identifier: MIT */
/* A call being carried out: what its function sees as mproc_task. */
#ifndef MPROC_SPAWN_TASK_H
#define MPROC_SPAWN_TASK_H

#include <stdbool.h>

#include "base/atomic.h"

#include "mproc/core.h"

#define TASK_FAILURE_MAX 1000

/* An object that the task has taken up from an argument, and releases at its end. */
/* Raw bytes up to this size are returned without an allocation. */
#define TASK_RESULT_SMALL 64

struct task_object {
    int argument;
    void *object;
    void (*release)(void *object);
    struct task_object *next;
};

struct mproc_task {
    const mproc_target *target;
    cJSON *args; /* never NULL while it runs */
    cJSON *kwargs;
    const void *data; /* whoever runs the task keeps it, aligned to 16 */
    size_t size;
    struct task_object *objects;
    cJSON *result;
    void *result_bytes; /* `small_result`, or allocated */
    size_t result_size;
    const atomic_number *cancelled; /* what number is to give up; NULL: nobody can ask for it */
    uint64_t number;
    bool has_failed;
    uint64_t small_result[TASK_RESULT_SMALL / sizeof(uint64_t)];
    char failure[TASK_FAILURE_MAX + 1];
};

/* Carries the task out: calls its function, and then releases all that the task owns but its result. `task` has target,
 * args, kwargs, data and size set; args and kwargs are taken, NULL is none. Returns 0; MPROC_ETASK with the task's text;
 * MPROC_ENOMEM. */
int task_run(mproc_task *task);

/* The same, but args and kwargs are not NULL and stay as they are; what nobody has taken up from them has to end with them. */
int task_carry_out(mproc_task *task);

/* Frees the result. */
void task_clear(mproc_task *task);

/* A kind of object that can stand among a task's arguments. */
struct task_object_kind {
    const char *name; /* "a connection" */
    int (*open)(void **object, const cJSON *ref);
    void (*release)(void *object);
};

/* The object that an argument refers to, which the task owns: taken up the first time. NULL: it is none, and the task has
 * failed. */
void *task_object(mproc_task *task, int argument, const struct task_object_kind *kind);

#endif
