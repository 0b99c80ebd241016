/* SPDX-License-Identifier: MIT */
/* Positional and named arguments; 1秒钟之后，立即结束子进程. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void run_proc(mproc_task *task) {
    const char *name;
    int age, m;
    if (mproc_task_unpack(task, "(s=name, i=age){s:i}", &name, &age, "m", &m) != 0) {
        return;
    }
    for (int i = 0; i < 10; i++) {
        print("子进程运行中，name= %s,age=%d ,pid=%d...", name, age, mproc_getpid());
        print("{'m': %d}", m);
        mproc_sleep(200);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(run_proc), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *p;
    mproc_process_options options = {0};
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    options.args = mproc_pack("[s,i]", "test", 18);
    options.kwargs = mproc_pack("{s:i}", "m", 20);
    if (mproc_process_create(&p, run_proc, &options) != 0 || mproc_process_start(p) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    mproc_sleep(1000); /* 1秒钟之后，立即结束子进程 */
    mproc_process_terminate(p);
    mproc_process_join(p, MPROC_FOREVER);
    mproc_process_destroy(p);
    return EXIT_SUCCESS;
}
