/* SPDX-License-Identifier: MIT */
#include "win32/transfer.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "win32/system_error.h"
#include "win32/wait_until.h"

static bool is_closed(DWORD number) {
    return number == ERROR_BROKEN_PIPE || number == ERROR_HANDLE_EOF || number == ERROR_PIPE_NOT_CONNECTED ||
           number == ERROR_NO_DATA;
}

int transfer_open(struct transfer *transfer, handle pipe) {
    memset(transfer, 0, sizeof *transfer);
    transfer->pipe = (HANDLE)pipe;
    transfer->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    return transfer->overlapped.hEvent == NULL ? system_error(GetLastError(), "cannot create an event") : 0;
}

void transfer_close(struct transfer *transfer) {
    if (transfer->overlapped.hEvent != NULL) {
        (void)CloseHandle(transfer->overlapped.hEvent);
    }
}

int transfer_finish(struct transfer *transfer, DWORD number, deadline until, const char *what, DWORD *size) {
    if (number != ERROR_SUCCESS && number != ERROR_IO_PENDING) {
        return is_closed(number) ? MPROC_ECLOSED : system_error(number, what);
    }
    if (number == ERROR_IO_PENDING && wait_until(&transfer->overlapped.hEvent, 1, until, what) != 0) {
        (void)CancelIoEx(transfer->pipe, &transfer->overlapped); /* it may just have ended: the result tells */
    }
    if (GetOverlappedResult(transfer->pipe, &transfer->overlapped, size, TRUE)) {
        return 0;
    }
    number = GetLastError();
    if (number == ERROR_OPERATION_ABORTED) {
        return MPROC_ETIMEDOUT;
    }
    return is_closed(number) ? MPROC_ECLOSED : system_error(number, what);
}
