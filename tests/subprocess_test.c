/* SPDX-License-Identifier: MIT */
/* Other programs: the acceptance cases 118 to 126 of shared/semantics.md, and what each call promises. */
#include "support/children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "mproc.h"
#include "support/chaos.h"
#include "support/helper.h"
#include "support/system.h"

enum { KIBIBYTE = 1024, MEBIBYTE = 1024 * KIBIBYTE };

#define HELPER(...)                                                                                                    \
    (const char *const[]) {                                                                                            \
        helper_path(), HELPER_OPTION, __VA_ARGS__, NULL                                                                \
    }

static mproc_popen_options piped(const char *const *argv) {
    mproc_popen_options options;
    memset(&options, 0, sizeof options);
    options.argv = argv;
    options.in.kind = options.out.kind = options.err.kind = MPROC_PIPE;
    return options;
}

static mproc_popen *start(const char *const *argv) {
    mproc_popen_options options = piped(argv);
    mproc_popen *process = NULL;
    assert_mproc(0, mproc_popen_create(&process, &options));
    return process;
}

/* In a child: starts a program that sleeps, tells its pid, and stays. */
static void start_and_stay(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    bool detached = false;
    mproc_popen *process;
    mproc_popen_options options;
    memset(&options, 0, sizeof options);
    if (queue == NULL || mproc_task_unpack(task, "(o,b)", NULL, &detached) != 0) {
        return;
    }
    options.argv = HELPER("sleep");
    options.in.kind = options.out.kind = options.err.kind = MPROC_DEVNULL;
    options.detached = detached;
    check_task(task, mproc_popen_create(&process, &options));
    put_number(queue, mproc_popen_pid(process));
    mproc_sleep(600 * 1000);
}

static void expect_output(const mproc_popen_options *options, const char *out, const char *err) {
    mproc_completed completed;
    assert_mproc(0, mproc_run(options, NULL, 0, &completed, TEST_PATIENCE_MS));
    assert_int_equal(completed.returncode, 0);
    if (out != NULL) {
        assert_string_equal(completed.out, out);
    } else {
        assert_null(completed.out);
    }
    if (err != NULL) {
        assert_string_equal(completed.err, err);
    } else {
        assert_null(completed.err);
    }
    mproc_completed_clear(&completed);
}

/* The end ------------------------------------------------------------------------------------------------------ */

/* 118 */
static void returncodes_are_told(void **state) {
    int returncode = 0;
    mproc_completed completed;
    (void)state;
    assert_mproc(0, mproc_call(HELPER("exit", "47"), &returncode));
    assert_int_equal(returncode, 47);
    assert_mproc(0, mproc_check_call(HELPER("exit", "0")));
    assert_mproc(MPROC_ETASK, mproc_check_call(HELPER("exit", "47")));
    assert_message("returned 47");
    assert_int_equal(mproc_last_error()->exitcode, 47);
    assert_string_equal(mproc_last_error()->target, helper_path());
    assert_mproc(0, mproc_check_output(HELPER("print", "text"), &completed));
    assert_string_equal(completed.out, "text");
    assert_int_equal(completed.out_size, 4);
    mproc_completed_clear(&completed);
    assert_mproc(MPROC_ETASK, mproc_check_output(HELPER("exit", "3"), &completed));
    assert_int_equal(completed.returncode, 3);
    mproc_completed_clear(&completed);
}

