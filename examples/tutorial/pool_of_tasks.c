/* SPDX-License-Identifier: MIT */
/* 非阻塞式 apply_async 可同时执行指定数目的任务: seven tasks on five workers. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

/* Up to so many seconds. */
static void sleep_at_random(int seconds) {
    srand((unsigned)mproc_getpid() + (unsigned)(mproc_time() * 1e6));
    mproc_sleep((int64_t)seconds * (rand() % 1000));
}

static void task(mproc_task *task) {
    const char *task_name;
    if (mproc_task_unpack(task, "(s=task_name)", &task_name) == 0) {
        print("开始做任务了 %s 进程id为 %d", task_name, mproc_getpid());
        double start = mproc_time();
        sleep_at_random(2);
        print("已完成 %s 任务，用时: %f", task_name, mproc_time() - start);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(task), MPROC_TARGETS_END};

static const char *const names[] = {"听音乐", "吃饭", "打游戏", "散步", "睡觉", "学习", "打球"};

int main(int argc, char **argv) {
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_pool_create(&pool, 5, NULL) != 0) { /* 连接的最大数 */
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    for (int i = 0; i < 7; i++) {
        mproc_pool_apply_async(pool, task, mproc_pack("[s]", names[i]), NULL, NULL); /* 非阻塞式 */
    }
    mproc_pool_close(pool);               /* 添加任务结束 */
    mproc_pool_join(pool, MPROC_FOREVER); /* 插入主进程前，防止主进程结束而导致进程池也没了 */
    print("over!!!");
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
