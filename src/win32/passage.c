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

/* The process in whose table the tickets are; `opened` is to be closed where it is not NULL. */
static int open_keeper(handle passage, int root, HANDLE *keeper, HANDLE *opened) {
    *opened = NULL;
    *keeper = (HANDLE)passage;
    if (passage == HANDLE_INVALID) {
        *opened = *keeper = OpenProcess(PROCESS_DUP_HANDLE, FALSE, (DWORD)root);
    }
    return *keeper == NULL ? system_error(GetLastError(), "cannot open the program's first process") : 0;
}

static void close_keeper(HANDLE opened) {
    if (opened != NULL) {
        (void)CloseHandle(opened);
    }
}

/* Closes what stands in another process's table. */
static void close_there(HANDLE keeper, const uint64_t *tickets, size_t count) {
    for (size_t i = 0; i < count; i++) {
        (void)DuplicateHandle(keeper, (HANDLE)(uintptr_t)tickets[i], NULL, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE);
    }
}

int passage_send(handle passage, int root, const handle *sent, size_t count, uint64_t *tickets) {
    HANDLE keeper = NULL, opened = NULL;
    size_t done = 0;
    int status = open_keeper(passage, root, &keeper, &opened);
    for (; status == 0 && done < count; done++) {
        HANDLE copy = NULL;
        if (!DuplicateHandle(GetCurrentProcess(), (HANDLE)sent[done], keeper, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
            status = system_error(GetLastError(), "cannot hand a handle over");
            close_there(keeper, tickets, done);
            break;
        }
        tickets[done] = (uint64_t)(uintptr_t)copy;
    }
    close_keeper(opened);
    return status;
}

void passage_withdraw(handle passage, int root, const uint64_t *tickets, size_t count) {
    HANDLE keeper = NULL, opened = NULL;
    if (open_keeper(passage, root, &keeper, &opened) == 0) {
        close_there(keeper, tickets, count);
    }
    close_keeper(opened);
}

bool passage_keeps_tickets(void) {
    return true;
}

int passage_receive(handle passage, int root, const uint64_t *tickets, size_t count, handle *received) {
    HANDLE keeper = NULL, opened = NULL;
    size_t done = 0;
    int status = open_keeper(passage, root, &keeper, &opened);
    for (; status == 0 && done < count; done++) {
        HANDLE copy = NULL;
        if (!DuplicateHandle(keeper, (HANDLE)(uintptr_t)tickets[done], GetCurrentProcess(), &copy, 0, FALSE,
                             DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE)) {
            status = system_error(GetLastError(), "cannot receive a handle");
            break;
        }
        received[done] = (handle)copy;
    }
    if (status != 0) {
        for (size_t i = 0; i < done; i++) {
            handle_close(received[i]);
        }
        if (keeper != NULL) {
            close_there(keeper, tickets + done, count - done);
        }
    }
    close_keeper(opened);
    return status;
}
