/* SPDX-License-Identifier: MIT */
/* 创建一个进程，执行两个死循环: this process and a child each print once a second, for ever or as often as the argument says. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void loop(const char *line, int count) {
    for (int i = 0; count == 0 || i < count; i++) {
        print("%s", line);
        mproc_sleep(1000);
    }
}

/* 子进程要执行的代码 */
static void run_proc(mproc_task *task) {
    int count;
    if (mproc_task_unpack(task, "(i=count)", &count) == 0) {
        loop("----2----", count);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(run_proc), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *p;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    int count = argc > 1 ? atoi(argv[1]) : 0;
    if (mproc_spawn(&p, run_proc, mproc_pack("[i]", count)) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    loop("----1----", count);
    mproc_process_destroy(p);
    return EXIT_SUCCESS;
}
