/* SPDX-License-Identifier: MIT */
/* Several processes count up one number in shared memory, with its lock and without. Without, two of them may read the same number
 * and both write the next one, so that some counts are lost.
 *
 *     shared_counter [PROCESSES [TIMES]] */
#include <mproc.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int status) {
    if (status != 0) {
        fprintf(stderr, "shared_counter: %s\n", mproc_last_error()->message);
        exit(EXIT_FAILURE);
    }
}

static void count_up(mproc_task *task) {
    int times;
    bool with_lock;
    mproc_shared *shared = mproc_task_shared(task, 0);
    mproc_barrier *start = mproc_task_barrier(task, 1);
    if (shared == NULL || start == NULL || mproc_task_unpack(task, "(o,o,i,b)", NULL, NULL, &times, &with_lock) != 0) {
        return;
    }
    volatile long *number = mproc_shared_data(shared);
    mproc_barrier_wait(start, MPROC_FOREVER); /* so that all of them count at the same time */
    for (int i = 0; i < times; i++) {
        if (with_lock) {
            check(mproc_lock_acquire(mproc_shared_lock(shared), MPROC_FOREVER));
        }
        *number = *number + 1;
        if (with_lock) {
            check(mproc_lock_release(mproc_shared_lock(shared)));
        }
    }
}

/* What the number is in the end. */
static long count_together(int processes, int times, bool with_lock) {
    mproc_shared *shared = NULL;
    mproc_barrier *start = NULL;
    mproc_process **children = calloc((size_t)processes, sizeof(mproc_process *));
    if (children == NULL) {
        exit(EXIT_FAILURE);
    }
    check(mproc_shared_create(&shared, sizeof(long)));
    check(mproc_barrier_create(&start, (unsigned)processes));
    for (int i = 0; i < processes; i++) {
        check(
            mproc_spawn(&children[i], count_up,
                        mproc_pack("[o,o,i,b]", mproc_shared_ref(shared), mproc_barrier_ref(start), times, with_lock)));
    }
    for (int i = 0; i < processes; i++) {
        check(mproc_process_join(children[i], MPROC_FOREVER));
        mproc_process_destroy(children[i]);
    }
    long number = *(long *)mproc_shared_data(shared);
    mproc_barrier_destroy(start);
    mproc_shared_destroy(shared);
    free(children);
    return number;
}

static const mproc_target targets[] = {MPROC_TARGET(count_up), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    check(mproc_init(argc, argv, targets));
    int processes = argc > 1 ? atoi(argv[1]) : 4, times = argc > 2 ? atoi(argv[2]) : 100000;
    if (processes < 1 || times < 1) {
        fprintf(stderr, "usage: shared_counter [PROCESSES [TIMES]]\n");
        return EXIT_FAILURE;
    }
    printf("%d processes, each counts to %d\n", processes, times);
    printf("with the lock: %ld\n", count_together(processes, times, true));
    printf("without it: %ld\n", count_together(processes, times, false));
    return EXIT_SUCCESS;
}
