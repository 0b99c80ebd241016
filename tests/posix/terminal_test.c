/* SPDX-License-Identifier: MIT */
/* Programs at a terminal of their own: a pool's progress bar, another program that reads from the terminal, pmap, and Ctrl-C for
 * each. */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mproc.h"
#include "support/system.h"

#define OPTION "--at-terminal"
#define CTRL_C "\x03"
#define CTRL_D "\x04"

/* The program -------------------------------------------------------------------------------------------------- */

static void nap(mproc_task *task) {
    int ms;
    if (mproc_task_unpack(task, "(i)", &ms) == 0) {
        mproc_sleep(ms);
    }
}

/* Tells its pid and stays. */
static void stay(mproc_task *task) {
    (void)task;
    printf("worker %d.\n", mproc_getpid());
    (void)fflush(stdout);
    for (;;) {
        mproc_sleep(TEST_PATIENCE_MS);
    }
}

/* The tenth item fails. */
static void fail_at_ten(mproc_task *task) {
    int number;
    if (mproc_task_unpack(task, "(i)", &number) == 0 && number == 10) {
        mproc_task_fail(task, "ten");
    }
}

static const mproc_target targets[] = {MPROC_TARGET(nap), MPROC_TARGET(stay), MPROC_TARGET(fail_at_ten),
                                       MPROC_TARGETS_END};

/* Another program reads from the terminal, until Ctrl-C ends it, but not this one. */
static int run_cat(void) {
    int returncode = 0;
    (void)signal(SIGINT, SIG_IGN);
    if (mproc_call((const char *const[]){"cat", NULL}, &returncode) != 0) {
        (void)fprintf(stderr, "%s\n", mproc_last_error()->message);
    }
    printf("cat: %d\n", returncode);
    return 0;
}

static int run_pool(const char *what) {
    mproc_pool *pool = NULL;
    mproc_map_options options = {0};
    mproc_fn fn = strcmp(what, "short") == 0 ? nap : strcmp(what, "failing") == 0 ? fail_at_ten : stay;
    cJSON *items = cJSON_CreateArray();
    for (int i = 0; i < 2 || (fn != stay && i < 300); i++) {
        (void)cJSON_AddItemToArray(items, cJSON_CreateNumber(fn == nap ? 2 : i));
    }
    options.chunksize = 1;
    options.progress = "working";
    int status = mproc_pool_create(&pool, 2, NULL);
    if (status == 0) {
        status = mproc_pool_map(pool, fn, items, &options, NULL);
    }
    if (status != 0) {
        (void)fprintf(stderr, "%s\n", mproc_last_error()->message);
    }
    mproc_pool_destroy(pool);
    return status == 0 ? 0 : 1;
}

/* Its terminal ------------------------------------------------------------------------------------------------- */

struct program {
    pid_t pid;
    int terminal;
    char output[65536];
    size_t size;
};

