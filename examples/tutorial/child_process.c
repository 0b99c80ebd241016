/* SPDX-License-Identifier: MIT */
/* The first program of all: one child, and waiting for it. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

/* 子进程要执行的代码 */
static void run_proc(mproc_task *task) {
    const char *name;
    if (mproc_task_unpack(task, "(s=name)", &name) == 0) {
        print("Run child process %s (%d)...", name, mproc_getpid());
    }
}

static const mproc_target targets[] = {MPROC_TARGET(run_proc), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *p;
    mproc_process_options options = {0};
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    print("Parent process %d.", mproc_getpid());
    options.args = mproc_pack("[s]", "test");
    if (mproc_process_create(&p, run_proc, &options) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    print("Child process will start.");
    if (mproc_process_start(p) != 0 || mproc_process_join(p, MPROC_FOREVER) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    print("Child process end.");
    mproc_process_destroy(p);
    return EXIT_SUCCESS;
}
