/* SPDX-License-Identifier: MIT */
/* map()会等到所有进程都执行完毕后，再把结果以列表的形式返回. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void test(mproc_task *task) {
    int con;
    if (mproc_task_unpack(task, "(i=con)", &con) == 0) {
        mproc_sleep(2000);
        mproc_task_return(task, cJSON_CreateNumber(con * con));
    }
}

static const mproc_target targets[] = {MPROC_TARGET(test), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    cJSON *results = NULL;
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_pool_create(&pool, 2, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    if (mproc_pool_map(pool, test, mproc_pack("[i,i,i,i]", 1, 2, 3, 4), NULL, &results) == 0) {
        print("[%d, %d, %d, %d]", cJSON_GetArrayItem(results, 0)->valueint, cJSON_GetArrayItem(results, 1)->valueint,
              cJSON_GetArrayItem(results, 2)->valueint, cJSON_GetArrayItem(results, 3)->valueint);
        cJSON_Delete(results);
    }
    mproc_pool_close(pool);
    mproc_pool_join(pool, MPROC_FOREVER);
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
