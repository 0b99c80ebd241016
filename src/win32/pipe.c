/* SPDX-License-Identifier: MIT */
/* A pipe is a named one with a name that nobody can guess and that is used up at once: anonymous pipes cannot be read
 * with a limit, nor by libuv. */
#include "platform/pipe.h"

#include <windows.h>

/* After windows.h, whose types it uses. */
#include <bcrypt.h>
#include <fcntl.h>
#include <io.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "win32/system_error.h"
#include "win32/transfer.h"
#include "win32/wait_until.h"

#define PIPE_BUFFER_SIZE 65536
#define NAME_CAPACITY 96
#define TRANSFER_MAX ((DWORD)1 << 30)

#ifndef PIPE_REJECT_REMOTE_CLIENTS
#define PIPE_REJECT_REMOTE_CLIENTS 0x00000008
#endif

static int make_name(wchar_t *name) {
    ULONG random[4];
    NTSTATUS status = BCryptGenRandom(NULL, (PUCHAR)random, sizeof random, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    if (status != 0) {
        return error_set(MPROC_ESYSTEM, (int)status, "cannot make a name for a pipe: no random numbers");
    }
    (void)swprintf(name, NAME_CAPACITY, L"\\\\.\\pipe\\mproc-%lx-%08lx%08lx%08lx%08lx",
                   (unsigned long)GetCurrentProcessId(), (unsigned long)random[0], (unsigned long)random[1],
                   (unsigned long)random[2], (unsigned long)random[3]);
    return 0;
}

/* server_access: PIPE_ACCESS_INBOUND or PIPE_ACCESS_OUTBOUND, and the client has the other; client_flags: its own. */
static int create_pair(DWORD server_access, DWORD client_flags, handle *server_end, handle *client_end) {
    wchar_t name[NAME_CAPACITY];
    DWORD client_access = server_access == PIPE_ACCESS_INBOUND ? GENERIC_WRITE | FILE_READ_ATTRIBUTES
                                                               : GENERIC_READ | FILE_WRITE_ATTRIBUTES;
    int status = make_name(name);
    if (status != 0) {
        return status;
    }
    HANDLE server = CreateNamedPipeW(name, server_access | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                     PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1,
                                     PIPE_BUFFER_SIZE, PIPE_BUFFER_SIZE, 0, NULL);
    if (server == INVALID_HANDLE_VALUE) {
        return system_error(GetLastError(), "cannot create a pipe");
    }
    HANDLE client = CreateFileW(name, client_access, 0, NULL, OPEN_EXISTING, client_flags, NULL);
    if (client == INVALID_HANDLE_VALUE) {
        status = system_error(GetLastError(), "cannot open a pipe");
        (void)CloseHandle(server);
        return status;
    }
    *server_end = (handle)server;
    *client_end = (handle)client;
    return 0;
}

int pipe_create(handle *reader, handle *writer) {
    return create_pair(PIPE_ACCESS_INBOUND, FILE_FLAG_OVERLAPPED, reader, writer);
}

/* Most programs do not expect an overlapped end. */
int pipe_create_for_program(handle *ours, handle *theirs, bool is_read_by_program) {
    return create_pair(is_read_by_program ? PIPE_ACCESS_OUTBOUND : PIPE_ACCESS_INBOUND, FILE_ATTRIBUTE_NORMAL, ours,
                       theirs);
}

int pipe_read(handle reader, void *data, size_t capacity, deadline until, size_t *size) {
    static const char what[] = "cannot read from a pipe";
    struct transfer transfer;
    DWORD count = 0;
    int status = transfer_open(&transfer, reader);
    while (status == 0 && count == 0) { /* a writer may have written nothing at all, which is no end of data here */
        DWORD wanted = capacity < TRANSFER_MAX ? (DWORD)capacity : TRANSFER_MAX;
        BOOL done = ReadFile(transfer.pipe, data, wanted, NULL, &transfer.overlapped);
        status = transfer_finish(&transfer, done ? ERROR_SUCCESS : GetLastError(), until, what, &count);
    }
    transfer_close(&transfer);
    if (status == 0) {
        *size = count;
    }
    return status;
}

int pipe_write(handle writer, const struct pipe_bytes *parts, size_t count) {
    static const char what[] = "cannot write to a pipe";
    struct transfer transfer;
    int status = transfer_open(&transfer, writer);
    for (size_t i = 0; i < count && status == 0; i++) {
        const char *place = parts[i].data;
        size_t left = parts[i].size;
        while (left > 0 && status == 0) {
            DWORD written = 0;
            DWORD wanted = left < TRANSFER_MAX ? (DWORD)left : TRANSFER_MAX;
            BOOL done = WriteFile(transfer.pipe, place, wanted, NULL, &transfer.overlapped);
            status = transfer_finish(&transfer, done ? ERROR_SUCCESS : GetLastError(), DEADLINE_NEVER, what, &written);
            place += written;
            left -= written;
        }
    }
    transfer_close(&transfer);
    return status;
}

/* Several at a time -------------------------------------------------------------------------------------------- */

#define PIECE_SIZE ((DWORD)65536)

/* A piece of what is read or written, which has to stay where it is until the system is done with it. */
struct pipe_pending {
    struct transfer transfer;
    bool is_begun;
    DWORD number;      /* what ReadFile or WriteFile gave */
    DWORD start, left; /* of what was read and not yet taken */
    char piece[PIECE_SIZE];
};

static int open_pending(const struct pipe_transfer *wanted) {
    if (*wanted->pending != NULL) {
        return 0;
    }
    struct pipe_pending *pending = memory_resize(NULL, sizeof *pending);
    if (pending == NULL) {
        return MPROC_ENOMEM;
    }
    pending->is_begun = false;
    pending->start = pending->left = 0;
    int status = transfer_open(&pending->transfer, wanted->pipe);
    if (status != 0) {
        memory_free(pending);
        return status;
    }
    *wanted->pending = pending;
    return 0;
}

void pipe_drop_pending(struct pipe_pending *pending) {
    DWORD size;
    if (pending == NULL) {
        return;
    }
    if (pending->is_begun) {
        (void)transfer_finish(&pending->transfer, pending->number, DEADLINE_NOW, "cannot use a pipe", &size);
    }
    transfer_close(&pending->transfer);
    memory_free(pending);
}

static void begin(const struct pipe_transfer *wanted) {
    struct pipe_pending *pending = *wanted->pending;
    HANDLE pipe = pending->transfer.pipe;
    BOOL done;
    if (pending->is_begun || pending->left > 0) {
        return;
    }
    pending->is_begun = true;
    if (wanted->is_write) {
        DWORD size = wanted->size < PIECE_SIZE ? (DWORD)wanted->size : PIECE_SIZE;
        memcpy(pending->piece, wanted->data, size);
        done = WriteFile(pipe, pending->piece, size, NULL, &pending->transfer.overlapped);
    } else {
        done = ReadFile(pipe, pending->piece, PIECE_SIZE, NULL, &pending->transfer.overlapped);
    }
    pending->number = done ? ERROR_SUCCESS : GetLastError();
}

static bool is_on_its_way(const struct pipe_pending *pending) {
    return pending->is_begun && pending->number == ERROR_IO_PENDING &&
           WaitForSingleObject(pending->transfer.overlapped.hEvent, 0) != WAIT_OBJECT_0;
}

/* Waits for the first one; false: the deadline is past. */
static bool wait_for_any(const struct pipe_transfer *transfers, size_t count, deadline until) {
    HANDLE events[PIPE_TRANSFERS_MAX];
    for (size_t i = 0; i < count; i++) {
        if (!is_on_its_way(*transfers[i].pending)) {
            return true;
        }
        events[i] = (*transfers[i].pending)->transfer.overlapped.hEvent;
    }
    return wait_until(events, count, until, "cannot wait for pipes") != MPROC_ETIMEDOUT;
}

/* Of what was read, as much as is wanted. */
static void take(struct pipe_transfer *wanted, struct pipe_pending *pending) {
    wanted->done = wanted->size < pending->left ? wanted->size : pending->left;
    memcpy(wanted->data, pending->piece + pending->start, wanted->done);
    pending->start += (DWORD)wanted->done;
    pending->left -= (DWORD)wanted->done;
}

/* Whether it got any further. What is on its way stays so. */
static bool harvest(struct pipe_transfer *wanted) {
    struct pipe_pending *pending = *wanted->pending;
    DWORD size = 0;
    wanted->done = 0;
    wanted->status = 0;
    if (is_on_its_way(pending)) {
        return false;
    }
    if (pending->is_begun) {
        wanted->status =
            transfer_finish(&pending->transfer, pending->number, DEADLINE_NEVER,
                            wanted->is_write ? "cannot write to a pipe" : "cannot read from a pipe", &size);
        pending->is_begun = false;
    }
    if (wanted->is_write) {
        wanted->done = size;
    } else {
        if (size > 0) {
            pending->start = 0;
            pending->left = size;
        }
        take(wanted, pending);
    }
    return wanted->done > 0 || wanted->status != 0;
}

int pipe_transfer_any(struct pipe_transfer *transfers, size_t count, deadline until) {
    int status = 0;
    bool has_progress = false, in_time = true;
    for (size_t i = 0; i < count && status == 0; i++) {
        status = open_pending(&transfers[i]);
    }
    while (status == 0 && !has_progress && in_time) {
        for (size_t i = 0; i < count; i++) {
            begin(&transfers[i]);
        }
        in_time = wait_for_any(transfers, count, until);
        for (size_t i = 0; i < count; i++) {
            has_progress = harvest(&transfers[i]) || has_progress;
        }
    }
    return status != 0 || has_progress ? status : MPROC_ETIMEDOUT;
}

/* A write that does not fit has to wait on Windows, and cannot be called back in the middle without doubt about how much
 * was taken. So only what is sure to fit is written: nothing, for the system does not tell reliably (FilePipeLocal-
 * Information is not in Wine); the hub then writes all of it. */
int pipe_write_some(handle writer, const void *data, size_t size, size_t *written) {
    (void)writer;
    (void)data;
    (void)size;
    *written = 0;
    return 0;
}

int pipe_open_in_loop(uv_pipe_t *pipe, handle given) {
    int file = _open_osfhandle((intptr_t)given, _O_BINARY);
    if (file < 0) {
        handle_close(given);
        return MPROC_ESYSTEM;
    }
    if (uv_pipe_open(pipe, file) != 0) {
        (void)_close(file); /* and with it the handle */
        return MPROC_ESYSTEM;
    }
    return 0;
}
