/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "mproc/core.h"
#include "system.h"

void test_assert_mproc(int expected, int actual, const char *call, const char *file, int line) {
    if (actual != expected) {
        print_error("%s gave %s, not %s: %s\n", call, mproc_err_name(actual), mproc_err_name(expected),
                    mproc_last_error()->message);
        _fail(file, line);
    }
}

void test_assert_message(const char *part, const char *file, int line) {
    const char *message = mproc_last_error()->message;
    if (strstr(message, part) == NULL) {
        print_error("the message \"%s\" has no \"%s\" in it\n", message, part);
        _fail(file, line);
    }
}

void test_skip_if_impossible(const char *test) {
    const char *reason = system_cannot(test);
    if (reason != NULL) {
        print_message("%s is skipped: %s\n", test, reason);
        skip();
    }
}
