/* SPDX-License-Identifier: MIT */
/* 进程池阻塞式添加任务: each call waits until its task has ended. The argument says how many steps a task has, else 10. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void test(mproc_task *task) {
    int thread_name, count;
    if (mproc_task_unpack(task, "(i=thread_name, i=count)", &thread_name, &count) != 0) {
        return;
    }
    print("当前进程 %d", thread_name);
    for (int i = 0; i < count; i++) {
        print("进程 %d 当前位置 %d", thread_name, i);
        mproc_sleep(1000);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(test), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    int count = argc > 1 ? atoi(argv[1]) : 10;
    if (mproc_pool_create(&pool, 3, NULL) != 0) { /* 创建一个大小为 3 的池子 同时可以运行三个进程 */
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    print("主进程开始...");
    for (int item = 1; item < 6; item++) {
        /* 该方法只能允许一个进程进入池子，在一个 进程结束之后，另外一个进程才可以进入池子。 */
        mproc_pool_apply(pool, test, mproc_pack("[i,i]", item, count), NULL, NULL); /* 同步的添加任务 */
    }
    mproc_pool_close(pool); /* 关闭进程池，调用 close()后就无法往进程池中添加任务了 */
    mproc_pool_join(pool, MPROC_FOREVER);
    print("主进程结束...");
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
