/* SPDX-License-Identifier: MIT */
#include "platform/handle.h"

#include <windows.h>

#include "base/error.h"

void handle_close(handle closed) {
    if (closed != HANDLE_INVALID) {
        (void)CloseHandle((HANDLE)closed); /* it is given up, whatever this says */
    }
}

int handle_adopt(handle inherited) {
    if (!SetHandleInformation((HANDLE)inherited, HANDLE_FLAG_INHERIT, 0)) {
        return error_set(MPROC_EINVAL, (int)GetLastError(), "handle %lld is not open", (long long)inherited);
    }
    return 0;
}
