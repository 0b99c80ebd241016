/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "base/clock.h"
#include "hub/hub.h"
#include "mproc.h"
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

static void do_nothing(void *context) {
    (void)context;
}

size_t test_open_handles(void) {
    for (int i = 0; i < 2 && hub_is_running(); i++) { /* what the first pass closes is gone with the second */
        hub_run(do_nothing, NULL);
    }
    return system_open_handles();
}

void test_assert_open_handles(size_t expected, const char *file, int line) {
    deadline patience = deadline_after(TEST_PATIENCE_MS);
    size_t count;
    while ((count = test_open_handles()) != expected && deadline_remaining_ms(patience) > 0) {
    }
    _assert_int_equal(count, expected, file, line);
}

static size_t noted_handles;

void test_note_open_handles(void) {
    noted_handles = test_open_handles();
}

void nothing_is_left_open(void **state) {
    (void)state;
    assert_int_equal(mproc_active_children(NULL, 0), 0);
    assert_open_handles(noted_handles);
}

void test_skip_if_impossible(const char *test) {
    const char *reason = system_cannot(test);
    if (reason != NULL) {
        print_message("%s is skipped: %s\n", test, reason);
        skip();
    }
}
