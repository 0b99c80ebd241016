/* SPDX-License-Identifier: MIT */
/* Process: the acceptance cases 1 to 13, and what process.h promises besides. */
#include "support/children.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "mproc.h"
#include "support/system.h"

/* What runs in the children ------------------------------------------------------------------------------------ */

static void do_nothing(mproc_task *task) {
    (void)task;
}

static void sleep_long(mproc_task *task) {
    (void)task;
    mproc_sleep(600 * 1000);
}

static void exit_with(mproc_task *task) {
    int code;
    if (mproc_task_unpack(task, "(i=code)", &code) == 0) {
        exit(code);
    }
}

static void fail_with_text(mproc_task *task) {
    const char *text;
    if (mproc_task_unpack(task, "(s=text)", &text) == 0) {
        mproc_task_fail(task, "%s", text);
    }
}

static void crash(mproc_task *task) {
    (void)task;
    system_crash();
}

static void add_process(cJSON *object, const char *key, const mproc_process *process) {
    cJSON_AddItemToObject(object, key,
                          process == NULL
                              ? cJSON_CreateNull()
                              : mproc_pack("{s:s,s:i,s:b,s:b}", "name", mproc_process_name(process), "pid",
                                           mproc_process_pid(process), "daemon", (int)mproc_process_daemon(process),
                                           "alive", (int)mproc_process_is_alive(process)));
}

/* Sends what this process knows of itself. */
static void describe(mproc_task *task) {
    char directory[4096];
    size_t size = sizeof directory;
    mproc_connection *connection = mproc_task_connection(task, 0);
    cJSON *object = cJSON_CreateObject();
    if (connection == NULL || uv_cwd(directory, &size) != 0) {
        cJSON_Delete(object);
        return;
    }
    cJSON_AddNumberToObject(object, "pid", mproc_getpid());
    cJSON_AddNumberToObject(object, "ppid", mproc_getppid());
    cJSON_AddStringToObject(object, "directory", directory);
    add_process(object, "current", mproc_current_process());
    add_process(object, "parent", mproc_parent_process());
    if (mproc_connection_send(connection, object) != 0) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
    }
}

/* Sends its arguments and the raw payload back as they came. */
static void echo_arguments(mproc_task *task) {
    mproc_connection *connection = mproc_task_connection(task, 0);
    size_t size;
    const void *data = mproc_task_bytes(task, &size);
    cJSON *all = cJSON_Duplicate(mproc_task_args(task), true);
    cJSON_DeleteItemFromArray(all, 0);
    if (connection == NULL || (uintptr_t)data % 16 != 0 ||
        mproc_connection_send(connection, mproc_pack("[o,o]", all, cJSON_Duplicate(mproc_task_kwargs(task), true))) !=
            0 ||
        mproc_connection_send_bytes(connection, data, size) != 0) {
        mproc_task_fail(task, "cannot send: %s", mproc_last_error()->message);
    }
}

/* Starts a child that does the same, to `depth`, and sends the names down the line to the first one's caller. */
static void descend(mproc_task *task) {
    int depth;
    const cJSON *reference;
    mproc_process *child;
    mproc_connection *connection;
    if (mproc_task_unpack(task, "(o=connection,i=depth)", &reference, &depth) != 0) {
        return;
    }
    connection = mproc_task_connection(task, 0);
    if (connection == NULL ||
        mproc_connection_send(connection, cJSON_CreateString(mproc_process_name(mproc_current_process()))) != 0) {
        mproc_task_fail(task, "cannot send: %s", mproc_last_error()->message);
        return;
    }
    if (depth > 0) {
        if (mproc_spawn(&child, descend, mproc_pack("[o,i]", mproc_connection_ref(connection), depth - 1)) != 0) {
            mproc_task_fail(task, "cannot start: %s", mproc_last_error()->message);
            return;
        }
        mproc_process_destroy(child); /* it is joined at this process's end */
    }
}

