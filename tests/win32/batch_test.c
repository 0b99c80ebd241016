/* SPDX-License-Identifier: MIT */
/* Batch files: run by their whole name only, and with harmless arguments only. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "mproc.h"

static mproc_popen_options run_by(const char *const *argv) {
    mproc_popen_options options;
    memset(&options, 0, sizeof options);
    options.argv = argv;
    options.in.kind = MPROC_DEVNULL;
    options.out.kind = MPROC_PIPE;
    return options;
}

static void expect_refusal(int code, const char *const *argv, const char *message) {
    mproc_completed completed;
    mproc_popen_options options = run_by(argv);
    assert_mproc(code, mproc_run(&options, NULL, 0, &completed, TEST_PATIENCE_MS));
    assert_message(message);
    mproc_completed_clear(&completed);
}

static void one_that_was_not_named_is_refused(void **state) {
    char folder[4096], path[5000], root[512];
    size_t size = sizeof folder;
    const char *system_root = getenv("SYSTEMROOT");
    mproc_completed completed;
    (void)state;
    assert_int_equal(uv_cwd(folder, &size), 0);
    (void)snprintf(path, sizeof path, "PATH=%s", folder);
    (void)snprintf(root, sizeof root, "SYSTEMROOT=%s", system_root != NULL ? system_root : "");
    mproc_popen_options options = run_by((const char *const[]){"batch_test", NULL});
    options.env = (const char *const[]){root, path, NULL};
    assert_mproc(MPROC_EPERM, mproc_run(&options, NULL, 0, &completed, TEST_PATIENCE_MS));
    assert_message("batch_test is a batch file");
    assert_message("name it with its extension");
    expect_refusal(MPROC_EPERM, (const char *const[]){"./batch_test", NULL}, "./batch_test is a batch file");
    expect_refusal(MPROC_ENOTFOUND, (const char *const[]){"batch_test.bat", NULL}, "no such program in PATH");
}

static void one_that_was_named_runs(void **state) {
    mproc_completed completed;
    (void)state;
    mproc_popen_options options = run_by((const char *const[]){"./batch_test.bat", "world", "two words", NULL});
    assert_mproc(0, mproc_run(&options, NULL, 0, &completed, TEST_PATIENCE_MS));
    assert_string_equal(completed.out, "hello world and \"two words\"\r\n");
    assert_int_equal(completed.returncode, 7);
    mproc_completed_clear(&completed);
}

static void dangerous_arguments_are_refused(void **state) {
    static const char *const dangerous[] = {"a&calc", "%PATH%", "\"", "a\nb", "a|b",      "<in",
                                            ">out",   "^",      "!x", "(a)",  "\" & calc"};
    static const char *const names[] = {"./batch_test.bat", "./BATCH_TEST.BAT", "./batch_test.bat. ."};
    (void)state;
    for (size_t i = 0; i < sizeof dangerous / sizeof *dangerous; i++) {
        for (size_t name = 0; name < sizeof names / sizeof *names; name++) {
            mproc_popen_options options = run_by((const char *const[]){names[name], "fine", dangerous[i], NULL});
            mproc_completed completed;
            int status = mproc_run(&options, NULL, 0, &completed, TEST_PATIENCE_MS);
            assert_true(status == MPROC_EINVAL || (name == 2 && status == MPROC_ENOTFOUND)); /* Wine has no such file */
            mproc_completed_clear(&completed);
        }
    }
    expect_refusal(MPROC_EINVAL, (const char *const[]){"./batch_test.bat", "a&calc", NULL},
                   "argument 1 cannot be handed to a batch file safely: a&calc");
}

static int write_batch_file(void **state) {
    FILE *file = fopen("batch_test.bat", "wb");
    (void)state;
    if (file == NULL) {
        return -1;
    }
    (void)fputs("@echo off\r\necho hello %1 and %2\r\nexit 7\r\n", file);
    return fclose(file);
}

static int remove_batch_file(void **state) {
    (void)state;
    return remove("batch_test.bat");
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_was_not_named_is_refused),
        cmocka_unit_test(one_that_was_named_runs),
        cmocka_unit_test(dangerous_arguments_are_refused),
    };
    if (mproc_init(argc, argv, NULL) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("batch", tests, write_batch_file, remove_batch_file);
}
