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

static int open_root(int root, HANDLE *process) {
    *process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, (DWORD)root);
    return *process == NULL ? system_error(GetLastError(), "cannot open the program's first process") : 0;
}

int passage_send(handle passage, int root, handle sent, uint64_t *ticket) {
    HANDLE process = NULL, copy = NULL;
    (void)passage;
    int status = open_root(root, &process);
    if (status == 0 &&
        !DuplicateHandle(GetCurrentProcess(), (HANDLE)sent, process, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        status = system_error(GetLastError(), "cannot hand a handle over");
    }
    if (process != NULL) {
        (void)CloseHandle(process);
    }
    if (status == 0) {
        *ticket = (uint64_t)(uintptr_t)copy;
    }
    return status;
}

void passage_withdraw(int root, uint64_t ticket) {
    handle taken;
    if (passage_receive(HANDLE_INVALID, root, ticket, &taken) == 0) {
        handle_close(taken);
    }
}

bool passage_keeps_tickets(void) {
    return true;
}

int passage_receive(handle passage, int root, uint64_t ticket, handle *received) {
    HANDLE process = NULL, copy = NULL;
    (void)passage;
    int status = open_root(root, &process);
    if (status == 0 && !DuplicateHandle(process, (HANDLE)(uintptr_t)ticket, GetCurrentProcess(), &copy, 0, FALSE,
                                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE)) {
        status = system_error(GetLastError(), "cannot receive a handle");
    }
    if (process != NULL) {
        (void)CloseHandle(process);
    }
    if (status == 0) {
        *received = (handle)copy;
    }
    return status;
}
