/* SPDX-License-Identifier: MIT */
/* The seam's spawn and exit: arguments of any kind arrive as they were, and a process's end is seen as it was.
 *
 * This program starts itself; as a child it does what its first argument says. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mproc/core.h"
#include "platform/exit.h"
#include "platform/pipe.h"
#include "platform/program.h"
#include "platform/self.h"
#include "platform/spawn.h"
#include "support/system.h"

#define ARGUMENTS_MAX 12
#define ARGUMENT_CAPACITY 64

static struct program *self;

/* Children ----------------------------------------------------------------------------------------------------- */

/* Writes its arguments, each with its '\0', into the pipe whose number is the second one. */
static int write_arguments(int argc, char **argv) {
    handle writer = (handle)strtoll(argv[2], NULL, 10);
    for (int i = 0; i < argc; i++) {
        struct pipe_bytes part = {argv[i], strlen(argv[i]) + 1};
        if (handle_adopt(writer) != 0 || pipe_write(writer, &part, 1) != 0) {
            return 1;
        }
    }
    return 0;
}

/* Waits for what never comes: until somebody ends it. */
static int wait_for_ever(char **argv) {
    handle reader = (handle)strtoll(argv[2], NULL, 10);
    char byte;
    size_t size;
    return pipe_read(reader, &byte, 1, DEADLINE_NEVER, &size) == 0 ? 0 : 1;
}

/* Parent ------------------------------------------------------------------------------------------------------- */

/* Starts this program with arguments of which the third is the number of the inherited handle. */
static struct spawned start(const char **arguments, handle inherited) {
    char number[32];
    struct spawned spawned = {0, HANDLE_INVALID, HANDLE_INVALID};
    struct spawn_options options;
    memset(&options, 0, sizeof options);
    options.program = self;
    options.arguments = arguments;
    options.inherited = &inherited;
    options.inherited_count = inherited == HANDLE_INVALID ? 0 : 1;
    options.is_ours = true;
    if (inherited != HANDLE_INVALID) {
        (void)snprintf(number, sizeof number, "%lld", (long long)spawn_child_handle(&inherited, 0));
        arguments[2] = number;
    }
    assert_mproc(0, spawn_process(&options, &spawned));
    assert_true(spawned.pid > 0);
    return spawned;
}

static int collect(struct spawned *spawned) {
    int exitcode = 0;
    assert_mproc(0, exit_wait(spawned->watch, deadline_after(TEST_PATIENCE_MS)));
    assert_mproc(0, exit_collect(spawned->watch, spawned->pid, &exitcode));
    handle_close(spawned->watch);
    return exitcode;
}

/* The child's own view of its arguments is compared with what it was given. */
static void check_arguments(const char **arguments) {
    static char arrived[ARGUMENTS_MAX * (ARGUMENT_CAPACITY + 1)];
    handle reader, writer;
    size_t filled = 0, size;
    assert_mproc(0, pipe_create(&reader, &writer));
    struct spawned spawned = start(arguments, writer);
    handle_close(writer);
    while (filled < sizeof arrived &&
           pipe_read(reader, arrived + filled, sizeof arrived - filled, DEADLINE_NEVER, &size) == 0) {
        filled += size;
    }
    assert_int_equal(collect(&spawned), 0);
    handle_close(reader);
    size_t place = 0;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(place < filled);
        if (i != 2) { /* start has written that one */
            assert_string_equal(arrived + place, arguments[i]);
        }
        place += strlen(arrived + place) + 1;
    }
    assert_int_equal(place, filled);
}

static void awkward_arguments_arrive_as_they_were(void **state) {
    (void)state;
    const char *arguments[] = {
        "名 with spaces",         "--arguments",    NULL, "", " ", "\"", "\\", "a\\\\\"b c\\", "数据 文件.txt",
        "%PATH% $HOME `x` ^&|<>", "tab\tand\nline", NULL};
    check_arguments(arguments);
}