/* Sends its own pid and the pids of `breadth` children that sleep; works on for ever. */
static void have_children_and_spin(mproc_task *task) {
    int depth;
    const cJSON *reference;
    mproc_process *child;
    mproc_connection *a, *b, *connection;
    cJSON *pid;
    volatile unsigned work = 0;
    if (mproc_task_unpack(task, "(o=connection,i=depth)", &reference, &depth) != 0 ||
        (connection = mproc_task_connection(task, 0)) == NULL) {
        return;
    }
    (void)mproc_connection_send(connection, cJSON_CreateNumber(mproc_getpid()));
    for (int i = 0; i < 2 && depth > 0; i++) {
        (void)mproc_pipe(&a, &b, false);
        (void)mproc_spawn(&child, have_children_and_spin, mproc_pack("[o,i]", mproc_connection_ref(b), depth - 1));
        while (mproc_connection_recv(a, &pid, MPROC_FOREVER) == 0) {
            bool is_last = cJSON_IsNull(pid);
            (void)mproc_connection_send(connection, is_last ? cJSON_CreateNumber(-1) : pid);
            if (is_last) {
                cJSON_Delete(pid);
                break;
            }
        }
    }
    (void)mproc_connection_send(connection, cJSON_CreateNull());
    for (;;) {
        work = work + 1; /* busy: it does not look at its link */
    }
}

static void report_inheritance(mproc_task *task) {
    mproc_connection *connection = mproc_task_connection(task, 0);
    int64_t number = -1;
    if (mproc_task_unpack(task, "(o,I)", NULL, &number) != 0 || connection == NULL) {
        return;
    }
    (void)mproc_connection_send(connection, mproc_pack("[b,i,b]", (int)system_handle_is_open((intptr_t)number),
                                                       system_read_stdin(), (int)system_signals_are_default()));
}

static int run_in_caller_count;

static void count_runs(mproc_task *task) {
    int add;
    if (mproc_task_unpack(task, "(i)", &add) == 0) {
        run_in_caller_count += add;
    }
}

static const mproc_target targets[] = {
    MPROC_TARGET(do_nothing),         MPROC_TARGET(sleep_long), MPROC_TARGET(exit_with),
    MPROC_TARGET(fail_with_text),     MPROC_TARGET(crash),      MPROC_TARGET(describe),
    MPROC_TARGET(echo_arguments),     MPROC_TARGET(descend),    MPROC_TARGET(have_children_and_spin),
    MPROC_TARGET(report_inheritance), MPROC_TARGET(count_runs), MPROC_TARGETS_END};

static void not_in_the_table(mproc_task *task) {
    (void)task;
}

/* Helpers ------------------------------------------------------------------------------------------------------ */

static int join_and_destroy(mproc_process *process) {
    int exitcode = 12345;
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_process_exitcode(process, &exitcode));
    mproc_process_destroy(process);
    return exitcode;
}

static cJSON *receive(mproc_connection *connection) {
    cJSON *value = NULL;
    assert_mproc(0, mproc_connection_recv(connection, &value, TEST_PATIENCE_MS));
    return value;
}

/* Lets all that is opened once and then kept be opened: the hub too, which large arguments need. */
static int count_handles(void **state) {
    (void)state;
    mproc_process *process;
    mproc_process_options options = {0};
    options.size = (size_t)1 << 20;
    void *data = calloc(1, options.size);
    assert_non_null(data);
    options.data = data;
    assert_mproc(0, mproc_process_create(&process, do_nothing, &options));
    free(data);
    assert_mproc(0, mproc_process_start(process));
    join_and_destroy(process);
    test_note_open_handles();
    return 0;
}

/* Tests -------------------------------------------------------------------------------------------------------- */

static void a_child_that_returns_ends_with_0(void **state) {
    (void)state;
    mproc_process *process = start_child(do_nothing, NULL);
    mproc_process *children[2] = {NULL, NULL};
    int exitcode = -1;
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_process_exitcode(process, &exitcode));
    assert_int_equal(exitcode, 0);
    assert_false(mproc_process_is_alive(process));
    assert_int_equal(mproc_active_children(children, 2), 0);
    mproc_process_destroy(process);
}

