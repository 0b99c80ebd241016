/* SPDX-License-Identifier: MIT */
/* Windows hands a handle to a process that is named, but whoever sends a message does not know which process will receive
 * it. So the handle waits in the program's first process, which lives as long as any of them, and the receiver fetches
 * it there. */
#include "platform/passage.h"

#include <windows.h>

#include "base/error.h"
#include "win32/system_error.h"

int passage_create(handle *a, handle *b) {
    *a = HANDLE_INVALID;
    *b = HANDLE_INVALID;
    return 0;
}

/* Where tickets are numbers: in this process itself, in the one that the passage names, or in the first one. */
struct keeper {
    HANDLE process;
    bool is_self, is_root;
};

static int open_keeper(handle passage, int root, struct keeper *keeper) {
    keeper->is_root = passage == HANDLE_INVALID;
    keeper->process = keeper->is_root ? OpenProcess(PROCESS_DUP_HANDLE, FALSE, (DWORD)root) : (HANDLE)passage;
    keeper->is_self = !keeper->is_root && GetProcessId(keeper->process) == GetCurrentProcessId();
    return keeper->process == NULL ? system_error(GetLastError(), "cannot open the program's first process") : 0;
}

static void close_keeper(const struct keeper *keeper) {
    if (keeper->is_root && keeper->process != NULL) {
        (void)CloseHandle(keeper->process);
    }
}

/* Closes what waits in the first process. In a process that a passage names it ends with that process: to close it from here
 * could wait for ever in Wine, see door.c. */
static void close_there(const struct keeper *keeper, const uint64_t *tickets, size_t count) {
    for (size_t i = 0; keeper->is_root && i < count; i++) {
        (void)DuplicateHandle(keeper->process, (HANDLE)(uintptr_t)tickets[i], NULL, NULL, 0, FALSE,
                              DUPLICATE_CLOSE_SOURCE);
    }
}

static int send_one(const struct keeper *keeper, handle sent, uint64_t *ticket) {
    HANDLE copy = (HANDLE)sent;
    if (!keeper->is_self &&
        !DuplicateHandle(GetCurrentProcess(), (HANDLE)sent, keeper->process, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        return system_error(GetLastError(), "cannot hand a handle over");
    }
    *ticket = (uint64_t)(uintptr_t)copy;
    return 0;
}

int passage_send(handle passage, int root, const handle *sent, size_t count, uint64_t *tickets) {
    struct keeper keeper;
    int status = open_keeper(passage, root, &keeper);
    for (size_t i = 0; i < count && status == 0; i++) {
        status = send_one(&keeper, sent[i], &tickets[i]);
        if (status != 0) {
            close_there(&keeper, tickets, i);
        }
    }
    close_keeper(&keeper);
    return status;
}

void passage_withdraw(handle passage, int root, const uint64_t *tickets, size_t count) {
    struct keeper keeper;
    if (open_keeper(passage, root, &keeper) == 0) {
        close_there(&keeper, tickets, count);
    }
    close_keeper(&keeper);
}

bool passage_keeps_tickets(void) {
    return true;
}

static int receive_one(const struct keeper *keeper, uint64_t ticket, handle *received) {
    HANDLE copy = (HANDLE)(uintptr_t)ticket;
    DWORD options = DUPLICATE_SAME_ACCESS | (keeper->is_root ? DUPLICATE_CLOSE_SOURCE : 0);
    if (!keeper->is_self &&
        !DuplicateHandle(keeper->process, (HANDLE)(uintptr_t)ticket, GetCurrentProcess(), &copy, 0, FALSE, options)) {
        return system_error(GetLastError(), "cannot receive a handle");
    }
    *received = (handle)copy;
    return 0;
}

int passage_receive(handle passage, int root, const uint64_t *tickets, size_t count, handle *received) {
    struct keeper keeper;
    size_t done = 0;
    int status = open_keeper(passage, root, &keeper);
    while (done < count && status == 0) {
        status = receive_one(&keeper, tickets[done], &received[done]);
        done += status == 0;
    }
    if (status != 0) {
        for (size_t i = 0; i < done; i++) {
            handle_close(received[i]);
        }
        close_there(&keeper, tickets + done, count - done);
    }
    close_keeper(&keeper);
    return status;
}
