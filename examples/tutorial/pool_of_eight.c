/* SPDX-License-Identifier: MIT */
/* 进程池: ten tasks on eight workers. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void task(mproc_task *task) {
    int n;
    if (mproc_task_unpack(task, "(i=n)", &n) == 0) {
        print("%d----->start", n);
        mproc_sleep(1000);
        print("%d------>end", n);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(task), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_pool_create(&pool, 8, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    for (int i = 1; i < 11; i++) {
        /* mproc_pool_apply 同步执行任务，一个一个的执行任务，没有并发效果 */
        mproc_pool_apply_async(pool, task, mproc_pack("[i]", i), NULL, NULL); /* 异步执行任务，可以达到并发效果 */
    }
    mproc_pool_close(pool);
    mproc_pool_join(pool, MPROC_FOREVER);
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