static void before_start_there_is_no_pid_and_no_exitcode(void **state) {
    (void)state;
    mproc_process *process;
    int exitcode = 99;
    assert_mproc(0, mproc_process_create(&process, do_nothing, NULL));
    assert_int_equal(mproc_process_pid(process), 0);
    assert_false(mproc_process_is_alive(process));
    assert_mproc(MPROC_ESTATE, mproc_process_exitcode(process, &exitcode));
    assert_int_equal(exitcode, 99);
    assert_mproc(MPROC_ESTATE, mproc_process_join(process, 0));
    assert_message("has not been started");
    assert_mproc(MPROC_ESTATE, mproc_process_terminate(process));
    assert_mproc(MPROC_ESTATE, mproc_process_kill(process));
    mproc_process_destroy(process);
}

static void the_pid_is_the_childs_own_and_stays(void **state) {
    (void)state;
    mproc_connection *a, *b;
    assert_mproc(0, mproc_pipe(&a, &b, false));
    mproc_process *process = start_child(describe, mproc_pack("[o]", mproc_connection_ref(b)));
    mproc_connection_close(b);
    cJSON *description = receive(a);
    int pid = 0, ppid = 0;
    assert_mproc(0, mproc_unpack(description, "{s:i,s:i}", "pid", &pid, "ppid", &ppid));
    assert_int_equal(pid, mproc_process_pid(process));
    assert_int_equal(ppid, mproc_getpid());
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    assert_int_equal(pid, mproc_process_pid(process));
    cJSON_Delete(description);
    mproc_connection_close(a);
    mproc_process_destroy(process);
}

static void starting_twice_is_refused(void **state) {
    (void)state;
    mproc_process *process = start_child(do_nothing, NULL);
    assert_mproc(MPROC_ESTATE, mproc_process_start(process));
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    assert_mproc(MPROC_ESTATE, mproc_process_start(process));
    assert_message("started already");
    mproc_process_destroy(process);
}

static void exit_codes_arrive(void **state) {
    (void)state;
    assert_int_equal(join_and_destroy(start_child(exit_with, mproc_pack("[i]", 7))), 7);
    assert_int_equal(join_and_destroy(start_child(exit_with, mproc_pack("[i]", 0))), 0);
    assert_int_equal(join_and_destroy(start_child(exit_with, mproc_pack("[i]", 300))), system_exit_code(300));
}

static void a_failed_task_ends_with_1_and_one_line(void **state) {
    (void)state;
    char *text;
    system_capture_stderr();
    int exitcode = join_and_destroy(start_child(fail_with_text, mproc_pack("[s]", "没有文件")));
    text = system_captured_stderr();
    assert_int_equal(exitcode, 1);
    assert_non_null(strstr(text, "没有文件"));
    assert_non_null(strstr(text, "Process-"));
    assert_ptr_equal(strchr(text, '\n'), strrchr(text, '\n'));
    free(text);
}

static void a_wrong_argument_fails_with_a_message_that_names_it(void **state) {
    (void)state;
    system_capture_stderr();
    int exitcode = join_and_destroy(start_child(exit_with, mproc_pack("[s]", "x")));
    char *text = system_captured_stderr();
    assert_int_equal(exitcode, 1);
    assert_non_null(strstr(text, "exit_with: argument 0 (code) should be a whole number, but is the string \"x\""));
    free(text);
}

static void terminate_reads_minus_15_and_kill_minus_9(void **state) {
    (void)state;
    mproc_process *process = start_child(sleep_long, NULL);
    assert_true(mproc_process_is_alive(process));
    assert_mproc(0, mproc_process_terminate(process));
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    assert_mproc(0, mproc_process_terminate(process)); /* after the end: nothing happens */
    assert_int_equal(join_and_destroy(process), -15);

    process = start_child(sleep_long, NULL);
    assert_mproc(0, mproc_process_kill(process));
    assert_int_equal(join_and_destroy(process), -9);
}