/* xorshift: the same on each system, so that a seed tells all. */
static unsigned next_random(unsigned *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void make_argument(char *text, unsigned *seed) {
    static const char *const pieces[] = {"\\", "\"", " ", "a", "\\\"", "中", "\t", "'", "%", "é", "😀", "\\\\"};
    unsigned count = next_random(seed) % 12;
    text[0] = '\0';
    while (count-- > 0) {
        strcat(text, pieces[next_random(seed) % (sizeof pieces / sizeof pieces[0])]);
    }
}

static void random_arguments_arrive_as_they_were(void **state) {
    (void)state;
    unsigned seed = 20261121;
    for (int round = 0; round < (system_is_slow_to_spawn() ? 20 : 200); round++) {
        char texts[ARGUMENTS_MAX][ARGUMENT_CAPACITY];
        const char *arguments[ARGUMENTS_MAX + 1] = {"program", "--arguments", NULL};
        for (int i = 3; i < ARGUMENTS_MAX; i++) {
            make_argument(texts[i], &seed);
            arguments[i] = texts[i];
        }
        arguments[ARGUMENTS_MAX] = NULL;
        check_arguments(arguments);
    }
}

static void exit_codes_are_told(void **state) {
    (void)state;
    const char *seven[] = {"program", "--exit", "7", NULL};
    const char *big[] = {"program", "--exit", "300", NULL};
    struct spawned spawned = start(seven, HANDLE_INVALID);
    assert_int_equal(collect(&spawned), 7);
    spawned = start(big, HANDLE_INVALID);
    assert_int_equal(collect(&spawned), system_exit_code(300));
}

static void a_process_is_ended_when_asked(void **state) {
    (void)state;
    const int requests[] = {EXIT_TERMINATE, EXIT_KILL};
    const int codes[] = {-15, -9};
    for (int i = 0; i < 2; i++) {
        const char *arguments[] = {"program", "--wait", NULL, NULL};
        handle reader, writer;
        assert_mproc(0, pipe_create(&reader, &writer));
        struct spawned spawned = start(arguments, reader);
        assert_mproc(MPROC_ETIMEDOUT, exit_wait(spawned.watch, DEADLINE_NOW));
        assert_mproc(MPROC_ETIMEDOUT, exit_wait(spawned.watch, deadline_after(20)));
        assert_mproc(0, exit_send(spawned.watch, spawned.pid, requests[i]));
        assert_mproc(0, exit_wait(spawned.watch, deadline_after(TEST_PATIENCE_MS)));
        assert_mproc(0, exit_send(spawned.watch, spawned.pid, requests[i])); /* it has ended: that is no error */
        assert_int_equal(collect(&spawned), codes[i]);
        handle_close(reader);
        handle_close(writer);
    }
}

static void any_process_can_be_watched(void **state) {
    (void)state;
    handle watch;
    assert_mproc(0, exit_watch(mproc_getpid(), &watch));
    assert_mproc(MPROC_ETIMEDOUT, exit_wait(watch, DEADLINE_NOW));
    handle_close(watch);
}

static void a_missing_program_is_told(void **state) {
    (void)state;
    struct program *program;
    assert_mproc(MPROC_ENOTFOUND, program_open_path(&program, "no/such/程序"));
    assert_message("no/such/程序");
}

static int run_all(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(awkward_arguments_arrive_as_they_were),
        cmocka_unit_test(random_arguments_arrive_as_they_were),
        cmocka_unit_test(exit_codes_are_told),
        cmocka_unit_test(a_process_is_ended_when_asked),
        cmocka_unit_test(any_process_can_be_watched),
        cmocka_unit_test(a_missing_program_is_told),
    };
    if (program_open_self(&self, HANDLE_INVALID) != 0) {
        return 1;
    }
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    program_close(self);
    return failures;
}

int main(int argc, char **argv) {
    system_arguments(&argc, &argv);
    if (argc < 2) {
        return run_all();
    }
    if (strcmp(argv[1], "--exit") == 0) {
        return atoi(argv[2]);
    }
    return strcmp(argv[1], "--wait") == 0 ? wait_for_ever(argv) : write_arguments(argc, argv);
}
