/* SPDX-License-Identifier: MIT */
/* What every test program includes: CMocka, in the order that it wants. */
#ifndef MPROC_TEST_H
#define MPROC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A wait that only a fault makes last this long, in milliseconds. */
#define TEST_PATIENCE_MS 60000

/* Asserts that an mproc call succeeded, or failed with this code; prints mproc's message where it did not. */
#define assert_mproc(expected, call) test_assert_mproc((expected), (call), #call, __FILE__, __LINE__)
void test_assert_mproc(int expected, int actual, const char *call, const char *file, int line);

/* Asserts that the last error's message has this text in it. */
#define assert_message(part) test_assert_message((part), __FILE__, __LINE__)
void test_assert_message(const char *part, const char *file, int line);

/* Open descriptors or handles, once the hub has done all that it was given. */
size_t test_open_handles(void);
/* Asserts that there are as many again, which the hub may see to in its own time. */
#define assert_open_handles(expected) test_assert_open_handles((expected), __FILE__, __LINE__)
void test_assert_open_handles(size_t expected, const char *file, int line);

/* Between these two all that was opened is closed again: the second is a test, the last one of its program. */
void test_note_open_handles(void);
void nothing_is_left_open(void **state);

/* Skips the test where system_cannot tells that it cannot pass here, and prints why. test: __func__ */
void test_skip_if_impossible(const char *test);

#endif