static void a_crash_is_told(void **state) {
    (void)state;
    assert_int_equal(join_and_destroy(start_child(crash, NULL)), system_crash_code());
}

static void join_with_a_timeout_leaves_the_child_alone(void **state) {
    (void)state;
    mproc_process *process = start_child(sleep_long, NULL);
    assert_mproc(MPROC_ETIMEDOUT, mproc_process_join(process, 0));
    double before = mproc_time();
    assert_mproc(MPROC_ETIMEDOUT, mproc_process_join(process, 300));
    assert_true(mproc_time() - before >= 0.299);
    assert_mproc(MPROC_EINVAL, mproc_process_join(process, -2));
    assert_message("MPROC_FOREVER");
    assert_true(mproc_process_is_alive(process));
    assert_mproc(0, mproc_process_kill(process));
    join_and_destroy(process);
}

static void join_in_thread(void *process) {
    if (mproc_process_join(process, TEST_PATIENCE_MS) != 0) {
        print_error("%s\n", mproc_last_error()->message);
        abort();
    }
}

static void several_threads_may_join_at_once(void **state) {
    (void)state;
    uv_thread_t threads[8];
    mproc_process *process = start_child(sleep_long, NULL);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(uv_thread_create(&threads[i], join_in_thread, process), 0);
    }
    assert_mproc(MPROC_ETIMEDOUT, mproc_process_join(process, 20));
    assert_mproc(0, mproc_process_kill(process));
    for (int i = 0; i < 8; i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
    }
    assert_int_equal(join_and_destroy(process), -9);
}

static void names_are_given_and_kept(void **state) {
    (void)state;
    mproc_process *first, *second, *named;
    mproc_process_options options = {0};
    unsigned number = 0;
    assert_mproc(0, mproc_process_create(&first, do_nothing, NULL));
    assert_mproc(0, mproc_process_create(&second, do_nothing, NULL));
    assert_int_equal(sscanf(mproc_process_name(first), "Process-%u", &number), 1);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "Process-%u", number + 1);
    assert_string_equal(mproc_process_name(second), expected);
    options.name = "任务1";
    assert_mproc(0, mproc_process_create(&named, do_nothing, &options));
    assert_string_equal(mproc_process_name(named), "任务1");
    assert_mproc(0, mproc_process_set_name(named, "任务2"));
    assert_string_equal(mproc_process_name(named), "任务2");
    assert_mproc(MPROC_EINVAL, mproc_process_set_name(named, ""));
    assert_mproc(MPROC_EINVAL, mproc_process_set_name(named, "\xff"));
    char long_name[300];
    memset(long_name, 'x', sizeof long_name);
    long_name[256] = '\0';
    assert_mproc(MPROC_ERANGE, mproc_process_set_name(named, long_name));
    long_name[255] = '\0';
    assert_mproc(0, mproc_process_set_name(named, long_name));
    mproc_process_destroy(first);
    mproc_process_destroy(second);
    mproc_process_destroy(named);
}

static void a_child_knows_itself_and_its_parent(void **state) {
    (void)state;
    mproc_connection *a, *b;
    mproc_process *process;
    mproc_process_options options = {0};
    const char *name, *parent_name;
    bool daemon, alive;
    int pid, parent_pid;
    assert_mproc(0, mproc_pipe(&a, &b, false));
    options.name = "小明";
    options.daemon = true;
    options.args = mproc_pack("[o]", mproc_connection_ref(b));
    assert_mproc(0, mproc_process_create(&process, describe, &options));
    assert_mproc(0, mproc_process_start(process));
    mproc_connection_close(b);
    cJSON *description = receive(a);
    assert_mproc(0,
                 mproc_unpack(description, "{s:{s:s,s:i,s:b},s:{s:s,s:i,s:b}}", "current", "name", &name, "pid", &pid,
                              "daemon", &daemon, "parent", "name", &parent_name, "pid", &parent_pid, "alive", &alive));
    assert_string_equal(name, "小明");
    assert_true(daemon);
    assert_int_equal(pid, mproc_process_pid(process));
    assert_string_equal(parent_name, "MainProcess");
    assert_int_equal(parent_pid, mproc_getpid());
    assert_true(alive);
    cJSON_Delete(description);
    mproc_connection_close(a);
    assert_int_equal(join_and_destroy(process), 0);
}

