/* SPDX-License-Identifier: MIT */
/* Multiplies two matrices in shared memory by several processes, each of which takes the next row that nobody has taken, and
 * compares the product with that of one process. Nothing is copied: all of them see the same three matrices.
 *
 *     matrix [SIZE [PROCESSES]] */
#include <mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_HERE 4000

/* How it lies in memory: this, and then the three matrices. */
struct work {
    int size, next_row;
};

static void check(int status) {
    if (status != 0) {
        fprintf(stderr, "matrix: %s\n", mproc_last_error()->message);
        exit(EXIT_FAILURE);
    }
}

static double *matrix_of(struct work *work, int index) {
    return (double *)(work + 1) + (size_t)index * (size_t)work->size * (size_t)work->size;
}

/* A row of the product; the sums are made in the same order by everybody, so that products can be compared. */
static void multiply_row(struct work *work, int row, double *product) {
    size_t size = (size_t)work->size;
    const double *left = matrix_of(work, 0) + (size_t)row * size, *right = matrix_of(work, 1);
    memset(product, 0, size * sizeof *product);
    for (size_t k = 0; k < size; k++) {
        for (size_t column = 0; column < size; column++) {
            product[column] += left[k] * right[k * size + column];
        }
    }
}

static int take_row(mproc_shared *shared, struct work *work) {
    check(mproc_lock_acquire(mproc_shared_lock(shared), MPROC_FOREVER));
    int row = work->next_row < work->size ? work->next_row++ : -1;
    check(mproc_lock_release(mproc_shared_lock(shared)));
    return row;
}

static void multiply_rows(mproc_task *task) {
    mproc_shared *shared = mproc_task_shared(task, 0);
    if (shared == NULL) {
        return;
    }
    struct work *work = mproc_shared_data(shared);
    for (int row; (row = take_row(shared, work)) >= 0;) {
        multiply_row(work, row, matrix_of(work, 2) + (size_t)row * (size_t)work->size);
    }
}

static void fill(struct work *work, int size) {
    work->size = size;
    double *left = matrix_of(work, 0), *right = matrix_of(work, 1);
    for (int i = 0; i < size * size; i++) {
        left[i] = i % 17 * 0.25 - 2;
        right[i] = i % 23 * 0.5 - 5;
    }
}

static void multiply_together(mproc_shared *shared, int processes) {
    mproc_process **children = calloc((size_t)processes, sizeof(mproc_process *));
    if (children == NULL) {
        exit(EXIT_FAILURE);
    }
    for (int i = 0; i < processes; i++) {
        check(mproc_spawn(&children[i], multiply_rows, mproc_pack("[o]", mproc_shared_ref(shared))));
    }
    for (int i = 0; i < processes; i++) {
        check(mproc_process_join(children[i], MPROC_FOREVER));
        mproc_process_destroy(children[i]);
    }
    free(children);
}

/* Whether the product is that of one process. */
static bool is_right(struct work *work, double *row) {
    size_t size = (size_t)work->size;
    bool same = true;
    for (size_t i = 0; i < size; i++) {
        multiply_row(work, (int)i, row);
        same = same && memcmp(row, matrix_of(work, 2) + i * size, size * sizeof *row) == 0;
    }
    return same;
}

static const mproc_target targets[] = {MPROC_TARGET(multiply_rows), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_shared *shared = NULL;
    check(mproc_init(argc, argv, targets));
    int size = argc > 1 ? atoi(argv[1]) : 800, processes = argc > 2 ? atoi(argv[2]) : mproc_cpu_count();
    if (size < 1 || size > SIZE_MAX_HERE || processes < 1) {
        fprintf(stderr, "usage: matrix [SIZE [PROCESSES]]\n");
        return EXIT_FAILURE;
    }
    check(mproc_shared_create(&shared, sizeof(struct work) + 3 * (size_t)size * (size_t)size * sizeof(double)));
    struct work *work = mproc_shared_data(shared);
    double *row = malloc((size_t)size * sizeof *row);
    if (row == NULL) {
        return EXIT_FAILURE;
    }
    fill(work, size);
    double start = mproc_time();
    multiply_together(shared, processes);
    double many = mproc_time() - start;
    start = mproc_time();
    bool right = is_right(work, row);
    double one = mproc_time() - start;
    printf("%d x %d by %d processes: %.2f s, by one: %.2f s, %.2f times as fast\n", size, size, processes, many, one,
           one / many);
    printf("the products are %s\n", right ? "the same" : "different");
    free(row);
    mproc_shared_destroy(shared);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
