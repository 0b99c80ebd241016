/* SPDX-License-Identifier: MIT */
#include "mproc/shared.h"

#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/hold.h"
#include "mproc/sync.h"
#include "platform/shared_memory.h"
#include "shared/shared_state.h"
#include "spawn/runtime.h"
#include "spawn/task.h"
#include "sync/sync_handle.h"

struct mproc_shared {
    struct hold hold;
    void *view;
    size_t size;
    struct sync_handle *lock;
};

static int ask(struct mproc_shared *shared, enum shared_operation operation, int64_t argument, struct answer *answer) {
    struct request request;
    memset(&request, 0, sizeof request);
    request.operation = operation;
    request.argument = argument;
    return hold_ask(&shared->hold, &request, DEADLINE_NEVER, answer);
}

/* What this machine, or this container, has at all. */
static uint64_t memory_there_is(void) {
    uint64_t total = uv_get_total_memory(), constrained = uv_get_constrained_memory();
    return constrained > 0 && constrained < total ? constrained : total;
}

static int check_size(const char *function, size_t size) {
    uint64_t total = memory_there_is();
    if (size == 0) {
        return error_set(MPROC_EINVAL, 0, "%s: parameter size is 0", function);
    }
    return total == 0 || size <= total
               ? 0
               : error_set(MPROC_ENOMEM, 0, "%s: %llu bytes are more than the %llu that there are", function,
                           (unsigned long long)size, (unsigned long long)total);
}

static int allocate(struct mproc_shared *shared, size_t size) {
    struct answer answer;
    int status = ask(shared, SHARED_ALLOCATE, (int64_t)size, &answer);
    payload_clear(&answer.payload);
    return status;
}

static int map(struct mproc_shared *shared) {
    struct answer answer;
    int status = ask(shared, SHARED_OPEN, 0, &answer);
    const struct message *message = &answer.payload.message;
    if (status == 0 && message->handle_count != 1) {
        status = error_set(MPROC_ESYSTEM, 0, "the shared memory did not arrive");
    }
    if (status == 0) {
        shared->size = (size_t)answer.value;
        status = shared_memory_map(message->handles[0], shared->size, &shared->view);
    }
    payload_clear(&answer.payload);
    return status;
}

static int open_lock(struct mproc_shared *shared) {
    struct answer answer;
    int status = ask(shared, SHARED_LOCK_OF, 0, &answer);
    payload_clear(&answer.payload);
    return status == 0 ? sync_handle_borrow(&shared->lock, REFERENCE_LOCK, (uint64_t)answer.value) : status;
}

/* The hold is taken, also on failure. size: to be allocated; 0: it has been. */
static int open_shared(const struct hold *hold, size_t size, mproc_shared **shared) {
    struct hold taken = *hold;
    mproc_shared *opened = memory_allocate(sizeof *opened);
    if (opened == NULL) {
        hold_close(&taken);
        return MPROC_ENOMEM;
    }
    opened->hold = *hold;
    int status = size > 0 ? allocate(opened, size) : 0;
    if (status == 0) {
        status = map(opened);
    }
    if (status == 0) {
        status = open_lock(opened);
    }
    if (status != 0) {
        mproc_shared_destroy(opened);
        return status;
    }
    *shared = opened;
    return 0;
}

static int create(mproc_shared **shared, const char *function, size_t size) {
    struct sync_handle *lock = NULL;
    struct hold hold;
    if (shared == NULL) {
        return error_null(function, "shared");
    }
    int status = runtime_check(function);
    if (status == 0) {
        status = check_size(function, size);
    }
    if (status == 0) {
        status = sync_handle_create(&lock, function, REFERENCE_LOCK, 1);
    }
    if (status != 0) {
        return status;
    }
    status = hold_create(&hold, REFERENCE_SHARED, (int64_t)lock->object.hold.object);
    if (status == 0) {
        status = open_shared(&hold, size, shared);
    }
    status = status == 0 ? 0 : error_explain(status, "%s: ", function);
    sync_handle_destroy(lock); /* the memory keeps it from now on */
    return status;
}