static void the_first_process_has_no_parent(void **state) {
    (void)state;
    const mproc_process *current = mproc_current_process();
    assert_null(mproc_parent_process());
    assert_string_equal(mproc_process_name(current), "MainProcess");
    assert_int_equal(mproc_process_pid(current), mproc_getpid());
    assert_true(mproc_process_is_alive(current));
    assert_mproc(MPROC_ESTATE, mproc_process_join((mproc_process *)(uintptr_t)current, 0));
    assert_mproc(MPROC_ESTATE, mproc_process_start((mproc_process *)(uintptr_t)current));
    assert_mproc(MPROC_ESTATE, mproc_process_terminate((mproc_process *)(uintptr_t)current));
}

static void the_daemon_flag_is_fixed_by_start(void **state) {
    (void)state;
    mproc_process *process;
    assert_mproc(0, mproc_process_create(&process, do_nothing, NULL));
    assert_false(mproc_process_daemon(process));
    assert_mproc(0, mproc_process_set_daemon(process, true));
    assert_true(mproc_process_daemon(process));
    assert_mproc(0, mproc_process_start(process));
    assert_mproc(MPROC_ESTATE, mproc_process_set_daemon(process, false));
    join_and_destroy(process);
}

static void arguments_of_all_kinds_arrive_as_they_were(void **state) {
    (void)state;
    static const unsigned char bytes[] = {0, 1, 0, 255, 0};
    mproc_connection *a, *b;
    mproc_process *process;
    mproc_process_options options = {0};
    void *data = NULL;
    size_t size = 0;
    assert_mproc(0, mproc_pipe(&a, &b, false));
    cJSON *args = mproc_pack("[I,I,f,b,n,s,[i,[s,{s:i}],{}]]", (int64_t)1 << 53, -((int64_t)1 << 53), 0.1, 1,
                             "小红 \"q\" \\", 1, "two", "three", 3);
    cJSON *kwargs = mproc_pack("{s:i,s:f}", "m", 20, "最小", -9223372036854775808.0);
    options.args = cJSON_Duplicate(args, true);
    cJSON_InsertItemInArray(options.args, 0, mproc_connection_ref(b));
    options.kwargs = cJSON_Duplicate(kwargs, true);
    options.data = bytes;
    options.size = sizeof bytes;
    assert_mproc(0, mproc_process_create(&process, echo_arguments, &options));
    assert_mproc(0, mproc_process_start(process));
    mproc_connection_close(b);
    cJSON *echo = receive(a);
    assert_true(cJSON_Compare(cJSON_GetArrayItem(echo, 0), args, true));
    assert_true(cJSON_Compare(cJSON_GetArrayItem(echo, 1), kwargs, true));
    assert_mproc(0, mproc_connection_recv_bytes(a, &data, &size, TEST_PATIENCE_MS));
    assert_int_equal(size, sizeof bytes);
    assert_memory_equal(data, bytes, sizeof bytes);
    mproc_free(data);
    cJSON_Delete(echo);
    cJSON_Delete(args);
    cJSON_Delete(kwargs);
    mproc_connection_close(a);
    assert_int_equal(join_and_destroy(process), 0);
}

