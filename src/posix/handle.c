/* SPDX-License-Identifier: MIT */
#include "platform/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "posix/system_error.h"

void handle_close(handle closed) {
    if (closed != HANDLE_INVALID) {
        (void)close((int)closed); /* a descriptor is gone even when close reports an error */
    }
}

int handle_duplicate(handle original, handle *copy) {
    int descriptor = fcntl((int)original, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) {
        return system_error(errno, "cannot duplicate a descriptor");
    }
    *copy = descriptor;
    return 0;
}

int handle_adopt(handle inherited) {
    if (inherited > INT32_MAX || inherited < 0 || fcntl((int)inherited, F_SETFD, FD_CLOEXEC) != 0) {
        return error_set(MPROC_EINVAL, errno, "descriptor %lld is not open", (long long)inherited);
    }
    return 0;
}
