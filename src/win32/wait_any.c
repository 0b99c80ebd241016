/* SPDX-License-Identifier: MIT */
/* Windows waits for 64 objects at most. The first ones are waited for by this thread itself; for the others the system's
 * pool of threads does, and sets one event that stands for all of them.
 *
 * A pipe is no object that can be waited for, but a read of no bytes ends when there are some. */
#include "platform/wait_any.h"

#include <windows.h>

#include "base/error.h"
#include "base/memory.h"
#include "win32/system_error.h"
#include "win32/transfer.h"
#include "win32/wait_until.h"

#define DIRECT_MAX (MAXIMUM_WAIT_OBJECTS - 1)

/* A source while it is waited for. */
struct waited {
    struct wait_source *source;
    HANDLE object;
    struct transfer read; /* of a pipe: its event is the object */
    DWORD number;         /* what ReadFile gave */
    HANDLE registration;  /* with the system's pool; NULL: none */
};

static int begin(struct waited *waited, struct wait_source *source) {
    int status = 0;
    waited->source = source;
    waited->object = (HANDLE)source->waited;
    if (source->kind == WAIT_FOR_DATA) {
        status = transfer_open(&waited->read, source->waited);
        if (status != 0) {
            return status;
        }
        BOOL done = ReadFile(waited->read.pipe, &waited->number, 0, NULL, &waited->read.overlapped);
        waited->number = done ? ERROR_SUCCESS : GetLastError();
        waited->object = waited->read.overlapped.hEvent;
    }
    return 0;
}

static bool is_ready_at_once(const struct waited *waited) {
    return waited->source->kind == WAIT_FOR_DATA && waited->number != ERROR_IO_PENDING;
}

/* A pipe that cannot be read is ready: whoever reads is told. */
static void end(struct waited *waited) {
    struct wait_source *source = waited->source;
    DWORD size;
    if (source->kind == WAIT_FOR_DATA) {
        source->is_ready = transfer_finish(&waited->read, waited->number, DEADLINE_NOW, "cannot wait for a pipe",
                                           &size) != MPROC_ETIMEDOUT;
        transfer_close(&waited->read);
    } else {
        source->is_ready = WaitForSingleObject(waited->object, 0) == WAIT_OBJECT_0;
    }
}

/* The pool -------------------------------------------------------------------------------------------------------- */

static VOID CALLBACK on_signaled(PVOID event, BOOLEAN timed_out) {
    (void)timed_out;
    (void)SetEvent((HANDLE)event);
}

static void unregister_all(struct waited *waited, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (waited[i].registration != NULL) {
            (void)UnregisterWaitEx(waited[i].registration, INVALID_HANDLE_VALUE); /* returns when the pool is done */
        }
    }
}

static int register_all(struct waited *waited, size_t count, HANDLE event) {
    for (size_t i = 0; i < count; i++) {
        if (!RegisterWaitForSingleObject(&waited[i].registration, waited[i].object, on_signaled, event, INFINITE,
                                         WT_EXECUTEINWAITTHREAD | WT_EXECUTEONLYONCE)) {
            waited[i].registration = NULL;
            return system_error(GetLastError(), "cannot wait for so many things");
        }
    }
    return 0;
}

/* Waiting --------------------------------------------------------------------------------------------------------- */

static int wait_for_all(struct waited *waited, size_t count, deadline until) {
    static const char what[] = "cannot wait for several things";
    HANDLE objects[MAXIMUM_WAIT_OBJECTS];
    size_t direct = count < DIRECT_MAX ? count : DIRECT_MAX;
    int status = 0;
    if (until == DEADLINE_NOW) {
        return MPROC_ETIMEDOUT; /* each is looked at anyway */
    }
    for (size_t i = 0; i < direct; i++) {
        objects[i] = waited[i].object;
    }
    if (direct == count) {
        return wait_until(objects, direct, until, what);
    }
    objects[direct] = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (objects[direct] == NULL) {
        return system_error(GetLastError(), "cannot create an event");
    }
    status = register_all(waited + direct, count - direct, objects[direct]);
    if (status == 0) {
        status = wait_until(objects, direct + 1, until, what);
    }
    unregister_all(waited + direct, count - direct);
    (void)CloseHandle(objects[direct]);
    return status;
}

int wait_any(struct wait_source *sources, size_t count, deadline until) {
    struct waited *waited = memory_allocate(count * sizeof *waited);
    size_t begun = 0;
    int status = waited != NULL ? 0 : MPROC_ENOMEM;
    for (size_t i = 0; i < count && status == 0; i++) {
        sources[i].is_ready = false;
        if (sources[i].kind != WAIT_FOR_NOTHING) {
            status = begin(&waited[begun], &sources[i]);
            begun += status == 0;
        }
    }
    for (size_t i = 0; i < begun; i++) {
        until = status != 0 || is_ready_at_once(&waited[i]) ? DEADLINE_NOW : until;
    }
    if (status == 0) {
        status = wait_for_all(waited, begun, until);
    }
    bool has_ready = false;
    for (size_t i = 0; i < begun; i++) {
        end(&waited[i]);
        has_ready = has_ready || waited[i].source->is_ready;
    }
    memory_free(waited);
    return status == MPROC_ETIMEDOUT && has_ready ? 0 : status;
}
