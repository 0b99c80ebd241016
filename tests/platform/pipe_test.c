/* SPDX-License-Identifier: MIT */
/* The seam's pipes: what each system has to do in the same way. */
#include "support/test.h"

#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "mproc/core.h"
#include "platform/pipe.h"
#include "support/system.h"

static void bytes_arrive_in_order(void **state) {
    (void)state;
    handle reader, writer;
    struct pipe_bytes parts[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
    char read[8] = "";
    size_t filled = 0;
    assert_mproc(0, pipe_create(&reader, &writer));
    assert_mproc(0, pipe_write(writer, parts, 3));
    while (filled < 5) {
        size_t size;
        assert_mproc(0, pipe_read(reader, read + filled, sizeof read - filled, DEADLINE_NEVER, &size));
        assert_in_range(size, 1, 5 - filled);
        filled += size;
    }
    assert_memory_equal(read, "abcde", 5);
    handle_close(reader);
    handle_close(writer);
}

static void an_empty_pipe_times_out_and_loses_nothing(void **state) {
    (void)state;
    handle reader, writer;
    struct pipe_bytes part = {"x", 1};
    char byte;
    size_t size;
    assert_mproc(0, pipe_create(&reader, &writer));
    assert_mproc(MPROC_ETIMEDOUT, pipe_read(reader, &byte, 1, DEADLINE_NOW, &size));
    assert_mproc(MPROC_ETIMEDOUT, pipe_read(reader, &byte, 1, deadline_after(20), &size));
    assert_mproc(0, pipe_write(writer, &part, 1));
    assert_mproc(0, pipe_read(reader, &byte, 1, DEADLINE_NOW, &size));
    assert_int_equal(byte, 'x');
    handle_close(reader);
    handle_close(writer);
}

static void what_was_written_outlives_the_writer(void **state) {
    (void)state;
    handle reader, writer;
    struct pipe_bytes part = {"last", 4};
    char read[8];
    size_t size;
    assert_mproc(0, pipe_create(&reader, &writer));
    assert_mproc(0, pipe_write(writer, &part, 1));
    handle_close(writer);
    assert_mproc(0, pipe_read(reader, read, sizeof read, DEADLINE_NEVER, &size));
    assert_int_equal(size, 4);
    assert_mproc(MPROC_ECLOSED, pipe_read(reader, read, sizeof read, DEADLINE_NEVER, &size));
    handle_close(reader);
}

static void writing_to_nobody_is_an_error_and_no_signal(void **state) {
    (void)state;
    handle reader, writer;
    struct pipe_bytes part = {"x", 1};
    assert_mproc(0, pipe_create(&reader, &writer));
    handle_close(reader);
    assert_mproc(MPROC_ECLOSED, pipe_write(writer, &part, 1));
    handle_close(writer);
}

static char much[1 << 20];

static void write_much(void *writer) {
    struct pipe_bytes part = {much, sizeof much};
    *(int *)writer = pipe_write(*(handle *)writer, &part, 1);
}

static void a_full_pipe_is_waited_for(void **state) {
    (void)state;
    static char read[sizeof much];
    union {
        handle writer;
        int status;
    } shared;
    handle reader, writer;
    uv_thread_t thread;
    size_t filled = 0;
    for (size_t i = 0; i < sizeof much; i++) {
        much[i] = (char)(i * 7);
    }
    assert_mproc(0, pipe_create(&reader, &writer));
    shared.writer = writer;
    assert_int_equal(uv_thread_create(&thread, write_much, &shared), 0);
    while (filled < sizeof read) {
        size_t size;
        assert_mproc(0, pipe_read(reader, read + filled, sizeof read - filled, DEADLINE_NEVER, &size));
        filled += size;
    }
    assert_int_equal(uv_thread_join(&thread), 0);
    assert_int_equal(shared.status, 0);
    assert_memory_equal(read, much, sizeof much);
    handle_close(reader);
    handle_close(writer);
}

static void what_fits_is_written_without_waiting(void **state) {
    (void)state;
    handle reader, writer;
    size_t total = 0, written, size;
    assert_mproc(0, pipe_create(&reader, &writer));
    do {
        assert_mproc(0, pipe_write_some(writer, much, sizeof much, &written));
        total += written;
    } while (written > 0);
    while (total > 0) { /* all that counted as written is there */
        static char read[65536];
        assert_mproc(0, pipe_read(reader, read, sizeof read, DEADLINE_NOW, &size));
        assert_true(size <= total);
        total -= size;
    }
    assert_mproc(MPROC_ETIMEDOUT, pipe_read(reader, much, 1, DEADLINE_NOW, &size));
    handle_close(reader);
    handle_close(writer);
}

static void closing_releases_all(void **state) {
    (void)state;
    size_t before = system_open_handles();
    for (int i = 0; i < 100; i++) {
        handle reader, writer;
        assert_mproc(0, pipe_create(&reader, &writer));
        handle_close(reader);
        handle_close(writer);
    }
    handle_close(HANDLE_INVALID);
    assert_int_equal(system_open_handles(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_in_order),
        cmocka_unit_test(an_empty_pipe_times_out_and_loses_nothing),
        cmocka_unit_test(what_was_written_outlives_the_writer),
        cmocka_unit_test(writing_to_nobody_is_an_error_and_no_signal),
        cmocka_unit_test(a_full_pipe_is_waited_for),
        cmocka_unit_test(what_fits_is_written_without_waiting),
        cmocka_unit_test(closing_releases_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
