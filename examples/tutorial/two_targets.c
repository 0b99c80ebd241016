/* SPDX-License-Identifier: MIT */
/* Two functions, each in a process of its own; 默认主进程等待子进程结束后再终止程序. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void test(mproc_task *task) {
    int num;
    if (mproc_task_unpack(task, "(i=num)", &num) == 0) {
        for (int item = 0; item < num; item++) {
            print("%d 当前 test ", mproc_getpid()); /* mproc_getpid() 获取当前进程 id */
        }
    }
}

static void test2(mproc_task *task) {
    (void)task;
    for (int item = 0; item < 100; item++) {
        print("%d 当前 test2", mproc_getpid());
    }
}

static const mproc_target targets[] = {MPROC_TARGET(test), MPROC_TARGET(test2), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *p1, *p2;
    if (mproc_init(argc, argv, targets) != 0) { /* 一定要加: this is what if __name__ == '__main__' is in Python */
        return EXIT_FAILURE;
    }
    if (mproc_process_create(&p1, test, &(mproc_process_options){.args = mproc_pack("[i]", 12)}) != 0 ||
        mproc_process_create(&p2, test2, NULL) != 0 || mproc_process_start(p1) != 0 || mproc_process_start(p2) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    mproc_process_destroy(p1);
    mproc_process_destroy(p2);
    return EXIT_SUCCESS;
}
