/* SPDX-License-Identifier: MIT */
/* The library beside an application that has its own ways with children: handlers of SIGCHLD, waitpid(-1), libuv. */
#include "support/test.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "mproc.h"
#include "support/system.h"

static void exit_with(mproc_task *task) {
    int code;
    if (mproc_task_unpack(task, "(i)", &code) == 0) {
        exit(code);
    }
}

static void sleep_long(mproc_task *task) {
    (void)task;
    mproc_sleep(600 * 1000);
}

static const mproc_target targets[] = {MPROC_TARGET(exit_with), MPROC_TARGET(sleep_long), MPROC_TARGETS_END};

/* The exit code, or MPROC_ENOTFOUND where it is said to be unknown. */
static int run(int code) {
    mproc_process *process;
    int exitcode = -12345;
    assert_mproc(0, mproc_spawn(&process, exit_with, mproc_pack("[i]", code)));
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    assert_false(mproc_process_is_alive(process));
    int status = mproc_process_exitcode(process, &exitcode);
    if (status != 0) {
        assert_mproc(MPROC_ENOTFOUND, status);
        assert_message("collected");
    }
    mproc_process_destroy(process);
    return status != 0 ? status : exitcode;
}

static volatile sig_atomic_t handled;

static void count_signal(int number) {
    (void)number;
    handled++;
}

static void collect_all(int number) {
    int status, saved = errno;
    (void)number;
    while (waitpid(-1, &status, WNOHANG) > 0) {
        handled++;
    }
    errno = saved;
}

static void set_handler(void (*handler)(int)) {
    struct sigaction action = {0};
    action.sa_handler = handler;
    action.sa_flags = 0; /* no SA_RESTART: the library's calls are interrupted */
    assert_int_equal(sigaction(SIGCHLD, &action, NULL), 0);
}

static void an_applications_handler_is_kept_and_called(void **state) {
    (void)state;
    struct sigaction now;
    handled = 0;
    set_handler(count_signal);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(run(i), i);
    }
    assert_int_equal(sigaction(SIGCHLD, NULL, &now), 0);
    assert_true(now.sa_handler == count_signal);
    assert_true(handled > 0);
    set_handler(SIG_DFL);
}

static void ignored_sigchld_makes_the_exit_code_unknown(void **state) {
    (void)state;
    set_handler(SIG_IGN);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(run(7), MPROC_ENOTFOUND);
    }
    set_handler(SIG_DFL);
}

static void ignored_sigchld_costs_no_output(void **state) {
    mproc_completed completed;
    mproc_popen *process = NULL;
    mproc_popen_options options = {0};
    (void)state;
    set_handler(SIG_IGN);
    options.argv = (const char *const[]){"echo", "kept", NULL};
    assert_mproc(MPROC_ENOTFOUND, mproc_check_output(options.argv, &completed));
    assert_message("collected");
    assert_string_equal(completed.out, "kept\n");
    mproc_completed_clear(&completed);
    options.out.kind = MPROC_PIPE;
    assert_mproc(0, mproc_popen_create(&process, &options));
    assert_mproc(MPROC_ENOTFOUND, mproc_popen_communicate(process, NULL, 0, &completed, TEST_PATIENCE_MS));
    assert_string_equal(completed.out, "kept\n");
    mproc_completed_clear(&completed);
    mproc_popen_destroy(process);
    set_handler(SIG_DFL);
}

static void a_handler_that_collects_everything_is_survived(void **state) {
    (void)state;
    set_handler(collect_all);
    for (int i = 0; i < 20; i++) {
        int result = run(7);
        assert_true(result == 7 || result == MPROC_ENOTFOUND);
    }
    set_handler(SIG_DFL);
}

static void collect_in_thread(void *argument) {
    uv_sem_t *stop = argument;
    int status;
    while (uv_sem_trywait(stop) != 0) {
        if (waitpid(-1, &status, 0) < 0) {
            (void)sched_yield(); /* there are no children at the moment */
        }
    }
}

static void a_thread_in_waitpid_is_survived(void **state) {
    (void)state;
    uv_thread_t thread;
    uv_sem_t stop;
    assert_int_equal(uv_sem_init(&stop, 0), 0);
    assert_int_equal(uv_thread_create(&thread, collect_in_thread, &stop), 0);
    for (int i = 0; i < 50; i++) {
        int result = run(7);
        assert_true(result == 7 || result == MPROC_ENOTFOUND);
    }
    uv_sem_post(&stop);
    assert_int_equal(uv_thread_join(&thread), 0);
    uv_sem_destroy(&stop);
}

static int64_t uv_exit_status;

static void on_exit_of_uv(uv_process_t *process, int64_t status, int signal_number) {
    (void)signal_number;
    uv_exit_status = status;
    uv_close((uv_handle_t *)process, NULL);
}

static void an_applications_own_loop_gets_its_own_children(void **state) {
    (void)state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    for (int i = 0; i < 10; i++) {
        uv_process_t process;
        uv_process_options_t options = {0};
        char *arguments[] = {"sh", "-c", "exit 5", NULL};
        options.file = "/bin/sh";
        options.args = arguments;
        options.exit_cb = on_exit_of_uv;
        uv_exit_status = -1;
        assert_int_equal(uv_spawn(&loop, &process, &options), 0);
        assert_int_equal(run(i), i);
        assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
        assert_int_equal(uv_exit_status, 5);
    }
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void the_library_starts_no_thread_before_the_first_process(void **state) {
    (void)state;
    mproc_connection *a, *b;
    mproc_queue *queue;
    assert_mproc(0, mproc_pipe(&a, &b, true));
    mproc_connection_close(a);
    mproc_connection_close(b);
    assert_mproc(0, mproc_queue_create(&queue, 1));
    assert_mproc(0, mproc_queue_put(queue, mproc_queue_ref(queue), MPROC_FOREVER));
    mproc_queue_destroy(queue);
    assert_int_equal(system_threads(), 1);
    assert_int_equal(run(0), 0);
}

static void a_forked_copy_leaves_the_children_alone(void **state) {
    (void)state;
    mproc_process *process;
    mproc_process_options options = {0};
    int status = -1;
    options.daemon = true;
    assert_mproc(0, mproc_process_create(&process, sleep_long, &options));
    assert_mproc(0, mproc_process_start(process));
    pid_t copy = fork();
    if (copy == 0) {
        exit(0); /* its exit handlers are the library's too */
    }
    assert_int_equal(waitpid(copy, &status, 0), copy);
    assert_int_equal(status, 0);
    assert_true(mproc_process_is_alive(process));
    assert_mproc(0, mproc_process_kill(process));
    assert_mproc(0, mproc_process_join(process, TEST_PATIENCE_MS));
    mproc_process_destroy(process);
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_starts_no_thread_before_the_first_process), /* first: later ones make threads */
        cmocka_unit_test(an_applications_handler_is_kept_and_called),
        cmocka_unit_test(ignored_sigchld_makes_the_exit_code_unknown),
        cmocka_unit_test(ignored_sigchld_costs_no_output),
        cmocka_unit_test(a_handler_that_collects_everything_is_survived),
        cmocka_unit_test(a_thread_in_waitpid_is_survived),
        cmocka_unit_test(a_forked_copy_leaves_the_children_alone),
        cmocka_unit_test(an_applications_own_loop_gets_its_own_children),
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("interference", tests, NULL, NULL);
}
