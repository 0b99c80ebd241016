/* SPDX-License-Identifier: MIT */
#include "posix/system_error.h"

#include <errno.h>
#include <uv.h>

#include "base/error.h"

static int code_of(int number) {
    switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:
        return MPROC_ENOTFOUND;
    case EACCES:
    case EPERM:
    case ENOEXEC:
        return MPROC_EPERM;
    case ENOMEM:
        return MPROC_ENOMEM;
    case ENOSYS:
        return MPROC_ENOTSUP;
    default:
        return MPROC_ESYSTEM;
    }
}

int system_error(int number, const char *what) {
    char text[128];
    uv_strerror_r(-number, text, sizeof text); /* libuv's codes are the negated numbers here */
    return error_set(code_of(number), number, "%s: %s", what, text);
}
