/* SPDX-License-Identifier: MIT */
#include "win32/wait_until.h"

#include "base/error.h"
#include "win32/system_error.h"

int wait_until(const HANDLE *objects, size_t count, deadline until, const char *what) {
    DWORD result;
    do {
        int left = deadline_remaining_ms(until);
        result = WaitForMultipleObjects((DWORD)count, objects, FALSE, left < 0 ? INFINITE : (DWORD)left);
    } while (result == WAIT_TIMEOUT && deadline_remaining_ms(until) != 0);
    if (result == WAIT_FAILED) {
        return system_error(GetLastError(), what);
    }
    return result == WAIT_TIMEOUT ? MPROC_ETIMEDOUT : 0;
}