int mproc_shared_create(mproc_shared **shared, size_t size) {
    return create(shared, "mproc_shared_create", size);
}

int mproc_shared_create_copy(mproc_shared **shared, const void *data, size_t size) {
    static const char function[] = "mproc_shared_create_copy";
    int status = data != NULL ? create(shared, function, size) : error_null(function, "data");
    if (status == 0) {
        memcpy((*shared)->view, data, size); /* nobody else has it yet */
    }
    return status;
}

void mproc_shared_destroy(mproc_shared *shared) {
    if (shared != NULL) {
        sync_handle_destroy(shared->lock);
        shared_memory_unmap(shared->view, shared->size);
        hold_close(&shared->hold);
        memory_free(shared);
    }
}

cJSON *mproc_shared_ref(const mproc_shared *shared) {
    if (shared == NULL) {
        (void)error_null("mproc_shared_ref", "shared");
        return NULL;
    }
    return hold_reference(&shared->hold);
}

int mproc_shared_from(mproc_shared **shared, const cJSON *ref) {
    static const char function[] = "mproc_shared_from";
    struct hold hold;
    int status = runtime_check(function);
    if (status != 0) {
        return status;
    }
    if (shared == NULL || ref == NULL) {
        return error_null(function, shared == NULL ? "shared" : "ref");
    }
    status = hold_open(&hold, REFERENCE_SHARED, ref);
    if (status == 0) {
        status = open_shared(&hold, 0, shared);
    }
    return status == 0 ? 0 : error_explain(status, "%s: ", function);
}

static int open_argument(void **shared, const cJSON *ref) {
    mproc_shared *opened = NULL;
    int status = mproc_shared_from(&opened, ref);
    *shared = opened;
    return status;
}

static void release_argument(void *shared) {
    mproc_shared_destroy(shared);
}

struct mproc_shared *mproc_task_shared(mproc_task *task, int index) {
    static const struct task_object_kind kind = {"shared memory", open_argument, release_argument};
    return task_object(task, index, &kind);
}

void *mproc_shared_data(mproc_shared *shared) {
    return shared != NULL ? shared->view : NULL;
}

size_t mproc_shared_size(const mproc_shared *shared) {
    return shared != NULL ? shared->size : 0;
}

/* Copying with the lock held ----------------------------------------------------------------------------------- */

static int check_range(const mproc_shared *shared, const char *function, size_t offset, const void *data, size_t size) {
    if (shared == NULL || (data == NULL && size > 0)) {
        return error_null(function, shared == NULL ? "shared" : "data");
    }
    if (offset <= shared->size && size <= shared->size - offset) {
        return 0;
    }
    return error_set(MPROC_ERANGE, 0, "%s: %llu bytes from byte %llu on are not within the memory's %llu", function,
                     (unsigned long long)size, (unsigned long long)offset, (unsigned long long)shared->size);
}

static int copy(mproc_shared *shared, const char *function, void *to, const void *from, size_t size) {
    mproc_lock *lock = mproc_shared_lock(shared);
    int status = mproc_lock_acquire(lock, MPROC_FOREVER);
    bool is_held = status == 0 || status == MPROC_EDIED;
    if (is_held && size > 0) {
        memcpy(to, from, size);
    }
    if (is_held) {
        (void)mproc_lock_release(lock); /* it is this thread's */
    }
    return status == 0 ? 0 : error_prefix("%s: ", function);
}

int mproc_shared_read(mproc_shared *shared, size_t offset, void *data, size_t size) {
    static const char function[] = "mproc_shared_read";
    int status = check_range(shared, function, offset, data, size);
    return status == 0 ? copy(shared, function, data, (const char *)shared->view + offset, size) : status;
}

int mproc_shared_write(mproc_shared *shared, size_t offset, const void *data, size_t size) {
    static const char function[] = "mproc_shared_write";
    int status = check_range(shared, function, offset, data, size);
    return status == 0 ? copy(shared, function, (char *)shared->view + offset, data, size) : status;
}

struct mproc_lock *mproc_shared_lock(mproc_shared *shared) {
    return shared != NULL ? (struct mproc_lock *)shared->lock : NULL;
}
