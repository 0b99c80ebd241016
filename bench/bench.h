/* SPDX-License-Identifier: MIT */
/* What all benchmarks share: rounds, medians, and one way to print them. */
#ifndef MPROC_BENCH_H
#define MPROC_BENCH_H

#include <stdio.h>
#include <stdlib.h>

#define BENCH_ROUNDS_MAX 101

struct bench_series {
    const char *name;
    double values[BENCH_ROUNDS_MAX];
    int count;
};

static inline void bench_add(struct bench_series *series, double value) {
    if (series->count < BENCH_ROUNDS_MAX) {
        series->values[series->count++] = value;
    }
}

static inline int bench_compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static inline double bench_median(struct bench_series *series) {
    qsort(series->values, (size_t)series->count, sizeof series->values[0], bench_compare);
    return series->count > 0 ? series->values[series->count / 2] : 0;
}

/* One row: minimum, median and maximum, and the median as a multiple of `base`'s (NULL: it is the base itself). */
static inline void bench_print(struct bench_series *series, struct bench_series *base, const char *unit) {
    if (series->count == 0) {
        printf("%-44s (not here)\n", series->name);
        return;
    }
    double median = bench_median(series);
    printf("%-44s min %10.3f  median %10.3f  max %10.3f %s", series->name, series->values[0], median,
           series->values[series->count - 1], unit);
    if (base != NULL && base->count > 0) {
        printf("  = %.2f x", median / bench_median(base));
    }
    printf("\n");
}

/* Measures two by turns, and prints both. */
static inline void bench_by_turns(int rounds, const char *base_name, double (*measure_base)(void), const char *name,
                                  double (*measure)(void), const char *unit) {
    struct bench_series base = {base_name, {0}, 0}, series = {name, {0}, 0};
    for (int i = 0; i < rounds; i++) {
        bench_add(&base, measure_base());
        bench_add(&series, measure());
    }
    bench_print(&base, NULL, unit);
    bench_print(&series, &base, unit);
}

#endif