/* 122, 126 */
static void a_sleeper_is_ended(void **state) {
    int returncode = 0;
    (void)state;
    mproc_popen *process = start(HELPER("sleep"));
    assert_mproc(MPROC_ESTATE, mproc_popen_poll(process, &returncode));
    assert_mproc(MPROC_ETIMEDOUT, mproc_popen_wait(process, &returncode, 100));
    assert_message("has not ended within 100 ms");
    assert_mproc(MPROC_ESTATE, mproc_popen_poll(process, &returncode));
    assert_mproc(0, mproc_popen_terminate(process));
    assert_mproc(0, mproc_popen_wait(process, &returncode, TEST_PATIENCE_MS));
    assert_int_equal(returncode, -15);
    assert_mproc(0, mproc_popen_terminate(process));
    assert_mproc(0, mproc_popen_kill(process));
    assert_mproc(0, mproc_popen_poll(process, &returncode));
    assert_int_equal(returncode, -15);
    mproc_popen_destroy(process);
    process = start(HELPER("sleep"));
    assert_mproc(0, mproc_popen_send_signal(process, 9));
    assert_mproc(0, mproc_popen_wait(process, &returncode, TEST_PATIENCE_MS));
    assert_int_equal(returncode, -9);
    mproc_popen_destroy(process);
}

static void what_runs_is_killed_by_destroy(void **state) {
    (void)state;
    mproc_popen *process = start(HELPER("sleep"));
    int pid = mproc_popen_pid(process);
    mproc_popen_destroy(process);
    assert_true(system_wait_until_gone(pid, TEST_PATIENCE_MS));
}

/* Streams ------------------------------------------------------------------------------------------------------ */

/* 119 */
static void outputs_go_where_they_should(void **state) {
    (void)state;
    mproc_popen_options options = piped(HELPER("print", "out", "err"));
    expect_output(&options, "out", "err");
    options.err.kind = MPROC_STDOUT;
    expect_output(&options, "outerr", NULL);
    options.err.kind = MPROC_DEVNULL;
    expect_output(&options, "out", NULL);
    options.out.kind = MPROC_DEVNULL;
    options.err.kind = MPROC_PIPE;
    expect_output(&options, NULL, "err");
}

static void files_are_written_and_read(void **state) {
    static const char path[] = "subprocess_test_文件.txt";
    uv_fs_t request;
    (void)state;
    mproc_popen_options options = piped(HELPER("print", "in a file"));
    options.out.kind = MPROC_FILE;
    options.out.path = path;
    options.err.kind = MPROC_STDOUT;
    expect_output(&options, NULL, NULL);
    options = piped(HELPER("copy"));
    options.in.kind = MPROC_FILE;
    options.in.path = path;
    expect_output(&options, "in a file", "");
    assert_int_equal(uv_fs_unlink(NULL, &request, path, NULL), 0);
    mproc_popen *process = NULL;
    assert_mproc(MPROC_ENOTFOUND, mproc_popen_create(&process, &options));
    assert_message(path);
    options.in.kind = MPROC_DEVNULL;
    expect_output(&options, "", "");
}

/* 120 */
static void communicate_feeds_and_reads(void **state) {
    mproc_completed completed;
    (void)state;
    mproc_popen *process = start(HELPER("copy"));
    assert_mproc(0, mproc_popen_communicate(process, "pear", 4, &completed, TEST_PATIENCE_MS));
    assert_string_equal(completed.out, "pear");
    assert_string_equal(completed.err, "");
    assert_int_equal(completed.returncode, 0);
    mproc_completed_clear(&completed);
    assert_mproc(0, mproc_popen_communicate(process, NULL, 0, &completed, 0)); /* the same once more */
    assert_mproc(MPROC_ESTATE, mproc_popen_write(process, "x", 1));
    assert_mproc(MPROC_ESTATE, mproc_popen_communicate(process, "other", 5, &completed, 0));
    assert_string_equal(completed.out, "pear");
    mproc_completed_clear(&completed);
    mproc_popen_destroy(process);
}

