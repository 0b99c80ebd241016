/* SPDX-License-Identifier: MIT */
/* Runs from a folder and a file with spaces, quotes and Chinese characters in their names, removes its own file where the
 * system lets it, and starts children and grandchildren all the same. */
#include <mproc.h>
#include <stdio.h>
#include <uv.h>

static void say_and_go_down(mproc_task *task) {
    int depth;
    mproc_process *child;
    if (mproc_task_unpack(task, "(i)", &depth) != 0) {
        return;
    }
    printf("depth %d\n", depth);
    fflush(stdout);
    if (depth < 2 && mproc_spawn(&child, say_and_go_down, mproc_pack("[i]", depth + 1)) != 0) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(say_and_go_down), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    char path[4096];
    size_t size = sizeof path;
    uv_fs_t request;
    mproc_process *process;
    if (mproc_init(argc, argv, targets) != 0 || uv_exepath(path, &size) != 0) {
        return 1;
    }
    (void)uv_fs_unlink(NULL, &request, path, NULL); /* Windows does not let it */
    uv_fs_req_cleanup(&request);
    if (mproc_spawn(&process, say_and_go_down, mproc_pack("[i]", 1)) != 0) {
        printf("%s\n", mproc_last_error()->message);
        return 1;
    }
    mproc_process_join(process, MPROC_FOREVER);
    mproc_process_destroy(process);
    return 0;
}
