/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/thread_local.h"

#define MESSAGE_CAPACITY 1024
#define TARGET_CAPACITY 256

struct last_error {
    mproc_error error;
    char message[MESSAGE_CAPACITY];
    char target[TARGET_CAPACITY];
};

static THREAD_LOCAL struct last_error last;

const mproc_error *mproc_last_error(void) {
    last.error.message = last.message; /* a thread's first call finds zeros */
    return &last.error;
}

const char *mproc_strerror(int code) {
    switch (code) {
#define TEXT_CASE(name, number, text)                                                                                  \
    case name:                                                                                                         \
        return text;
        MPROC_ERRORS(TEXT_CASE)
#undef TEXT_CASE
    case MPROC_OK:
        return "no error";
    default:
        return "unknown error";
    }
}

const char *mproc_err_name(int code) {
    switch (code) {
#define NAME_CASE(name, number, text)                                                                                  \
    case name:                                                                                                         \
        return #name;
        MPROC_ERRORS(NAME_CASE)
#undef NAME_CASE
    case MPROC_OK:
        return "MPROC_OK";
    default:
        return "MPROC_E?";
    }
}

/* Copies what fits, and nothing of a character that does not. */
static void copy_cut(char *target, size_t capacity, const char *text) {
    size_t size = text_cut(text, capacity - 1);
    memmove(target, text, size);
    target[size] = '\0';
}

int error_set_va(int code, int system_code, const char *format, va_list arguments) {
    char message[MESSAGE_CAPACITY + 4]; /* the arguments may stand in the old message; and a cut character is seen */
    if (vsnprintf(message, sizeof message, format, arguments) < 0) {
        message[0] = '\0';
    }
    copy_cut(last.message, sizeof last.message, message);
    last.error.code = code;
    last.error.system_code = system_code;
    last.error.target = NULL;
    last.error.pid = 0;
    last.error.exitcode = 0;
    return code;
}

int error_set(int code, int system_code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)error_set_va(code, system_code, format, arguments);
    va_end(arguments);
    return code;
}

static int prefix_va(const char *format, va_list arguments) {
    char prefix[MESSAGE_CAPACITY], message[2 * MESSAGE_CAPACITY];
    if (vsnprintf(prefix, sizeof prefix, format, arguments) < 0) {
        prefix[0] = '\0';
    }
    (void)snprintf(message, sizeof message, "%s%s", prefix, last.message);
    copy_cut(last.message, sizeof last.message, message);
    return last.error.code;
}

int error_prefix(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int code = prefix_va(format, arguments);
    va_end(arguments);
    return code;
}

int error_explain(int code, const char *format, ...) {
    va_list arguments;
    if (last.error.code != code) {
        (void)error_set(code, 0, "%s", mproc_strerror(code));
    }
    va_start(arguments, format);
    (void)prefix_va(format, arguments);
    va_end(arguments);
    return code;
}

void error_forget(void) {
    last.error.code = 0;
}

void error_set_task(const char *target, int pid, int exitcode) {
    last.error.target = NULL;
    if (target != NULL) {
        copy_cut(last.target, sizeof last.target, target);
        last.error.target = last.target;
    }
    last.error.pid = pid;
    last.error.exitcode = exitcode;
}

int error_no_memory(size_t size) {
    return error_set(MPROC_ENOMEM, 0, "no memory for %llu bytes", (unsigned long long)size);
}

int error_check_timeout(const char *function, int64_t timeout_ms) {
    if (timeout_ms >= 0 || timeout_ms == MPROC_FOREVER) {
        return 0;
    }
    return error_set(MPROC_EINVAL, 0, "%s: timeout_ms is %lld; use milliseconds, 0 to not wait, or MPROC_FOREVER",
                     function, (long long)timeout_ms);
}