static void much_goes_both_ways_at_once(void **state) {
    int size = system_is_slow_to_spawn() ? 16 : 256;
    char mebibytes[16], expected[32];
    mproc_completed completed;
    (void)state;
    char *input = malloc((size_t)size * MEBIBYTE);
    assert_non_null(input);
    memset(input, 'i', (size_t)size * MEBIBYTE);
    (void)snprintf(mebibytes, sizeof mebibytes, "%d", size);
    (void)snprintf(expected, sizeof expected, "%llu", (unsigned long long)size * MEBIBYTE);
    mproc_popen_options options = piped(HELPER("write then read", mebibytes));
    assert_mproc(0, mproc_run(&options, input, (size_t)size * MEBIBYTE, &completed, MPROC_FOREVER));
    assert_int_equal(completed.out_size, (size_t)size * MEBIBYTE);
    assert_string_equal(completed.err, expected);
    mproc_completed_clear(&completed);
    free(input);
}

/* The input is larger than the pipe, so that its rest waits while the program sleeps. */
static void a_timeout_loses_nothing(void **state) {
    enum { SIZE = MEBIBYTE };
    static char input[SIZE];
    mproc_completed completed;
    int timeouts = 0, status;
    (void)state;
    memset(input, 'i', SIZE);
    mproc_popen *process = start(HELPER("copy"));
    do {
        status =
            mproc_popen_communicate(process, timeouts == 0 ? input : NULL, timeouts == 0 ? SIZE : 0, &completed, 0);
        timeouts += status == MPROC_ETIMEDOUT;
        memset(input, 'x', SIZE); /* the caller's own again */
        if (status == MPROC_ETIMEDOUT && timeouts % 8 == 0) {
            status = mproc_popen_communicate(process, NULL, 0, &completed, 1);
        }
    } while (status == MPROC_ETIMEDOUT);
    assert_mproc(0, status);
    assert_true(timeouts > 0);
    assert_int_equal(completed.out_size, SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        assert_int_equal(completed.out[i], 'i');
    }
    mproc_completed_clear(&completed);
    mproc_popen_destroy(process);
}

static void a_program_that_does_not_read_is_no_error(void **state) {
    static char input[MEBIBYTE];
    mproc_completed completed;
    int status = 0;
    (void)state;
    mproc_popen_options options = piped(HELPER("exit", "5"));
    assert_mproc(0, mproc_run(&options, input, sizeof input, &completed, TEST_PATIENCE_MS));
    assert_int_equal(completed.returncode, 5);
    mproc_completed_clear(&completed);
    mproc_popen *process = start(HELPER("exit", "0"));
    while (status == 0) {
        status = mproc_popen_write(process, input, sizeof input);
    }
    assert_mproc(MPROC_ECLOSED, status);
    assert_message("does not read its standard input any more");
    mproc_popen_destroy(process);
}

static void read_line(mproc_popen *process, char *line, size_t size) {
    size_t used = 0;
    do {
        int64_t count = mproc_popen_read(process, 1, line + used, size - 1 - used, TEST_PATIENCE_MS);
        assert_true(count > 0);
        used += (size_t)count;
    } while (line[used - 1] != '\n');
    line[used] = '\0';
}

static void a_dialogue_goes_line_by_line(void **state) {
    char line[64], question[64], answer[64];
    int returncode;
    (void)state;
    mproc_popen *process = start(HELPER("calculate"));
    for (int i = 0; i < 20; i++) {
        (void)snprintf(question, sizeof question, "%d+%d\n", i, i * i);
        (void)snprintf(answer, sizeof answer, "%d\n", i + i * i);
        assert_mproc(0, mproc_popen_write(process, question, strlen(question)));
        read_line(process, line, sizeof line);
        assert_string_equal(line, answer);
    }
    assert_int_equal(mproc_popen_read(process, 1, line, sizeof line, 20), MPROC_ETIMEDOUT);
    assert_message("has written nothing for 20 ms");
    assert_mproc(0, mproc_popen_close_stdin(process));
    assert_mproc(0, mproc_popen_close_stdin(process));
    assert_mproc(MPROC_ESTATE, mproc_popen_write(process, "1", 1));
    assert_int_equal(mproc_popen_read(process, 1, line, sizeof line, TEST_PATIENCE_MS), 0);
    assert_int_equal(mproc_popen_read(process, 2, line, sizeof line, TEST_PATIENCE_MS), 0);
    assert_mproc(0, mproc_popen_wait(process, &returncode, TEST_PATIENCE_MS));
    assert_int_equal(returncode, 0);
    mproc_popen_destroy(process);
}

