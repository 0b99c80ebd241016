/* SPDX-License-Identifier: MIT */
/* 自定义进程: what Python does by a subclass with a run() of its own, C does by a struct that travels to the child as the raw
 * payload, and a function that takes it there. For ever, or as often as the argument says. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

struct my_process {
    char name[32];
    int count;
};

/* 实现进程 需要重写 run 方法 */
static void run(mproc_task *task) {
    const struct my_process *self = mproc_task_bytes(task, NULL);
    for (int n = 1; self->count == 0 || n <= self->count; n++) {
        print("%d自定义进程 n:%s", n, self->name);
        mproc_sleep(1000);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(run), MPROC_TARGETS_END};

static mproc_process *start(const char *name, int count) {
    struct my_process self = {"", count};
    mproc_process *process;
    mproc_process_options options = {0};
    snprintf(self.name, sizeof self.name, "%s", name);
    options.name = name;
    options.data = &self;
    options.size = sizeof self;
    if (mproc_process_create(&process, run, &options) != 0 || mproc_process_start(process) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        exit(EXIT_FAILURE);
    }
    return process;
}

int main(int argc, char **argv) {
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    int count = argc > 1 ? atoi(argv[1]) : 0;
    mproc_process *p1 = start("小明", count);
    mproc_process *p2 = start("小红", count);
    mproc_process_destroy(p1);
    mproc_process_destroy(p2);
    return EXIT_SUCCESS;
}
