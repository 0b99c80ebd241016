/* SPDX-License-Identifier: MIT */
/* What happens to children at the end of the program: daemons are terminated, the others waited for; whether main returns,
 * or `exit` is called. */
#include <mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(const char *text) {
    printf("%s\n", text);
    fflush(stdout);
}

static void sleep_long(mproc_task *task) {
    (void)task;
    mproc_sleep(600 * 1000);
    say("a daemon was waited for");
}

/* A child with a child of its own, which it does not join: its end does. */
static void have_a_child(mproc_task *task) {
    int depth;
    mproc_process *child;
    if (mproc_task_unpack(task, "(i)", &depth) == 0 && depth > 0) {
        (void)mproc_spawn(&child, have_a_child, mproc_pack("[i]", depth - 1));
    } else {
        mproc_sleep(300);
        say("the grandchild ends");
    }
}

static const mproc_target targets[] = {MPROC_TARGET(sleep_long), MPROC_TARGET(have_a_child), MPROC_TARGETS_END};

static mproc_process *sleeper; /* never destroyed */

int main(int argc, char **argv) {
    mproc_process *process;
    mproc_process_options options = {0};
    options.daemon = true;
    if (mproc_init(argc, argv, targets) != 0 || mproc_process_create(&sleeper, sleep_long, &options) != 0 ||
        mproc_process_start(sleeper) != 0 || mproc_spawn(&process, have_a_child, mproc_pack("[i]", 1)) != 0) {
        say(mproc_last_error()->message);
        return 1;
    }
    mproc_process_destroy(process); /* forgetting the handle changes nothing */
    say("main ends");
    if (argc > 1 && strcmp(argv[1], "exit") == 0) {
        exit(0);
    }
    return 0;
}
