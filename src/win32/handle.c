/* SPDX-License-Identifier: MIT */
#include "platform/handle.h"

#include <windows.h>

#include "base/error.h"
#include "win32/system_error.h"

void handle_close(handle closed) {
    if (closed != HANDLE_INVALID) {
        (void)CloseHandle((HANDLE)closed); /* it is given up, whatever this says */
    }
}

int handle_duplicate(handle original, handle *copy) {
    HANDLE self = GetCurrentProcess(), duplicate = NULL;
    if (!DuplicateHandle(self, (HANDLE)original, self, &duplicate, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        return system_error(GetLastError(), "cannot duplicate a handle");
    }
    *copy = (handle)duplicate;
    return 0;
}

int handle_adopt(handle inherited) {
    if (!SetHandleInformation((HANDLE)inherited, HANDLE_FLAG_INHERIT, 0)) {
        return error_set(MPROC_EINVAL, (int)GetLastError(), "handle %lld is not open", (long long)inherited);
    }
    return 0;
}
