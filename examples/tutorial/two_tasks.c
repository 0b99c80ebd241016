/* SPDX-License-Identifier: MIT */
/* 多进程使用: two named processes tell who they are and who started them, every one and two seconds, for ever or as often
 * as the argument says. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void work(mproc_task *task, const char *what) {
    int seconds, count;
    if (mproc_task_unpack(task, "(i=s, i=count)", &seconds, &count) != 0) {
        return;
    }
    for (int i = 0; count == 0 || i < count; i++) {
        mproc_sleep(seconds * 1000);
        print("%s %d --- %d", what, mproc_getpid(), mproc_getppid()); /* mproc_getppid() 打印父进程id */
    }
}

static void task1(mproc_task *task) {
    work(task, "这是任务1...");
}

static void task2(mproc_task *task) {
    work(task, "这是任务2...");
}

static const mproc_target targets[] = {MPROC_TARGET(task1), MPROC_TARGET(task2), MPROC_TARGETS_END};

static mproc_process *start(mproc_fn target, const char *name, cJSON *args) {
    mproc_process *process;
    mproc_process_options options = {0};
    options.name = name;
    options.args = args;
    if (mproc_process_create(&process, target, &options) != 0 || mproc_process_start(process) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        exit(EXIT_FAILURE);
    }
    print("%s", mproc_process_name(process));
    return process;
}

int main(int argc, char **argv) {
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    int count = argc > 1 ? atoi(argv[1]) : 0;
    print("%d", mproc_getpid());                                              /* 打印进程id */
    mproc_process *p1 = start(task1, "任务1", mproc_pack("[i,i]", 1, count)); /* 创建子进程1 */
    mproc_process *p2 = start(task2, "任务2", mproc_pack("[i,i]", 2, count)); /* 创建子进程2 */
    mproc_process_destroy(p1);
    mproc_process_destroy(p2);
    return EXIT_SUCCESS;
}
