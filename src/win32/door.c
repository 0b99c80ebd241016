/* SPDX-License-Identifier: MIT */
/* A record goes in one write, which a pipe keeps whole among those of other processes. The visitor keeps its handles until the
 * first process has copied them. (To have them closed there by the copying would save the event, but Wine then waits for a
 * thread of the visitor's, for ever where it has just been killed.) */
#include "platform/door.h"

#include <windows.h>

/* After windows.h, whose types it uses. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/pipe.h"
#include "win32/system_error.h"

#define CHUNK_RECORDS 64

struct record {
    uint64_t reader, writer, copied; /* in the visitor's table; copied: an event */
    uint32_t pid;
    uint32_t unused;
};

struct door {
    uv_pipe_t pipe;
    void (*on_visitor)(const struct door_visitor *visitor);
    uint8_t pending[CHUNK_RECORDS * sizeof(struct record)];
    size_t size; /* bytes pending: less than a record between two reads */
};

int door_create(handle *receiver, handle *sender) {
    return pipe_create(receiver, sender);
}

static int open_self(handle *self) {
    HANDLE process = GetCurrentProcess(), copy = NULL;
    if (!DuplicateHandle(process, process, process, &copy, PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION,
                         FALSE, 0)) {
        return system_error(GetLastError(), "cannot open this process");
    }
    *self = (handle)copy;
    return 0;
}

/* Returns when the handles have been copied. Should the first process end instead, this one does too. */
static int send_record(handle sender, handle reader, handle writer) {
    HANDLE copied = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (copied == NULL) {
        return system_error(GetLastError(), "cannot create an event");
    }
    struct record record = {(uint64_t)reader, (uint64_t)writer, (uint64_t)(uintptr_t)copied, GetCurrentProcessId(), 0};
    struct pipe_bytes part = {&record, sizeof record};
    int status = pipe_write(sender, &part, 1);
    if (status == 0 && WaitForSingleObject(copied, INFINITE) != WAIT_OBJECT_0) {
        status = system_error(GetLastError(), "cannot wait for the program's first process");
    }
    (void)CloseHandle(copied);
    return status;
}

int door_knock(handle sender, handle reader, handle writer, handle *passage) {
    handle self = HANDLE_INVALID;
    int status = open_self(&self);
    if (status == 0) {
        status = send_record(sender, reader, writer);
    }
    handle_close(reader);
    handle_close(writer);
    if (status != 0) {
        handle_close(self);
        return status;
    }
    *passage = self; /* what is handed over waits in this process: see passage.h */
    return 0;
}

static handle fetch(HANDLE process, uint64_t number) {
    HANDLE copy = NULL;
    return DuplicateHandle(process, (HANDLE)(uintptr_t)number, GetCurrentProcess(), &copy, 0, FALSE,
                           DUPLICATE_SAME_ACCESS)
               ? (handle)copy
               : HANDLE_INVALID;
}

/* A visitor that has ended meanwhile is none. */
static void receive(const struct door *door, const struct record *record) {
    struct door_visitor visitor = {(int)record->pid, HANDLE_INVALID, HANDLE_INVALID, HANDLE_INVALID};
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, record->pid);
    if (process == NULL) {
        return;
    }
    visitor.passage = (handle)process;
    visitor.reader = fetch(process, record->reader);
    visitor.writer = fetch(process, record->writer);
    handle copied = fetch(process, record->copied);
    if (copied != HANDLE_INVALID) {
        (void)SetEvent((HANDLE)copied); /* fails for what is no event only */
        handle_close(copied);
    }
    if (visitor.reader != HANDLE_INVALID && visitor.writer != HANDLE_INVALID) {
        door->on_visitor(&visitor);
    } else {
        handle_close(visitor.reader);
        handle_close(visitor.writer);
        handle_close(visitor.passage);
    }
}

static void give_room(uv_handle_t *pipe, size_t suggested, uv_buf_t *buffer) {
    struct door *door = pipe->data;
    (void)suggested;
    *buffer = uv_buf_init((char *)door->pending + door->size, (unsigned)(sizeof door->pending - door->size));
}

static void on_read(uv_stream_t *pipe, ssize_t count, const uv_buf_t *buffer) {
    struct door *door = pipe->data;
    size_t used = 0;
    (void)buffer;
    if (count <= 0) {
        return; /* this process itself holds a sending end, so the pipe does not end before the loop does */
    }
    door->size += (size_t)count;
    for (; door->size - used >= sizeof(struct record); used += sizeof(struct record)) {
        struct record record;
        memcpy(&record, door->pending + used, sizeof record);
        receive(door, &record);
    }
    door->size -= used;
    memmove(door->pending, door->pending + used, door->size);
}

int door_open(struct door **door, uv_loop_t *loop, handle receiver, void (*on_visitor)(const struct door_visitor *)) {
    struct door *opened = memory_allocate(sizeof *opened);
    if (opened == NULL) {
        handle_close(receiver);
        return MPROC_ENOMEM;
    }
    (void)uv_pipe_init(loop, &opened->pipe, 0); /* cannot fail for a loop that runs */
    opened->pipe.data = opened;
    opened->on_visitor = on_visitor;
    if (pipe_open_in_loop(&opened->pipe, receiver) != 0 ||
        uv_read_start((uv_stream_t *)&opened->pipe, give_room, on_read) != 0) {
        door_close(opened);
        return error_set(MPROC_ESYSTEM, 0, "cannot watch a pipe");
    }
    *door = opened;
    return 0;
}

static void on_closed(uv_handle_t *closed) {
    memory_free(closed->data);
}

void door_close(struct door *door) {
    if (door != NULL) {
        uv_close((uv_handle_t *)&door->pipe, on_closed);
    }
}
