/* SPDX-License-Identifier: MIT */
/* The calling thread's last error. The lowest level that knows what failed sets it, the levels above pass the code on. */
#ifndef MPROC_BASE_ERROR_H
#define MPROC_BASE_ERROR_H

#include <stdarg.h>

#include "mproc/core.h"

/* Sets the thread's last error. system_code: errno or GetLastError(), 0 where the system is not the cause. The message
 * is cut, at a whole character, where it does not fit. Returns code. */
int error_set(int code, int system_code, const char *format, ...) MPROC_PRINTF(3, 4);
int error_set_va(int code, int system_code, const char *format, va_list arguments);

/* Puts words in front of the message that is there ("cannot start \"x\": " + "no such file"). Returns the code. */
int error_prefix(const char *format, ...) MPROC_PRINTF(1, 2);

/* For a code that comes from elsewhere, with or without its message in this thread: puts words in front of the message, or
 * of what mproc_strerror says where there is none. Returns code. error_forget has been called before. */
int error_explain(int code, const char *format, ...) MPROC_PRINTF(2, 3);
void error_forget(void);

/* Adds to the last error which task, and which process, it speaks of. target is copied, NULL is fine. */
void error_set_task(const char *target, int pid, int exitcode);

/* Shorthands for what many calls check. Each returns the code that it has set. */
int error_no_memory(size_t size);
static inline int error_null(const char *function, const char *parameter) {
    (void)error_set(MPROC_EINVAL, 0, "%s: parameter %s is NULL", function, parameter);
    return MPROC_EINVAL; /* to be seen by the analyzers of whoever calls */
}

/* 0, or MPROC_EINVAL for a negative timeout other than MPROC_FOREVER. */
int error_check_timeout(const char *function, int64_t timeout_ms);

#endif
