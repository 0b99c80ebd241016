/* SPDX-License-Identifier: MIT */
/* 创建并开启进程，实现1：直接调用. Five processes run the same function. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void fun1(mproc_task *task) {
    const char *name;
    if (mproc_task_unpack(task, "(s=name)", &name) == 0) {
        print("测试%s多进程", name);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(fun1), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *process_list[5];
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    for (int i = 0; i < 5; i++) { /* 开启5个子进程执行fun1函数 */
        if (mproc_spawn(&process_list[i], fun1, mproc_pack("[s]", "Python")) != 0) {
            fprintf(stderr, "%s\n", mproc_last_error()->message);
            return EXIT_FAILURE;
        }
    }
    for (int i = 0; i < 5; i++) {
        mproc_process_join(process_list[i], MPROC_FOREVER);
        mproc_process_destroy(process_list[i]);
    }
    print("end");
    return EXIT_SUCCESS;
}
