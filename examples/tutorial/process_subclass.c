/* SPDX-License-Identifier: MIT */
/* 使用 Process 的子类创建进程: in C, a function of one's own. It counts to 10, or as far as the argument says. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void run(mproc_task *task) {
    int count;
    if (mproc_task_unpack(task, "(i=count)", &count) == 0) {
        for (int i = 0; i < count; i++) {
            print("当前进程 id %d", mproc_getpid());
            mproc_sleep(1000);
        }
    }
}

static const mproc_target targets[] = {MPROC_TARGET(run), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *p1;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_spawn(&p1, run, mproc_pack("[i]", argc > 1 ? atoi(argv[1]) : 10)) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    print("this is main...");
    mproc_process_destroy(p1);
    return EXIT_SUCCESS;
}
