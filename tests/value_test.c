/* SPDX-License-Identifier: MIT */
/* mproc_pack, mproc_unpack, and the arguments of a task. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "mproc.h"
#include "value/value.h"

static void assert_json(cJSON *value, const char *expected) {
    assert_non_null(value);
    char *text = cJSON_PrintUnformatted(value);
    assert_string_equal(text, expected);
    cJSON_free(text);
    cJSON_Delete(value);
}

/* pack --------------------------------------------------------------------------------------------------------- */

static void pack_builds_what_the_format_says(void **state) {
    (void)state;
    assert_json(mproc_pack("[s,i,f,b,n]", "two", 2, 2.5, true), "[\"two\",2,2.5,true,null]");
    assert_json(mproc_pack("{s:i, s:[i,i]}", "m", 20, "xy", 1, 2), "{\"m\":20,\"xy\":[1,2]}");
    assert_json(mproc_pack("[]"), "[]");
    assert_json(mproc_pack(" { } "), "{}");
    assert_json(mproc_pack("s", "名字"), "\"名字\"");
    assert_json(mproc_pack("[s]", (const char *)NULL), "[null]");
    assert_json(mproc_pack("[o,[o]]", cJSON_CreateTrue(), mproc_pack("{}")), "[true,[{}]]");
    assert_json(mproc_pack("[iii]", 1, -2, 3), "[1,-2,3]");
}

static void pack_keeps_whole_numbers_up_to_2_53(void **state) {
    (void)state;
    const int64_t limit = (int64_t)1 << 53;
    cJSON *value = mproc_pack("[I,I]", limit, -limit);
    int64_t high = 0, low = 0;
    assert_mproc(0, mproc_unpack(value, "[I,I]", &high, &low));
    assert_true(high == limit && low == -limit);
    cJSON_Delete(value);
    assert_null(mproc_pack("[I]", limit + 1));
    assert_int_equal(value_pending_error(), MPROC_ERANGE);
    assert_null(mproc_pack("I", INT64_MIN));
    assert_int_equal(value_pending_error(), MPROC_ERANGE);
}

static void pack_refuses_what_makes_no_sense(void **state) {
    (void)state;
    static const char *const formats[] = {"", "[", "{", "]", "[i", "x", "i i", "{i:i}", "{s}", "{s:}", "[}"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        assert_null(mproc_pack(formats[i], "key", "text"));
        assert_int_equal(value_pending_error(), MPROC_EINVAL);
        assert_message("mproc_pack: the format");
    }
    assert_null(mproc_pack(NULL));
    assert_int_equal(value_pending_error(), MPROC_EINVAL);
    assert_null(mproc_pack("f", 1e308 * 10));
    assert_int_equal(value_pending_error(), MPROC_EINVAL);
    assert_message("infinity");
    assert_int_equal(value_pending_error(), 0);
}

static void a_failed_pack_frees_what_it_was_given(void **state) {
    (void)state;
    /* The leak checkers of the sanitizer builds look here: each o is taken, also behind the failure. */
    assert_null(mproc_pack("[I,o,{s:o}]", INT64_MAX, cJSON_CreateArray(), "k", cJSON_CreateString("x")));
    assert_int_equal(value_pending_error(), MPROC_ERANGE);
    assert_null(mproc_pack("[o,o]", (cJSON *)NULL, cJSON_CreateArray()));
    assert_int_equal(value_pending_error(), MPROC_EINVAL);
}

static void a_failed_inner_pack_is_the_outer_ones_failure(void **state) {
    (void)state;
    assert_null(mproc_pack("[i,o]", 1, mproc_pack("[I]", INT64_MAX)));
    assert_int_equal(value_pending_error(), MPROC_ERANGE);
    assert_message("2^53");
}

/* unpack ------------------------------------------------------------------------------------------------------- */

static void unpack_reads_what_pack_has_built(void **state) {
    (void)state;
    const char *text = NULL;
    int number = 0, x = 0, y = 0;
    double half = 0;
    bool flag = false;
    const cJSON *rest = NULL;
    cJSON *value = mproc_pack("[s,i,f,b,n,{s:[i,i],s:o}]", "two", 2, 0.5, true, "xy", 3, 4, "rest", mproc_pack("[]"));
    assert_mproc(
        0, mproc_unpack(value, "[s,i,f,b,n,{s:[i,i],s:o}]", &text, &number, &half, &flag, "xy", &x, &y, "rest", &rest));
    assert_string_equal(text, "two");
    assert_int_equal(number, 2);
    assert_true(half > 0.49 && half < 0.51);
    assert_true(flag);
    assert_int_equal(x + y, 7);
    assert_true(cJSON_IsArray(rest));
    cJSON_Delete(value);
}

static void a_key_that_may_be_missing_leaves_its_target(void **state) {
    (void)state;
    int a = 1, b = 2, c = 3;
    cJSON *value = mproc_pack("{s:i}", "c", 30);
    assert_mproc(0, mproc_unpack(value, "{s?:i,s?:[i,i],s:i}", "a", &a, "b", &b, &b, "c", &c));
    assert_int_equal(a, 1);
    assert_int_equal(b, 2);
    assert_int_equal(c, 30);
    assert_mproc(MPROC_ETYPE, mproc_unpack(value, "{s:i}", "a", &a));
    assert_message("\"a\" is missing");
    cJSON_Delete(value);
}