/* Trees -------------------------------------------------------------------------------------------------------- */

/* 123, and what it has started goes too, though it holds the pipe. */
static void a_run_that_takes_too_long_is_killed_with_all_it_started(void **state) {
    mproc_completed completed;
    (void)state;
    mproc_popen_options options = piped(HELPER("print and sleep", "hi\n"));
    options.in.kind = MPROC_DEVNULL;
    int status = mproc_run(&options, NULL, 0, &completed, system_is_slow_to_spawn() ? 3000 : 300);
    assert_mproc(MPROC_ETIMEDOUT, status);
    assert_message("was killed");
    assert_string_equal(completed.out, "hi\n");
    assert_int_equal(completed.returncode, -9);
    mproc_completed_clear(&completed);
    options.argv = HELPER("start sleeper");
    status = mproc_run(&options, NULL, 0, &completed, system_is_slow_to_spawn() ? 6000 : 1000);
    assert_mproc(MPROC_ETIMEDOUT, status);
    int pid = atoi(completed.out);
    assert_true(pid > 0);
    assert_true(system_wait_until_gone(pid, TEST_PATIENCE_MS));
    mproc_completed_clear(&completed);
}

static void a_detached_program_goes_on(void **state) {
    (void)state;
    mproc_popen *process = NULL;
    mproc_popen_options options;
    memset(&options, 0, sizeof options);
    options.argv = HELPER("sleep");
    options.in.kind = options.out.kind = options.err.kind = MPROC_DEVNULL;
    options.detached = true;
    assert_mproc(0, mproc_popen_create(&process, &options));
    int pid = mproc_popen_pid(process);
    mproc_popen_destroy(process);
    system_kill(pid); /* it is there */
    assert_true(system_wait_until_gone(pid, TEST_PATIENCE_MS));
    expect_output(&(mproc_popen_options){HELPER("exit", "0"), NULL, NULL, {0}, {0}, {0}, false}, NULL,
                  NULL); /* collects it */
}

/* The pid of a program that a child has started, after that child has been killed. */
static int orphan(bool detached) {
    mproc_queue *queue = create_queue(0);
    mproc_process *process = start_child(start_and_stay, mproc_pack("[o,b]", mproc_queue_ref(queue), detached));
    cJSON *item = get_item(queue);
    int pid = item->valueint;
    cJSON_Delete(item);
    assert_mproc(0, mproc_process_kill(process));
    end_child(process, -9);
    mproc_queue_destroy(queue);
    return pid;
}

static void a_program_ends_with_a_parent_that_is_killed(void **state) {
    (void)state;
    assert_true(system_wait_until_gone(orphan(false), TEST_PATIENCE_MS));
}

static void a_detached_program_survives_its_parent(void **state) {
    (void)state;
    int pid = orphan(true);
    assert_false(system_wait_until_gone(pid, 0));
    system_kill(pid);
    assert_true(system_wait_until_gone(pid, TEST_PATIENCE_MS));
}

/* Starting ----------------------------------------------------------------------------------------------------- */

static void a_program_is_looked_up_in_the_path_it_gets(void **state) {
    char folder[4096], variable[5000], root_variable[512];
    const char *root = getenv("SYSTEMROOT");
    (void)state;
    const char *name = strrchr(helper_path(), helper_path()[0] == '/' ? '/' : '\\') + 1;
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(name - 1 - helper_path()), helper_path());
    (void)snprintf(variable, sizeof variable, "PATH=%s", folder);
    (void)snprintf(root_variable, sizeof root_variable, "SYSTEMROOT=%s", root != NULL ? root : "");
    mproc_popen_options options = piped((const char *const[]){name, HELPER_OPTION, "print", "found", NULL});
    options.env = (const char *const[]){root_variable, variable, NULL};
    expect_output(&options, "found", "");
    options.env = (const char *const[]){root_variable, "PATH=/no/such/folder", NULL};
    mproc_popen *process = NULL;
    assert_mproc(MPROC_ENOTFOUND, mproc_popen_create(&process, &options));
}

