/* SPDX-License-Identifier: MIT */
/* The process that ends other programs where the system does not: used here whatever the system can do. */
#include "support/children.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "spawn/watchdog.h"
#include "support/helper.h"
#include "support/system.h"

/* A program that leads a group, and that the system does not end with this process. */
static int start_sleeper(void) {
    mproc_popen *process = NULL;
    mproc_popen_options options;
    memset(&options, 0, sizeof options);
    options.argv = (const char *const[]){helper_path(), HELPER_OPTION, "sleep", NULL};
    options.in.kind = options.out.kind = options.err.kind = MPROC_DEVNULL;
    options.detached = true;
    int status = mproc_popen_create(&process, &options);
    int pid = status == 0 ? mproc_popen_pid(process) : status;
    mproc_popen_destroy(process); /* it goes on */
    return pid;
}

/* Starts three programs of which the watchdog is to end the first and the last, and stays. */
static void start_and_stay(mproc_task *task) {
    mproc_queue *queue = mproc_task_queue(task, 0);
    bool has_to_replace;
    int pids[3];
    if (queue == NULL || mproc_task_unpack(task, "(o,b)", NULL, &has_to_replace) != 0) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        pids[i] = start_sleeper();
        check_task(task, watchdog_watch(pids[i], pids[i]));
        put_number(queue, pids[i]);
        if (has_to_replace && i < 2) {
            system_kill(watchdog_pid());
            (void)system_wait_until_gone(watchdog_pid(), TEST_PATIENCE_MS);
        }
    }
    watchdog_forget(pids[1]);
    put_number(queue, watchdog_pid());
    mproc_sleep(600 * 1000);
}

static int get_pid(mproc_queue *queue) {
    cJSON *item = get_item(queue);
    int pid = item->valueint;
    cJSON_Delete(item);
    assert_true(pid > 0);
    return pid;
}

static void expect_ends(bool has_to_replace) {
    int pids[3];
    mproc_queue *queue = create_queue(0);
    mproc_process *process = start_child(start_and_stay, mproc_pack("[o,b]", mproc_queue_ref(queue), has_to_replace));
    for (int i = 0; i < 3; i++) {
        pids[i] = get_pid(queue);
    }
    int watchdog = get_pid(queue);
    assert_mproc(0, mproc_process_kill(process));
    end_child(process, -9);
    assert_true(system_wait_until_gone(pids[0], TEST_PATIENCE_MS));
    assert_true(system_wait_until_gone(pids[2], TEST_PATIENCE_MS));
    assert_true(system_wait_until_gone(watchdog, TEST_PATIENCE_MS));
    assert_false(system_wait_until_gone(pids[1], 0)); /* which was forgotten */
    system_kill(pids[1]);
    assert_true(system_wait_until_gone(pids[1], TEST_PATIENCE_MS));
    mproc_queue_destroy(queue);
}

static void programs_end_with_a_killed_process(void **state) {
    (void)state;
    expect_ends(false);
}

static void a_killed_watchdog_is_replaced(void **state) {
    (void)state;
    expect_ends(true);
}

static void it_ends_with_the_library(void **state) {
    (void)state;
    int pid = start_sleeper();
    assert_mproc(0, watchdog_watch(pid, HANDLE_INVALID));
    int watchdog = watchdog_pid();
    assert_true(watchdog > 0);
    mproc_shutdown();
    assert_int_equal(watchdog_pid(), 0);
    assert_true(system_wait_until_gone(watchdog, TEST_PATIENCE_MS));
    assert_true(system_wait_until_gone(pid, TEST_PATIENCE_MS));
}

/* An application may wait for all its children, however many it has started. */
static void it_is_nobodys_child(void **state) {
    int status;
    (void)state;
    int pid = start_sleeper();
    assert_mproc(0, watchdog_watch(pid, HANDLE_INVALID));
    system_kill(pid);
    while (waitpid(-1, &status, 0) > 0) {
    }
    assert_int_equal(errno, ECHILD);
    watchdog_forget(pid);
}

static void its_option_is_refused_from_others(void **state) {
    char *lines[][4] = {{"program", WATCHDOG_OPTION, "", NULL},
                        {"program", WATCHDOG_OPTION, "99,99,-1", NULL},
                        {"program", WATCHDOG_OPTION, "0,1", NULL},
                        {"program", WATCHDOG_OPTION, "-1,-1,-1", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_mproc(MPROC_EINVAL, watchdog_run(lines[i]));
        assert_message(WATCHDOG_OPTION " is an option that only mproc itself may use");
    }
}

static const mproc_target targets[] = {MPROC_TARGET(start_and_stay), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_option_is_refused_from_others),  cmocka_unit_test(it_is_nobodys_child),
        cmocka_unit_test(programs_end_with_a_killed_process), cmocka_unit_test(a_killed_watchdog_is_replaced),
        cmocka_unit_test(it_ends_with_the_library), /* last: it ends the library */
    };
    if (helper_is_wanted(argc, argv)) {
        return helper_main(argc, argv);
    }
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
