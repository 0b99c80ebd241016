/* SPDX-License-Identifier: MIT */
/* 回调函数: what a task returns is given to a function of the parent. */
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
        char text[200];
        sleep_at_random(2);
        snprintf(text, sizeof text, "已完成 %s 任务，用时: %f", task_name, mproc_time() - start);
        mproc_task_return(task, cJSON_CreateString(text));
    }
}

static void callback_func(cJSON *value, void *user) {
    (void)user;
    print("%s", value->valuestring);
    cJSON_Delete(value);
}

static const mproc_target targets[] = {MPROC_TARGET(task), MPROC_TARGETS_END};

static const char *const names[] = {"听音乐", "吃饭", "打游戏", "散步", "睡觉", "学习", "打球"};

int main(int argc, char **argv) {
    mproc_apply_options options = {0};
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_pool_create(&pool, 5, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    options.callback = callback_func; /* 回调函数，结束时调用 */
    for (int i = 0; i < 7; i++) {
        mproc_pool_apply_async(pool, task, mproc_pack("[s]", names[i]), &options, NULL);
    }
    mproc_pool_close(pool);
    mproc_pool_join(pool, MPROC_FOREVER);
    print("over!!!");
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