static void expect_refusal(int code, const mproc_popen_options *options, const char *message) {
    mproc_popen *process = NULL;
    assert_mproc(code, mproc_popen_create(&process, options));
    assert_message(message);
    assert_null(process);
}

/* 121 */
static void what_cannot_be_started_is_told(void **state) {
    (void)state;
    size_t before = test_open_handles();
    for (int i = 0; i < 50; i++) {
        mproc_popen_options options = piped((const char *const[]){"no-such-program-at-all", NULL});
        expect_refusal(MPROC_ENOTFOUND, &options, "no-such-program-at-all: there is no such program in PATH");
        options.argv = (const char *const[]){"./no/such/程序", NULL};
        expect_refusal(MPROC_ENOTFOUND, &options, "./no/such/程序");
        options.argv = (const char *const[]){"./", NULL};
        expect_refusal(MPROC_EPERM, &options, "./");
        options.argv = HELPER("exit", "0");
        options.cwd = "/no/such/folder";
        expect_refusal(MPROC_ENOTFOUND, &options, "/no/such/folder");
        options.argv = (const char *const[]){"", NULL};
        expect_refusal(MPROC_EINVAL, &options, "names no program");
        options.argv = NULL;
        expect_refusal(MPROC_EINVAL, &options, "names no program");
        options = piped(HELPER("exit", "0"));
        options.env = (const char *const[]){"no equals sign", NULL};
        expect_refusal(MPROC_EINVAL, &options, "no equals sign");
        options.env = NULL;
        options.in.kind = MPROC_STDOUT;
        expect_refusal(MPROC_EINVAL, &options, "options.in.kind");
        options.in.kind = MPROC_FILE;
        expect_refusal(MPROC_EINVAL, &options, "options.in is MPROC_FILE, but has no path");
    }
    assert_open_handles(before);
}

/* A text file, which no system takes for a program. */
static void a_file_that_is_no_program_is_told(void **state) {
    static const char path[] = "./subprocess_test_no_program.txt";
    uv_fs_t request;
    (void)state;
    mproc_popen_options options = piped(HELPER("print", "text"));
    options.out.kind = MPROC_FILE;
    options.out.path = path;
    expect_output(&options, NULL, "");
    options = piped((const char *const[]){path, NULL});
    expect_refusal(MPROC_EPERM, &options, path);
    assert_int_equal(uv_fs_unlink(NULL, &request, path, NULL), 0);
}

/* 124 */
static void folder_and_environment_are_as_given(void **state) {
    char folder[4096];
    size_t size = sizeof folder;
    const char *root = getenv("SYSTEMROOT");
    char root_variable[512];
    (void)state;
    (void)snprintf(root_variable, sizeof root_variable, "SYSTEMROOT=%s", root != NULL ? root : "");
    assert_int_equal(uv_cwd(folder, &size), 0);
    mproc_popen_options options = piped(HELPER("folder"));
    options.in.kind = MPROC_DEVNULL;
    expect_output(&options, folder, "");
    char *separator = strrchr(folder, folder[0] == '/' ? '/' : '\\');
    *separator = '\0';
    options.cwd = folder;
    expect_output(&options, folder, "");
    options.cwd = NULL;
    options.argv = HELPER("variable", "PRIMER");
    expect_output(&options, "(not set)", "");
    options.env = (const char *const[]){root_variable, "PRIMER=数据 1", NULL};
    expect_output(&options, "数据 1", "");
    options.argv = HELPER("variable", "HOME");
    expect_output(&options, "(not set)", "");
}

