/* SPDX-License-Identifier: MIT */
/* 创建并开启进程，实现2: the function asks for its process's own name. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void run(mproc_task *task) {
    (void)task;
    print("测试%s多进程", mproc_process_name(mproc_current_process()));
}

static const mproc_target targets[] = {MPROC_TARGET(run), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *process_list[5];
    mproc_process_options options = {0};
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    options.name = "Python";
    for (int i = 0; i < 5; i++) { /* 开启5个子进程执行run函数 */
        if (mproc_process_create(&process_list[i], run, &options) != 0 || mproc_process_start(process_list[i]) != 0) {
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
