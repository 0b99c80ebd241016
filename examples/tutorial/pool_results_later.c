/* SPDX-License-Identifier: MIT */
/* 异步获取线程的执行结果: all tasks are given to the pool before the first result is asked for. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void task(mproc_task *task) {
    int n;
    if (mproc_task_unpack(task, "(i=n)", &n) == 0) {
        print("%d----->start", n);
        mproc_sleep(1000);
        print("%d------>end", n);
        mproc_task_return(task, cJSON_CreateNumber(n * n)); /* return n ** 2 */
    }
}

static const mproc_target targets[] = {MPROC_TARGET(task), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_async_result *results[10] = {NULL}; /* 使用列表来保存进程执行结果 */
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_pool_create(&pool, 4, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    for (int i = 0; i < 10; i++) {
        mproc_pool_apply_async(pool, task, mproc_pack("[i]", i + 1), NULL, &results[i]);
    }
    for (int i = 0; i < 10; i++) {
        cJSON *value = NULL;
        if (mproc_async_result_get(results[i], &value, MPROC_FOREVER) == 0) {
            print("%d", value->valueint);
            cJSON_Delete(value);
        }
        mproc_async_result_destroy(results[i]);
    }
    mproc_pool_close(pool);
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
