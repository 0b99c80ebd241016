/* SPDX-License-Identifier: MIT */
/* A program ends, and a child of it, though nobody reads what stands in their queue. */
#include <mproc.h>
#include <stdio.h>
#include <string.h>

static void say(const char *text) {
    printf("%s\n", text);
    fflush(stdout);
}

/* More than any pipe has room for: many small items, and some large ones. */
static void put_much(mproc_task *task) {
    static char large[1 << 20];
    mproc_queue *queue = mproc_task_queue(task, 0);
    for (int i = 0; queue != NULL && i < 20000; i++) {
        (void)mproc_queue_put(queue, mproc_pack("[i,s]", i, "nobody reads this"), MPROC_FOREVER);
    }
    for (int i = 0; queue != NULL && i < 40; i++) {
        (void)mproc_queue_put_bytes(queue, large, sizeof large, MPROC_FOREVER);
    }
    say("the child ends");
}

static const mproc_target targets[] = {MPROC_TARGET(put_much), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_process *process;
    mproc_queue *queue;
    if (mproc_init(argc, argv, targets) != 0 || mproc_queue_create(&queue, 0) != 0 ||
        mproc_spawn(&process, put_much, mproc_pack("[o]", mproc_queue_ref(queue))) != 0 ||
        mproc_process_join(process, MPROC_FOREVER) != 0) {
        say(mproc_last_error()->message);
        return 1;
    }
    printf("%lld items are left\n", (long long)mproc_queue_qsize(queue));
    say("main ends");
    return 0; /* nothing was destroyed */
}
