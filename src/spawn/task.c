/* SPDX-License-Identifier: MIT */
#include "spawn/task.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "mproc/value.h"
#include "value/reference.h"
#include "value/value.h"

const cJSON *mproc_task_args(const mproc_task *task) {
    return task->args;
}

const cJSON *mproc_task_kwargs(const mproc_task *task) {
    return task->kwargs;
}

const void *mproc_task_bytes(const mproc_task *task, size_t *size) {
    if (size != NULL) {
        *size = task->size;
    }
    return task->size > 0 ? task->data : NULL;
}

int mproc_task_unpack(mproc_task *task, const char *format, ...) {
    va_list targets;
    va_start(targets, format);
    int status = value_unpack_arguments(task->target->name, task->args, task->kwargs, format, targets);
    va_end(targets);
    if (status != 0) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
    }
    return status;
}

static void drop_result(mproc_task *task) {
    value_delete(task->result);
    if (task->result_bytes != task->small_result) {
        memory_free(task->result_bytes);
    }
    task->result = NULL;
    task->result_bytes = NULL;
    task->result_size = 0;
}

void mproc_task_return(mproc_task *task, cJSON *value) {
    drop_result(task);
    if (value == NULL && value_pending_error() != 0) {
        mproc_task_fail(task, "%s: the result: %s", task->target->name, mproc_last_error()->message);
    }
    task->result = value;
}

int mproc_task_return_bytes(mproc_task *task, const void *data, size_t size) {
    if (data == NULL && size > 0) {
        return error_null("mproc_task_return_bytes", "data");
    }
    void *copy = size <= sizeof task->small_result ? task->small_result : memory_resize(NULL, size);
    if (copy == NULL) {
        return MPROC_ENOMEM;
    }
    if (size > 0) {
        memmove(copy, data, size); /* it may be the result of before */
    }
    drop_result(task);
    task->result_bytes = copy;
    task->result_size = size;
    return 0;
}

void mproc_task_fail(mproc_task *task, const char *format, ...) {
    va_list arguments;
    if (task->has_failed) {
        return; /* what failed first is the cause of what failed after it */
    }
    va_start(arguments, format);
    int length = vsnprintf(task->failure, sizeof task->failure, format, arguments);
    va_end(arguments);
    if (length < 0) {
        task->failure[0] = '\0';
    } else if ((size_t)length >= sizeof task->failure) {
        task->failure[text_cut(task->failure, TASK_FAILURE_MAX)] = '\0';
    }
    task->has_failed = true;
}

bool mproc_task_cancelled(const mproc_task *task) {
    return task->cancelled != NULL && atomic_load(task->cancelled) == task->number;
}

static void *find_object(const mproc_task *task, int argument) {
    for (const struct task_object *object = task->objects; object != NULL; object = object->next) {
        if (object->argument == argument) {
            return object->object;
        }
    }
    return NULL;
}

/* On failure the object is released at once. */
static int add_object(mproc_task *task, int argument, void *object, void (*release)(void *object)) {
    struct task_object *added = memory_allocate(sizeof *added);
    if (added == NULL) {
        release(object);
        return MPROC_ENOMEM;
    }
    added->argument = argument;
    added->object = object;
    added->release = release;
    added->next = task->objects;
    task->objects = added;
    return 0;
}

void *task_object(mproc_task *task, int argument, const struct task_object_kind *kind) {
    void *object = find_object(task, argument);
    const cJSON *value = cJSON_GetArrayItem(task->args, argument);
    char text[96];
    if (object != NULL) {
        return object;
    }
    if (value == NULL || !reference_is(value)) {
        mproc_task_fail(task, "%s: argument %d should be %s, but is %s", task->target->name, argument, kind->name,
                        value_describe(value, text, sizeof text));
        return NULL;
    }
    int status = kind->open(&object, value);
    if (status == 0) {
        status = add_object(task, argument, object, kind->release);
    }
    if (status != 0) {
        mproc_task_fail(task, "%s: argument %d: %s", task->target->name, argument, mproc_last_error()->message);
        return NULL;
    }
    return object;
}

static void release_objects(mproc_task *task) {
    while (task->objects != NULL) {
        struct task_object *object = task->objects;
        task->objects = object->next;
        object->release(object->object);
        memory_free(object);
    }
}

/* What nobody has taken up from the arguments ends with the task. */
static void release_arguments(mproc_task *task) {
    value_delete(task->args);
    value_delete(task->kwargs);
    task->args = task->kwargs = NULL;
}

int task_carry_out(mproc_task *task) {
    task->target->fn(task);
    release_objects(task);
    if (task->has_failed) {
        (void)error_set(MPROC_ETASK, 0, "%s", task->failure);
        error_set_task(task->target->name, mproc_getpid(), 0);
        return MPROC_ETASK;
    }
    return 0;
}

int task_run(mproc_task *task) {
    int status = 0;
    if (task->args == NULL) {
        task->args = cJSON_CreateArray();
    }
    if (task->kwargs == NULL) {
        task->kwargs = cJSON_CreateObject();
    }
    if (task->args == NULL || task->kwargs == NULL) {
        status = error_no_memory(sizeof(cJSON));
    } else {
        status = task_carry_out(task);
    }
    release_arguments(task);
    return status;
}

void task_clear(mproc_task *task) {
    drop_result(task);
}