static void start_with(struct program *program, const char *const *arguments) {
    memset(program, 0, sizeof *program);
    program->terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(program->terminal >= 0);
    assert_int_equal(grantpt(program->terminal), 0);
    assert_int_equal(unlockpt(program->terminal), 0);
    const char *name = ptsname(program->terminal);
    assert_non_null(name);
    program->pid = fork();
    assert_true(program->pid >= 0);
    if (program->pid == 0) {
        (void)setsid();
        int terminal = open(name, O_RDWR);
        (void)ioctl(terminal, TIOCSCTTY, 0);
        for (int i = 0; i < 3; i++) {
            (void)dup2(terminal, i);
        }
        (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
}

static void start(struct program *program, const char *what) {
    start_with(program, (const char *const[]){"/proc/self/exe", OPTION, what, NULL});
}

static void type(const struct program *program, const char *keys) {
    assert_int_equal(write(program->terminal, keys, strlen(keys)), (ssize_t)strlen(keys));
}

/* Reads what comes next; false: the terminal's other side has been closed. */
static bool read_more(struct program *program) {
    struct pollfd wait = {program->terminal, POLLIN, 0};
    assert_int_equal(poll(&wait, 1, TEST_PATIENCE_MS), 1);
    ssize_t size = read(program->terminal, program->output + program->size, sizeof program->output - 1 - program->size);
    program->size += size > 0 ? (size_t)size : 0;
    return size > 0;
}

static void read_to_end(struct program *program) {
    while (read_more(program)) {
    }
}

static int count(const char *text, const char *wanted) {
    int found = 0;
    while ((text = strstr(text, wanted)) != NULL) {
        found++;
        text++;
    }
    return found;
}

static void a_bar_is_drawn_and_ended(void **state) {
    struct program program;
    int status;
    (void)state;
    double begin = mproc_time();
    start(&program, "short");
    read_to_end(&program);
    double seconds = mproc_time() - begin;
    assert_int_equal(waitpid(program.pid, &status, 0), program.pid);
    assert_int_equal(status, 0);
    (void)close(program.terminal);
    assert_non_null(strstr(program.output, "\rworking ["));
    assert_non_null(strstr(program.output, "300/300"));
    assert_string_equal(program.output + program.size - 2, "\r\n");
    assert_int_equal(count(program.output, "\n"), 1); /* one line, drawn again and again, but no more than it should */
    assert_in_range(count(program.output, "\r"), 2, (int)(10 * seconds) + 4);
}

static void a_bar_that_fails_leaves_the_line(void **state) {
    struct program program;
    int status;
    (void)state;
    start(&program, "failing");
    read_to_end(&program);
    assert_int_equal(waitpid(program.pid, &status, 0), program.pid);
    assert_int_equal(WEXITSTATUS(status), 1);
    (void)close(program.terminal);
    assert_non_null(strstr(program.output, "\rworking ["));
    assert_int_equal(count(program.output, "\n"), 2);
    assert_int_equal(strncmp(strchr(program.output, '\n'), "\nten", 4), 0); /* what the program prints next */
}

static void an_interrupt_ends_all_of_it(void **state) {
    struct program program;
    int status, pids[2];
    char *place;
    (void)state;
    start(&program, "long");
    while (count(program.output, "worker ") < 2 || count(program.output, ".\r") < 2) {
        assert_true(read_more(&program));
    }
    place = strstr(program.output, "worker ");
    assert_int_equal(sscanf(place, "worker %d", &pids[0]), 1);
    assert_int_equal(sscanf(strstr(place + 1, "worker "), "worker %d", &pids[1]), 1);
    type(&program, CTRL_C); /* for all at the terminal */
    assert_int_equal(waitpid(program.pid, &status, 0), program.pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
    assert_true(system_wait_until_gone(pids[0], TEST_PATIENCE_MS));
    assert_true(system_wait_until_gone(pids[1], TEST_PATIENCE_MS));
    read_to_end(&program);
    (void)close(program.terminal);
    /* The cursor is at the beginning of a line. The terminal sends the signal before it echoes the key, so that the echo may
     * come late. */
    const char *end = strrchr(program.output, '\n');
    assert_non_null(end);
    assert_true(strcmp(end, "\n") == 0 || strcmp(end, "\n^C") == 0);
    assert_null(strstr(program.output, "failed")); /* and the workers said nothing */
}

/* As from a shell: it can read, and gets the Ctrl-C. */
static void another_program_has_the_terminal(void **state) {
    struct program program;
    int status;
    (void)state;
    start(&program, "cat");
    type(&program, "from the terminal\n");
    while (count(program.output, "from the terminal\r\n") < 2) { /* the echo, and what cat writes */
        assert_true(read_more(&program));
    }
    type(&program, CTRL_C);
    read_to_end(&program);
    assert_int_equal(waitpid(program.pid, &status, 0), program.pid);
    (void)close(program.terminal);
    assert_int_equal(status, 0);
    assert_non_null(strstr(program.output, "cat: -2\r\n"));
}

#ifdef PMAP
/* What a job has written of itself: its pid. */
static int read_pid(const char *path) {
    int pid = 0;
    for (int tries = 0; pid == 0 && tries < TEST_PATIENCE_MS; tries++) {
        FILE *file = fopen(path, "r");
        if (file == NULL || fscanf(file, "%d.", &pid) != 1) {
            pid = 0;
            mproc_sleep(1);
        }
        if (file != NULL) {
            (void)fclose(file);
        }
    }
    assert_true(pid > 0);
    (void)remove(path);
    return pid;
}

static void an_interrupt_ends_pmap_and_its_jobs(void **state) {
    struct program program;
    int status;
    (void)state;
    start_with(&program, (const char *const[]){PMAP, "-j", "2", "sh", "-c", "echo $$. > {}; exec sleep 600", NULL});
    type(&program, "terminal_test_a.txt\nterminal_test_b.txt\n" CTRL_D);
    int a = read_pid("terminal_test_a.txt"), b = read_pid("terminal_test_b.txt");
    while (strstr(program.output, "0/2") == NULL) {
        assert_true(read_more(&program));
    }
    type(&program, CTRL_C);
    read_to_end(&program);
    assert_int_equal(waitpid(program.pid, &status, 0), program.pid);
    (void)close(program.terminal);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
    assert_true(system_wait_until_gone(a, TEST_PATIENCE_MS));
    assert_true(system_wait_until_gone(b, TEST_PATIENCE_MS));
    const char *cleared =
        strstr(program.output, "\r\x1b[K"); /* the bar's line, the last thing but for the key's echo */
    assert_non_null(cleared);
    assert_true(strcmp(cleared, "\r\x1b[K") == 0 || strcmp(cleared, "\r\x1b[K^C") == 0);
}
#endif

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_is_drawn_and_ended),
        cmocka_unit_test(a_bar_that_fails_leaves_the_line),
        cmocka_unit_test(an_interrupt_ends_all_of_it),
        cmocka_unit_test(another_program_has_the_terminal),
#ifdef PMAP
        cmocka_unit_test(an_interrupt_ends_pmap_and_its_jobs),
#endif
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    if (argc > 2 && strcmp(argv[1], OPTION) == 0) {
        return strcmp(argv[2], "cat") == 0 ? run_cat() : run_pool(argv[2]);
    }
    return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
