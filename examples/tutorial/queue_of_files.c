/* SPDX-License-Identifier: MIT */
/* 进程之间的通信: one process downloads pictures and puts them into a queue of at most five; another takes and saves them,
 * and ends when none has come for three seconds. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void download(mproc_task *task) {
    static const char *const images[] = {"1.png", "2.png", "3.png", "4.png"};
    mproc_queue *q = mproc_task_queue(task, 0);
    for (int i = 0; q != NULL && i < 4; i++) {
        print("正在下载 %s", images[i]);
        mproc_sleep(500);
        if (mproc_queue_put(q, cJSON_CreateString(images[i]), MPROC_FOREVER) != 0) {
            mproc_task_fail(task, "%s", mproc_last_error()->message);
        }
    }
}

static void getfile(mproc_task *task) {
    mproc_queue *q = mproc_task_queue(task, 0);
    cJSON *file;
    while (q != NULL && mproc_queue_get(q, &file, 3000) == 0) {
        print("%s 保存成功", cJSON_GetStringValue(file));
        cJSON_Delete(file);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(download), MPROC_TARGET(getfile), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_queue *q;
    mproc_process *p1, *p2;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    if (mproc_queue_create(&q, 5) != 0 || mproc_spawn(&p1, download, mproc_pack("[o]", mproc_queue_ref(q))) != 0 ||
        mproc_spawn(&p2, getfile, mproc_pack("[o]", mproc_queue_ref(q))) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    mproc_queue_destroy(q);
    mproc_process_destroy(p1);
    mproc_process_destroy(p2);
    return EXIT_SUCCESS;
}
