/* SPDX-License-Identifier: MIT */
/* 进程池 Pool: five tasks on four workers, so that the last one waits for a worker. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void long_time_task(mproc_task *task) {
    int name;
    if (mproc_task_unpack(task, "(i=name)", &name) != 0) {
        return;
    }
    print("Run task %d (%d)...", name, mproc_getpid());
    double start = mproc_time();
    srand((unsigned)mproc_getpid() + (unsigned)name);
    mproc_sleep(3 * (rand() % 1000));
    print("Task %d runs %0.2f seconds.", name, mproc_time() - start);
}

static const mproc_target targets[] = {MPROC_TARGET(long_time_task), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_pool *pool = NULL;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    print("Parent process %d.", mproc_getpid());
    if (mproc_pool_create(&pool, 4, NULL) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    for (int i = 0; i < 5; i++) {
        mproc_pool_apply_async(pool, long_time_task, mproc_pack("[i]", i), NULL, NULL);
    }
    print("Waiting for all subprocesses done...");
    mproc_pool_close(pool);
    print("close pool...");
    mproc_pool_join(pool, MPROC_FOREVER);
    print("All subprocesses done.");
    mproc_pool_destroy(pool);
    return EXIT_SUCCESS;
}