static void large_arguments_do_not_make_start_wait(void **state) {
    (void)state;
    const size_t size = (size_t)16 << 20;
    mproc_connection *a, *b;
    mproc_process *process;
    mproc_process_options options = {0};
    void *echoed = NULL;
    size_t echoed_size = 0;
    unsigned char *data = malloc(size);
    assert_non_null(data);
    for (size_t i = 0; i < size; i++) {
        data[i] = (unsigned char)(i * 2654435761u >> 13);
    }
    assert_mproc(0, mproc_pipe(&a, &b, false));
    options.args = mproc_pack("[o]", mproc_connection_ref(b));
    options.data = data;
    options.size = size;
    assert_mproc(0, mproc_process_create(&process, echo_arguments, &options));
    assert_mproc(0, mproc_process_start(process));
    mproc_connection_close(b);
    cJSON_Delete(receive(a));
    assert_mproc(0, mproc_connection_recv_bytes(a, &echoed, &echoed_size, TEST_PATIENCE_MS));
    assert_int_equal(echoed_size, size);
    assert_int_equal(memcmp(echoed, data, size), 0);
    mproc_free(echoed);
    free(data);
    mproc_connection_close(a);
    assert_int_equal(join_and_destroy(process), 0);
}

static void a_child_that_never_reads_its_large_arguments_can_be_ended(void **state) {
    (void)state;
    mproc_process *process;
    mproc_process_options options = {0};
    options.size = (size_t)8 << 20;
    void *data = calloc(1, options.size);
    assert_non_null(data);
    options.data = data;
    assert_mproc(0, mproc_process_create(&process, sleep_long, &options));
    assert_mproc(0, mproc_process_start(process));
    assert_mproc(0, mproc_process_kill(process)); /* it may be in the middle of reading */
    assert_int_equal(join_and_destroy(process), -9);
    free(data);
}

static void children_of_children_have_names_of_their_own(void **state) {
    (void)state;
    mproc_connection *a, *b;
    assert_mproc(0, mproc_pipe(&a, &b, true));
    mproc_process *process = start_child(descend, mproc_pack("[o,i]", mproc_connection_ref(b), 3));
    mproc_connection_close(b);
    char expected[128];
    (void)snprintf(expected, sizeof expected, "%s", mproc_process_name(process));
    for (int i = 0; i < 4; i++) {
        cJSON *name = receive(a);
        assert_string_equal(cJSON_GetStringValue(name), expected);
        cJSON_Delete(name);
        (void)snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ":1");
    }
    cJSON *none;
    assert_mproc(MPROC_ECLOSED, mproc_connection_recv(a, &none, TEST_PATIENCE_MS));
    mproc_connection_close(a);
    assert_int_equal(join_and_destroy(process), 0);
}

static void active_children_are_listed(void **state) {
    (void)state;
    mproc_process *children[4] = {NULL, NULL, NULL, NULL};
    mproc_process *first = start_child(sleep_long, NULL), *second = start_child(sleep_long, NULL);
    assert_int_equal(mproc_active_children(NULL, 0), 2);
    assert_int_equal(mproc_active_children(children, 4), 2);
    assert_true((children[0] == first && children[1] == second) || (children[0] == second && children[1] == first));
    assert_mproc(0, mproc_process_kill(first));
    assert_mproc(0, mproc_process_join(first, TEST_PATIENCE_MS));
    assert_int_equal(mproc_active_children(children, 1), 1);
    assert_ptr_equal(children[0], second);
    assert_mproc(0, mproc_process_kill(second));
    join_and_destroy(first);
    join_and_destroy(second);
}

static void run_carries_the_target_out_here(void **state) {
    (void)state;
    mproc_process *process;
    mproc_process_options options = {0};
    run_in_caller_count = 0;
    options.args = mproc_pack("[i]", 5);
    assert_mproc(0, mproc_process_create(&process, count_runs, &options));
    assert_mproc(0, mproc_process_run(process));
    assert_mproc(0, mproc_process_run(process));
    assert_int_equal(run_in_caller_count, 10);
    mproc_process_destroy(process);
    options.args = mproc_pack("[s]", "x");
    assert_mproc(0, mproc_process_create(&process, count_runs, &options));
    assert_mproc(MPROC_ETASK, mproc_process_run(process));
    assert_message("count_runs: argument 0 should be a whole number, but is the string \"x\"");
    mproc_process_destroy(process);
}

