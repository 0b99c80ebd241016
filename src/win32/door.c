/* SPDX-License-Identifier: MIT */
/* A record goes in one write, which a pipe keeps whole among those of other processes. */
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
    uint64_t reader, writer; /* in the visitor's table */
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

int door_knock(handle sender, handle reader, handle writer, handle *passage) {
    struct record record = {(uint64_t)reader, (uint64_t)writer, GetCurrentProcessId(), 0};
    struct pipe_bytes part = {&record, sizeof record};
    handle self = HANDLE_INVALID;
    int status = 0;
    HANDLE copy = NULL;
    if (!DuplicateHandle(GetCurrentProcess(), GetCurrentProcess(), GetCurrentProcess(), &copy, PROCESS_DUP_HANDLE,
                         FALSE, 0)) {
        status = system_error(GetLastError(), "cannot open this process");
    } else {
        self = (handle)copy;
        status = pipe_write(sender, &part, 1);
    }
    if (status != 0) {
        handle_close(self);
        handle_close(reader);
        handle_close(writer);
        return status;
    }
    *passage = self; /* what is handed over waits in this process: see passage.h */
    return 0;
}

static handle fetch(HANDLE process, uint64_t number) {
    HANDLE copy = NULL;
    return DuplicateHandle(process, (HANDLE)(uintptr_t)number, GetCurrentProcess(), &copy, 0, FALSE,
                           DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE)
               ? (handle)copy
               : HANDLE_INVALID;
}

/* A visitor that has ended meanwhile is none. */
static void receive(const struct door *door, const struct record *record) {
    struct door_visitor visitor = {(int)record->pid, HANDLE_INVALID, HANDLE_INVALID, HANDLE_INVALID};
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, record->pid);
    if (process == NULL) {
        return;
    }
    visitor.passage = (handle)process;
    visitor.reader = fetch(process, record->reader);
    visitor.writer = fetch(process, record->writer);
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