static void unpack_says_where_and_what(void **state) {
    (void)state;
    int number;
    int64_t large;
    const char *text;
    bool flag;
    cJSON *value = mproc_pack("{s:[i,b],s:s,s:f,s:f}", "xy", 1, true, "s",
                              "a text that is longer than forty characters", "half", 0.5, "big", 3e10);
    assert_mproc(MPROC_ETYPE, mproc_unpack(value, "{s:[i,i]}", "xy", &number, &number));
    assert_message("\"xy\"[1] should be a whole number, but is true");
    assert_mproc(MPROC_ETYPE, mproc_unpack(value, "{s:i}", "s", &number));
    assert_message("\"s\" should be a whole number, but is the string \"a text that is longer than forty charact\"...");
    assert_mproc(MPROC_ETYPE, mproc_unpack(value, "{s:i}", "half", &number));
    assert_message("but is the number 0.5");
    assert_mproc(MPROC_ETYPE, mproc_unpack(value, "{s:i}", "big", &number));
    assert_message("from -2147483648 to 2147483647");
    assert_mproc(0, mproc_unpack(value, "{s:I}", "big", &large));
    assert_true(large == 30000000000);
    assert_mproc(MPROC_ETYPE, mproc_unpack(value, "{s:[i]}", "xy", &number));
    assert_message("should have 1 items, but has 2");
    assert_mproc(MPROC_ETYPE, mproc_unpack(value, "{s:[i,b,i]}", "xy", &number, &flag, &number));
    assert_message("\"xy\"[2] is missing");
    assert_mproc(MPROC_ETYPE, mproc_unpack(value, "[i]", &number));
    assert_message("the value should be an array, but is an object");
    assert_mproc(MPROC_ETYPE, mproc_unpack(NULL, "s", &text));
    assert_mproc(MPROC_EINVAL, mproc_unpack(value, "{s:q}", "xy", &number));
    assert_mproc(MPROC_EINVAL, mproc_unpack(value, "{s:[i,b]", "xy", &number, &flag));
    assert_mproc(MPROC_EINVAL, mproc_unpack(value, NULL));
    cJSON_Delete(value);
}

/* Arguments ---------------------------------------------------------------------------------------------------- */

static int unpack_arguments(const char *args, const char *kwargs, const char *format, ...) {
    cJSON *array = cJSON_Parse(args), *object = cJSON_Parse(kwargs);
    va_list targets;
    va_start(targets, format);
    int status = value_unpack_arguments("run_proc", array, object, format, targets);
    va_end(targets);
    cJSON_Delete(array);
    cJSON_Delete(object);
    return status;
}

static void arguments_are_read_by_position_and_name(void **state) {
    (void)state;
    int age = 0, m = 0, extra = 5;
    double factor = 0;
    assert_mproc(0, unpack_arguments("[18,2]", "{\"m\":20}", "(i=age, f){s:i}", &age, &factor, "m", &m));
    assert_int_equal(age, 18);
    assert_int_equal(m, 20);
    assert_mproc(0, unpack_arguments("[19]", "{}", "(i, i=extra?){s?:i}", &age, &extra, "m", &m));
    assert_int_equal(age, 19);
    assert_int_equal(extra, 5);
    assert_mproc(0, unpack_arguments("[[1,2]]", "{}", "([i,i]=point)", &age, &extra));
    assert_int_equal(extra, 2);
    assert_mproc(0, unpack_arguments("[]", "{\"unknown\":1}", "()"));
}

static void wrong_arguments_are_named(void **state) {
    (void)state;
    int number;
    assert_mproc(MPROC_ETYPE, unpack_arguments("[1,\"x\"]", "{}", "(i, i=age)", &number, &number));
    assert_message("run_proc: argument 1 (age) should be a whole number, but is the string \"x\"");
    assert_mproc(MPROC_ETYPE, unpack_arguments("[1]", "{}", "(i, i=age)", &number, &number));
    assert_message("run_proc: argument 1 (age) is missing; it should be a whole number");
    assert_mproc(MPROC_ETYPE, unpack_arguments("[1,2,3]", "{}", "(i, i=age)", &number, &number));
    assert_message("run_proc: takes 2 arguments, but 3 were given");
    assert_mproc(MPROC_ETYPE, unpack_arguments("[]", "{\"m\":null}", "(){s:i}", "m", &number));
    assert_message("run_proc: named argument \"m\" should be a whole number, but is null");
    assert_mproc(MPROC_EINVAL, unpack_arguments("[1]", "{}", "(i", &number));
    assert_mproc(MPROC_EINVAL, unpack_arguments("[1]", "{}", "(i)i", &number, &number));
}

/* delete ------------------------------------------------------------------------------------------------------- */

static void a_tree_of_any_depth_is_deleted(void **state) {
    (void)state;
    cJSON *root = cJSON_CreateArray();
    cJSON *inner = root;
    for (int i = 0; i < 1000000; i++) { /* cJSON_Delete's recursion would not come back from here */
        cJSON *next = cJSON_CreateArray();
        assert_non_null(next);
        cJSON_AddItemToArray(inner, cJSON_CreateNull());
        cJSON_AddItemToArray(inner, next);
        inner = next;
    }
    value_delete(root);
    value_delete(NULL);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pack_builds_what_the_format_says),
        cmocka_unit_test(pack_keeps_whole_numbers_up_to_2_53),
        cmocka_unit_test(pack_refuses_what_makes_no_sense),
        cmocka_unit_test(a_failed_pack_frees_what_it_was_given),
        cmocka_unit_test(a_failed_inner_pack_is_the_outer_ones_failure),
        cmocka_unit_test(unpack_reads_what_pack_has_built),
        cmocka_unit_test(a_key_that_may_be_missing_leaves_its_target),
        cmocka_unit_test(unpack_says_where_and_what),
        cmocka_unit_test(arguments_are_read_by_position_and_name),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(a_tree_of_any_depth_is_deleted),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
