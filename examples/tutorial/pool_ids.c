/* SPDX-License-Identifier: MIT */
/* 进程池: three tasks tell which process runs them. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void text(mproc_task *task) {
    int id;
    if (mproc_task_unpack(task, "(i=id)", &id) == 0) {
        print("Process %d is running as id(%d).", mproc_getpid(), id);
        mproc_sleep(5000);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(text), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_pool_create(&pool, 4, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    mproc_pool_apply_async(pool, text, mproc_pack("[i]", 111), NULL, NULL);
    mproc_pool_apply_async(pool, text, mproc_pack("[i]", 222), NULL, NULL);
    mproc_pool_apply_async(pool, text, mproc_pack("[i]", 333), NULL, NULL);
    mproc_pool_close(pool);
    mproc_pool_join(pool, MPROC_FOREVER);
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
