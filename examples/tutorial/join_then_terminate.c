/* SPDX-License-Identifier: MIT */
/* Waits three seconds for a child that takes 24, and ends it. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void test(mproc_task *task) {
    int num;
    if (mproc_task_unpack(task, "(i=num)", &num) == 0) {
        for (int item = 0; item < num; item++) {
            print("%d 当前 test  %d", mproc_getpid(), item);
            mproc_sleep(2000);
        }
    }
}

static const mproc_target targets[] = {MPROC_TARGET(test), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *p1;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_spawn(&p1, test, mproc_pack("[i]", 12)) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    mproc_process_join(p1, 3000);
    mproc_process_terminate(p1); /* 结束子进程 */
    print("This is main ...");
    mproc_process_destroy(p1);
    return EXIT_SUCCESS;
}
