/* SPDX-License-Identifier: MIT */
/* Errors, texts, buffers, deadlines, memory. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/turn.h"
#include "mproc.h"

static void every_code_has_a_name_and_a_text(void **state) {
    (void)state;
#define CHECK(code, number, text)                                                                                      \
    assert_int_equal(code, number);                                                                                    \
    assert_string_equal(mproc_err_name(code), #code);                                                                  \
    assert_string_equal(mproc_strerror(code), text);
    MPROC_ERRORS(CHECK)
#undef CHECK
    assert_string_equal(mproc_err_name(1), "MPROC_E?");
    assert_string_equal(mproc_strerror(1), "unknown error");
}

static void a_long_message_is_cut_at_a_whole_character(void **state) {
    (void)state;
    char text[3001];
    for (size_t i = 0; i < 3000; i += 3) {
        memcpy(text + i, "字", 3);
    }
    text[3000] = '\0';
    assert_int_equal(error_set(MPROC_EINVAL, 7, "%s", text), MPROC_EINVAL);
    const mproc_error *error = mproc_last_error();
    assert_int_equal(error->code, MPROC_EINVAL);
    assert_int_equal(error->system_code, 7);
    assert_true(strlen(error->message) > 900 && strlen(error->message) % 3 == 0);
    assert_true(text_is_utf8(error->message, strlen(error->message)));
    assert_int_equal(error_prefix("%s: ", "in front"), MPROC_EINVAL);
    assert_memory_equal(mproc_last_error()->message, "in front: 字", 13);
    assert_true(text_is_utf8(error->message, strlen(error->message)));
}

static void set_error_in_thread(void *unused) {
    (void)unused;
    if (mproc_last_error()->code == MPROC_OK) {
        (void)error_set(MPROC_EFULL, 0, "of the other thread");
    }
}

static void each_thread_has_its_own_error(void **state) {
    (void)state;
    uv_thread_t thread;
    (void)error_set(MPROC_EEMPTY, 0, "of this thread");
    assert_int_equal(uv_thread_create(&thread, set_error_in_thread, NULL), 0);
    assert_int_equal(uv_thread_join(&thread), 0);
    assert_int_equal(mproc_last_error()->code, MPROC_EEMPTY);
    assert_string_equal(mproc_last_error()->message, "of this thread");
}

static void utf8_is_told_from_other_bytes(void **state) {
    (void)state;
    static const char *const good[] = {"", "a", "ü", "水", "𐍈", "\xf4\x8f\xbf\xbf", "a水b"};
    static const char *const bad[] = {
        "\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xe6\xb0", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
        "\xff", "a\xfe"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(text_is_utf8(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(text_is_utf8(bad[i], strlen(bad[i])));
    }
    assert_int_equal(text_cut("水水", 6), 6);
    assert_int_equal(text_cut("水水", 5), 3);
    assert_int_equal(text_cut("水水", 2), 0);
    assert_int_equal(text_cut("ab", 100), 2);
}

static void buffers_grow_and_shrink(void **state) {
    (void)state;
    struct buffer buffer = {0};
    for (int i = 0; i < 1000; i++) {
        assert_mproc(0, buffer_append(&buffer, &i, sizeof i));
    }
    buffer_consume(&buffer, 500 * sizeof(int));
    assert_int_equal(buffer.size, 500 * sizeof(int));
    int first;
    memcpy(&first, buffer.data, sizeof first);
    assert_int_equal(first, 500);
    memory_fail_at(1);
    assert_mproc(MPROC_ENOMEM, buffer_reserve(&buffer, 1 << 20));
    assert_int_equal(buffer.size, 500 * sizeof(int));
    assert_mproc(MPROC_ENOMEM, buffer_reserve(&buffer, SIZE_MAX));
    buffer_clear(&buffer);
    assert_null(buffer.data);
}

static void deadlines_are_never_short(void **state) {
    (void)state;
    assert_int_equal(deadline_remaining_ms(deadline_after(MPROC_FOREVER)), -1);
    assert_int_equal(deadline_remaining_ms(deadline_after(0)), 0);
    assert_int_equal(deadline_remaining_ms(1), 0); /* long past */
    int left = deadline_remaining_ms(deadline_after(50000));
    assert_true(left > 40000 && left <= 50000);
    assert_int_equal(deadline_remaining_ms(deadline_after(INT64_MAX)), -1);
    assert_true(deadline_remaining_ms(deadline_after((int64_t)1 << 40)) > 0);
}

static void a_turn_is_waited_for_no_longer_than_asked(void **state) {
    (void)state;
    struct turn turn;
    assert_mproc(0, turn_create(&turn));
    assert_int_equal(turn_take(&turn, DEADLINE_NOW), 0);
    assert_int_equal(turn_take(&turn, DEADLINE_NOW), MPROC_ETIMEDOUT);
    assert_int_equal(turn_take(&turn, deadline_after(20)), MPROC_ETIMEDOUT);
    turn_give(&turn);
    assert_int_equal(turn_take(&turn, DEADLINE_NEVER), 0);
    turn_give(&turn);
    turn_destroy(&turn);
}

static void memory_counts_its_blocks(void **state) {
    (void)state;
    long before = memory_blocks();
    char *block = memory_copy_text("text");
    assert_int_equal(memory_blocks(), before + 1);
    block = memory_resize(block, 1000);
    assert_string_equal(block, "text");
    assert_int_equal(memory_blocks(), before + 1);
    memory_fail_at(2);
    void *fits = memory_allocate(1);
    assert_null(memory_allocate(1));
    assert_int_equal(mproc_last_error()->code, MPROC_ENOMEM);
    memory_free(fits);
    memory_free(block);
    memory_free(NULL);
    assert_int_equal(memory_blocks(), before);
}

static void the_little_helpers_tell_the_truth(void **state) {
    (void)state;
    assert_int_equal(mproc_getpid(), uv_os_getpid());
    assert_int_equal(mproc_getppid(), uv_os_getppid());
    assert_true(mproc_cpu_count() >= 1 && mproc_cpu_count() <= (int)uv_available_parallelism());
    double before = mproc_time();
    mproc_sleep(30);
    assert_true(mproc_time() - before >= 0.0299);
    mproc_sleep(0);
    mproc_sleep(-5);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_and_a_text),
        cmocka_unit_test(a_long_message_is_cut_at_a_whole_character),
        cmocka_unit_test(each_thread_has_its_own_error),
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(buffers_grow_and_shrink),
        cmocka_unit_test(deadlines_are_never_short),
        cmocka_unit_test(a_turn_is_waited_for_no_longer_than_asked),
        cmocka_unit_test(memory_counts_its_blocks),
        cmocka_unit_test(the_little_helpers_tell_the_truth),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