/* 125 */
static void arguments_arrive_as_they_were_sent(void **state) {
    static const char *const pieces[] = {"a",     " ", "\"", "\\", "\\\\", "\\\"", "'",  "%PATH%", "^",
                                         "&",     "|", "<",  ">",  "程序", "\t",   "!",  "*",      "?",
                                         "$HOME", "`", "\n", "é",  ";",    "",     "x y"};
    enum { PIECES = sizeof pieces / sizeof pieces[0], ARGUMENTS = 8, ROUNDS = 20 };
    char texts[ARGUMENTS][128], expected[ARGUMENTS * 160];
    unsigned seed = chaos_seed();
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        const char *argv[ARGUMENTS + 4] = {helper_path(), HELPER_OPTION, "arguments"};
        expected[0] = '\0';
        for (int i = 0; i < ARGUMENTS; i++) {
            texts[i][0] = '\0';
            for (unsigned count = chaos_random(&seed) % 8; count > 0; count--) {
                (void)strcat(texts[i], pieces[chaos_random(&seed) % PIECES]);
            }
            argv[3 + i] = texts[i];
            (void)snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%u:%s",
                           (unsigned)strlen(texts[i]), texts[i]);
        }
        mproc_popen_options options = piped(argv);
        options.in.kind = MPROC_DEVNULL;
        expect_output(&options, expected, "");
    }
}

static void misuse_is_told(void **state) {
    mproc_completed completed;
    char byte;
    (void)state;
    mproc_popen_options options;
    memset(&options, 0, sizeof options);
    options.argv = HELPER("exit", "0");
    mproc_popen *process = NULL;
    assert_mproc(MPROC_EINVAL, mproc_popen_create(NULL, &options));
    assert_mproc(MPROC_EINVAL, mproc_popen_create(&process, NULL));
    assert_mproc(MPROC_EINVAL, mproc_run(NULL, NULL, 0, &completed, 0));
    assert_mproc(MPROC_EINVAL, mproc_run(&options, NULL, 1, &completed, 0));
    assert_mproc(MPROC_EINVAL, mproc_run(&options, NULL, 0, &completed, -2));
    assert_mproc(MPROC_EINVAL, mproc_call(NULL, NULL));
    assert_mproc(MPROC_EINVAL, mproc_check_output(options.argv, NULL));
    options.in.kind = MPROC_DEVNULL;
    assert_mproc(MPROC_EINVAL, mproc_run(&options, "x", 1, &completed, TEST_PATIENCE_MS));
    assert_message("options.in goes elsewhere");
    assert_mproc(0, mproc_popen_create(&process, &options));
    assert_mproc(MPROC_ESTATE, mproc_popen_write(process, "x", 1));
    assert_message("no pipe");
    assert_mproc(MPROC_ESTATE, mproc_popen_close_stdin(process));
    assert_int_equal(mproc_popen_read(process, 1, &byte, 1, 0), MPROC_ESTATE);
    assert_int_equal(mproc_popen_read(process, 0, &byte, 1, 0), MPROC_EINVAL);
    assert_int_equal(mproc_popen_read(process, 1, &byte, 0, 0), MPROC_EINVAL);
    assert_int_equal(mproc_popen_read(process, 1, NULL, 1, 0), MPROC_EINVAL);
    assert_mproc(MPROC_ESTATE, mproc_popen_communicate(process, "x", 1, &completed, 0));
    assert_mproc(MPROC_EINVAL, mproc_popen_wait(process, NULL, -5));
    mproc_popen_destroy(process);
    mproc_popen_destroy(NULL);
    mproc_completed_clear(NULL);
}

/* Many --------------------------------------------------------------------------------------------------------- */

