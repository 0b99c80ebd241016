/* SPDX-License-Identifier: MIT */
/* 进程间不能共享全局变量: each process starts with its own copy, as the program's source has it. With spawn the second child
 * starts from [11, 22] as well, and removes the 22 from its own copy. */
#include <mproc.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

static int nums[16] = {11, 22};
static int count = 2;

static const char *show(void) {
    static char text[256];
    int used = snprintf(text, sizeof text, "[");
    for (int i = 0; i < count; i++) {
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%d", i > 0 ? ", " : "", nums[i]);
    }
    snprintf(text + used, sizeof text - (size_t)used, "]");
    return text;
}

/* 子进程要执行的代码 */
static void work1(mproc_task *task) {
    (void)task;
    print("in process1 pid=%d ,nums=%s", mproc_getpid(), show());
    for (int i = 0; i < 3; i++) {
        nums[count++] = i;
        print("in process1 pid=%d ,nums=%s", mproc_getpid(), show());
    }
}

/* 子进程要执行的代码 */
static void work2(mproc_task *task) {
    (void)task;
    count--;
    print("in process2 pid=%d ,nums=%s", mproc_getpid(), show());
}

static const mproc_target targets[] = {MPROC_TARGET(work1), MPROC_TARGET(work2), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *p1, *p2;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_spawn(&p1, work1, NULL) != 0 || mproc_process_join(p1, MPROC_FOREVER) != 0 ||
        mproc_spawn(&p2, work2, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    print("in process0 pid=%d ,nums=%s", mproc_getpid(), show());
    mproc_process_destroy(p1);
    mproc_process_destroy(p2); /* it is still waited for when main returns */
    return EXIT_SUCCESS;
}
