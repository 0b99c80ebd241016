/* SPDX-License-Identifier: MIT */
/* 多进程对于全局变量的访问，在每一个全局变量里都会放进程之间独立的变量: both count and collect, each for itself, for ever or as
 * often as the argument says. */
#include <mproc.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

static int m = 0;
static char list[900] = "";

static void work(mproc_task *task, const char *name) {
    int seconds, count;
    if (mproc_task_unpack(task, "(i=s, i=count)", &seconds, &count) != 0) {
        return;
    }
    for (int i = 0; count == 0 || i < count; i++) {
        size_t used = strlen(list);
        mproc_sleep(seconds * 1000);
        m += 1;
        if (used + 16 < sizeof list) {
            snprintf(list + used, sizeof list - used, "%s'%s'", m > 1 ? ", " : "", name);
        }
        print("%d [%s]", m, list);
    }
}

static void task1(mproc_task *task) {
    work(task, "task1");
}

static void task2(mproc_task *task) {
    work(task, "task2");
}

static const mproc_target targets[] = {MPROC_TARGET(task1), MPROC_TARGET(task2), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *p1, *p2;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    int count = argc > 1 ? atoi(argv[1]) : 0;
    if (mproc_spawn(&p1, task1, mproc_pack("[i,i]", 1, count)) != 0 ||
        mproc_spawn(&p2, task2, mproc_pack("[i,i]", 2, count)) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    mproc_process_destroy(p1);
    mproc_process_destroy(p2);
    return EXIT_SUCCESS;
}