static void misuse_is_told_and_starts_nothing(void **state) {
    (void)state;
    mproc_process *process = NULL;
    mproc_process_options options = {0};
    assert_mproc(MPROC_ETARGET, mproc_spawn(&process, not_in_the_table, NULL));
    assert_message("MPROC_TARGET");
    assert_mproc(MPROC_EINVAL, mproc_spawn(&process, NULL, NULL));
    assert_mproc(MPROC_EINVAL, mproc_spawn(NULL, do_nothing, mproc_pack("[]")));
    assert_mproc(MPROC_ETYPE, mproc_spawn(&process, do_nothing, mproc_pack("{}")));
    assert_message("args should be an array or NULL, but is an object");
    options.kwargs = mproc_pack("[]");
    assert_mproc(MPROC_ETYPE, mproc_process_create(&process, do_nothing, &options));
    assert_mproc(MPROC_ETYPE, mproc_spawn(&process, do_nothing, mproc_pack("[o]", cJSON_CreateRaw("1"))));
    cJSON *not_finite = cJSON_CreateArray();
    cJSON_AddItemToArray(not_finite, cJSON_CreateNumber(1e308 * 10));
    assert_mproc(MPROC_EINVAL, mproc_spawn(&process, do_nothing, not_finite));
    assert_mproc(MPROC_EINVAL, mproc_spawn(&process, do_nothing, mproc_pack("[q]", 1)));
    options.kwargs = NULL;
    options.size = 1;
    assert_mproc(MPROC_EINVAL, mproc_process_create(&process, do_nothing, &options));
    options.size = 0;
    options.name = "";
    assert_mproc(MPROC_EINVAL, mproc_process_create(&process, do_nothing, &options));
    assert_null(process);
    assert_int_equal(mproc_active_children(NULL, 0), 0);
    mproc_process_destroy(NULL);
}

static void only_what_is_named_is_inherited(void **state) {
    (void)state;
    mproc_connection *a, *b;
    bool is_open, is_default;
    int from_stdin;
    intptr_t stray = system_open_inheritable();
    assert_mproc(0, mproc_pipe(&a, &b, false));
    system_spoil_signals();
    mproc_process *process =
        start_child(report_inheritance, mproc_pack("[o,I]", mproc_connection_ref(b), (int64_t)stray));
    system_restore_signals();
    mproc_connection_close(b);
    cJSON *answer = receive(a);
    assert_mproc(0, mproc_unpack(answer, "[b,i,b]", &is_open, &from_stdin, &is_default));
    assert_false(is_open);
    assert_int_equal(from_stdin, 0); /* end of file */
    assert_true(is_default);
    cJSON_Delete(answer);
    mproc_connection_close(a);
    assert_int_equal(join_and_destroy(process), 0);
    system_close_handle(stray);
}

static void descendants_end_with_a_killed_parent(void **state) {
    (void)state;
    mproc_connection *a, *b;
    int pids[8];
    int count = 0;
    assert_mproc(0, mproc_pipe(&a, &b, false));
    mproc_process *process = start_child(have_children_and_spin, mproc_pack("[o,i]", mproc_connection_ref(b), 2));
    mproc_connection_close(b);
    for (;;) {
        cJSON *pid = receive(a);
        bool is_last = cJSON_IsNull(pid);
        if (!is_last && pid->valuedouble > 0) {
            assert_true(count < 8);
            pids[count++] = pid->valueint;
        }
        cJSON_Delete(pid);
        if (is_last) {
            break;
        }
    }
    assert_int_equal(count, 7); /* itself, two children, four grandchildren */
    assert_mproc(0, mproc_process_kill(process));
    assert_int_equal(join_and_destroy(process), -9);
    for (int i = 0; i < count; i++) {
        assert_true(system_wait_until_gone(pids[i], TEST_PATIENCE_MS));
    }
    mproc_connection_close(a);
}

