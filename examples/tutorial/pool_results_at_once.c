/* SPDX-License-Identifier: MIT */
/* 进程池获取任务的执行结果: asking for each result at once makes the tasks run one after the other. */
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
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_pool_create(&pool, 4, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    for (int i = 1; i < 11; i++) {
        mproc_async_result *result = NULL; /* result 是任务的执行结果 */
        cJSON *value = NULL;
        mproc_pool_apply_async(pool, task, mproc_pack("[i]", i), NULL, &result);
        if (mproc_async_result_get(result, &value, MPROC_FOREVER) ==
            0) { /* 直接获取结果的弊端是，多任务又变成同步的了 */
            print("%d", value->valueint);
            cJSON_Delete(value);
        }
        mproc_async_result_destroy(result);
    }
    mproc_pool_close(pool); /* 不需要再join了，因为 get 本身就是一个阻塞方法 */
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
