/* SPDX-License-Identifier: MIT */
/* 队列 获取之后就删除元素: one process puts a number every second; another takes one every second and a half, without waiting,
 * until the queue is empty. */
#include <mproc.h>
#include <stdlib.h>

#include "print.h"

static void set(mproc_task *task) { /* 把队列作为参数 传进来 */
    mproc_queue *q = mproc_task_queue(task, 0);
    for (int item = 0; q != NULL && item < 4; item++) {
        print("添加元素 %d", item);
        if (mproc_queue_put(q, cJSON_CreateNumber(item), MPROC_FOREVER) != 0) { /* 添加元素 */
            mproc_task_fail(task, "%s", mproc_last_error()->message);
        }
        mproc_sleep(1000);
    }
}

static void get(mproc_task *task) { /* 把队列作为参数 传进来 */
    mproc_queue *q = mproc_task_queue(task, 0);
    cJSON *num;
    mproc_sleep(1500);
    while (q != NULL && mproc_queue_get_nowait(q, &num) == 0) {
        print("获取元素 %d", num->valueint); /* 获取元素 */
        cJSON_Delete(num);
        mproc_sleep(1500);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(set), MPROC_TARGET(get), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_queue *q;
    mproc_process *p1, *p2;
    if (mproc_init(argc, argv, targets) != 0) {
        return EXIT_FAILURE;
    }
    /* 使用队列, 第二个参数可以指定长度, 0 是不限 */
    if (mproc_queue_create(&q, 0) != 0 || mproc_spawn(&p1, set, mproc_pack("[o]", mproc_queue_ref(q))) != 0 ||
        mproc_spawn(&p2, get, mproc_pack("[o]", mproc_queue_ref(q))) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return EXIT_FAILURE;
    }
    mproc_queue_destroy(q);
    mproc_process_destroy(p1);
    mproc_process_destroy(p2);
    return EXIT_SUCCESS;
}
