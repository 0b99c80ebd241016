/* SPDX-License-Identifier: MIT */
/* 错误的示范 每一个进程的数据是独立的，所以全局变量没有效果，要用队列: both print 2. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static int a = 1;

static void test(mproc_task *task) {
    (void)task;
    a = a + 1;
    print("%d", a);
}

static const mproc_target targets[] = {MPROC_TARGET(test), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *p1, *p2;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_spawn(&p1, test, NULL) != 0 || mproc_spawn(&p2, test, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    mproc_process_destroy(p1);
    mproc_process_destroy(p2);
    return EXIT_SUCCESS;
}
