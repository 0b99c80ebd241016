/* SPDX-License-Identifier: MIT */
/* 循环传入进程，而且有返回值: one result after the other. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void text(mproc_task *task) {
    int con;
    if (mproc_task_unpack(task, "(i=con)", &con) == 0) {
        mproc_sleep(2000);
        mproc_task_return(task, cJSON_CreateNumber(con * con));
    }
}

static const mproc_target targets[] = {MPROC_TARGET(text), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_pool_create(&pool, 2, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    for (int i = 1; i < 5; i++) {
        mproc_async_result *result = NULL;
        cJSON *value = NULL;
        mproc_pool_apply_async(pool, text, mproc_pack("[i]", i), NULL, &result);
        if (mproc_async_result_get(result, &value, MPROC_FOREVER) == 0) {
            print("%d", value->valueint);
            cJSON_Delete(value);
        }
        mproc_async_result_destroy(result);
    }
    mproc_pool_close(pool);
    mproc_pool_join(pool, MPROC_FOREVER);
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