static void a_thousand_processes_leave_nothing_behind(void **state) {
    (void)state;
    int count = system_is_slow_to_spawn() ? 100 : 1000;
    for (int i = 0; i < count; i++) {
        assert_int_equal(join_and_destroy(start_child(do_nothing, NULL)), 0);
    }
}

static void many_processes_at_once_leave_nothing_behind(void **state) {
    (void)state;
    enum { MAX = 256 };
    int count = system_is_slow_to_spawn() ? 32 : MAX;
    static mproc_process *processes[MAX];
    for (int i = 0; i < count; i++) {
        processes[i] = start_child(sleep_long, NULL);
    }
    assert_int_equal(mproc_active_children(NULL, 0), count);
    for (int i = 0; i < count; i++) {
        assert_mproc(0, mproc_process_terminate(processes[i]));
    }
    for (int i = 0; i < count; i++) {
        assert_int_equal(join_and_destroy(processes[i]), -15);
    }
}

static void start_many(void *unused) {
    (void)unused;
    for (int i = 0; i < 10; i++) {
        mproc_process *process = NULL;
        int exitcode = -1;
        if (mproc_spawn(&process, exit_with, mproc_pack("[i]", i)) != 0 ||
            mproc_process_join(process, TEST_PATIENCE_MS) != 0 || mproc_process_exitcode(process, &exitcode) != 0 ||
            exitcode != i) {
            print_error("exit code %d: %s\n", exitcode, mproc_last_error()->message);
            abort();
        }
        mproc_process_destroy(process);
    }
}

static void threads_may_start_processes_at_once(void **state) {
    (void)state;
    uv_thread_t threads[4];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(uv_thread_create(&threads[i], start_many, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
    }
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_that_returns_ends_with_0),
        cmocka_unit_test(before_start_there_is_no_pid_and_no_exitcode),
        cmocka_unit_test(the_pid_is_the_childs_own_and_stays),
        cmocka_unit_test(starting_twice_is_refused),
        cmocka_unit_test(exit_codes_arrive),
        cmocka_unit_test(a_failed_task_ends_with_1_and_one_line),
        cmocka_unit_test(a_wrong_argument_fails_with_a_message_that_names_it),
        cmocka_unit_test(terminate_reads_minus_15_and_kill_minus_9),
        cmocka_unit_test(a_crash_is_told),
        cmocka_unit_test(join_with_a_timeout_leaves_the_child_alone),
        cmocka_unit_test(several_threads_may_join_at_once),
        cmocka_unit_test(names_are_given_and_kept),
        cmocka_unit_test(a_child_knows_itself_and_its_parent),
        cmocka_unit_test(the_first_process_has_no_parent),
        cmocka_unit_test(the_daemon_flag_is_fixed_by_start),
        cmocka_unit_test(arguments_of_all_kinds_arrive_as_they_were),
        cmocka_unit_test(large_arguments_do_not_make_start_wait),
        cmocka_unit_test(a_child_that_never_reads_its_large_arguments_can_be_ended),
        cmocka_unit_test(children_of_children_have_names_of_their_own),
        cmocka_unit_test(active_children_are_listed),
        cmocka_unit_test(run_carries_the_target_out_here),
        cmocka_unit_test(misuse_is_told_and_starts_nothing),
        cmocka_unit_test(only_what_is_named_is_inherited),
        cmocka_unit_test(descendants_end_with_a_killed_parent),
        cmocka_unit_test(a_thousand_processes_leave_nothing_behind),
        cmocka_unit_test(many_processes_at_once_leave_nothing_behind),
        cmocka_unit_test(threads_may_start_processes_at_once),
        cmocka_unit_test(nothing_is_left_open),
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("process", tests, count_handles, NULL);
}