static void a_thousand_leave_nothing_behind(void **state) {
    (void)state;
    int count = system_is_slow_to_spawn() ? 50 : 1000;
    size_t before = test_open_handles();
    for (int i = 0; i < count; i++) {
        mproc_popen_options options = piped(HELPER("print", "x", "y"));
        expect_output(&options, "x", "y");
    }
    assert_open_handles(before);
}

static void many_at_once_leave_nothing_behind(void **state) {
    enum { MOST = 200 };
    mproc_popen *processes[MOST];
    mproc_completed completed;
    (void)state;
    int count = system_is_slow_to_spawn() ? 20 : MOST;
    size_t before = test_open_handles();
    for (int i = 0; i < count; i++) {
        processes[i] = start(HELPER("copy"));
    }
    for (int i = 0; i < count; i++) {
        assert_mproc(0, mproc_popen_communicate(processes[i], "input", 5, &completed, TEST_PATIENCE_MS));
        assert_string_equal(completed.out, "input");
        mproc_completed_clear(&completed);
        mproc_popen_destroy(processes[i]);
    }
    assert_open_handles(before);
}

/* If an end of one program's pipe came into another's hands, the end of input would not be seen. */
static void run_some(void *failed) {
    for (int i = 0; i < (system_is_slow_to_spawn() ? 5 : 40); i++) {
        mproc_completed completed;
        mproc_popen_options options = piped(HELPER("copy"));
        if (mproc_run(&options, "input", 5, &completed, TEST_PATIENCE_MS) != 0 || strcmp(completed.out, "input") != 0) {
            *(bool *)failed = true;
        }
        mproc_completed_clear(&completed);
    }
}

static void no_descriptor_crosses_between_threads(void **state) {
    enum { THREADS = 8 };
    uv_thread_t threads[THREADS];
    bool failed[THREADS] = {false};
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_create(&threads[i], run_some, &failed[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
        assert_false(failed[i]);
    }
}

static int count_handles(void **state) {
    (void)state;
    assert_mproc(0, mproc_check_call(HELPER("exit", "0")));
    system_kill(orphan(true)); /* and what a child needs */
    test_note_open_handles();
    return 0;
}

static const mproc_target targets[] = {MPROC_TARGET(start_and_stay), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(returncodes_are_told),
        cmocka_unit_test(a_sleeper_is_ended),
        cmocka_unit_test(what_runs_is_killed_by_destroy),
        cmocka_unit_test(outputs_go_where_they_should),
        cmocka_unit_test(files_are_written_and_read),
        cmocka_unit_test(communicate_feeds_and_reads),
        cmocka_unit_test(much_goes_both_ways_at_once),
        cmocka_unit_test(a_timeout_loses_nothing),
        cmocka_unit_test(a_program_that_does_not_read_is_no_error),
        cmocka_unit_test(a_dialogue_goes_line_by_line),
        cmocka_unit_test(a_run_that_takes_too_long_is_killed_with_all_it_started),
        cmocka_unit_test(a_detached_program_goes_on),
        cmocka_unit_test(a_program_ends_with_a_parent_that_is_killed),
        cmocka_unit_test(a_detached_program_survives_its_parent),
        cmocka_unit_test(a_program_is_looked_up_in_the_path_it_gets),
        cmocka_unit_test(what_cannot_be_started_is_told),
        cmocka_unit_test(a_file_that_is_no_program_is_told),
        cmocka_unit_test(folder_and_environment_are_as_given),
        cmocka_unit_test(arguments_arrive_as_they_were_sent),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(a_thousand_leave_nothing_behind),
        cmocka_unit_test(many_at_once_leave_nothing_behind),
        cmocka_unit_test(no_descriptor_crosses_between_threads),
        cmocka_unit_test(nothing_is_left_open), /* last: after all the others */
    };
    if (helper_is_wanted(argc, argv)) {
        return helper_main(argc, argv);
    }
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("subprocess", tests, count_handles, NULL);
}
