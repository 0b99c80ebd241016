/* SPDX-License-Identifier: MIT */
/* Draws the Mandelbrot set into a picture (PGM), once by one process and once by a pool, and tells how much faster that was.
 *
 *     mandelbrot [FILE [WIDTH [PROCESSES]]] */
#include <mproc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MAX = 8192, STEPS_MAX = 1000 };

/* What a task is given: which row of which picture. It returns a byte for each point. */
struct row {
    int32_t y, width, height;
};

static unsigned char shade_of(double a, double b) {
    double x = 0, y = 0;
    int steps = 0;
    while (x * x + y * y <= 4 && steps < STEPS_MAX) {
        double next = x * x - y * y + a;
        y = 2 * x * y + b;
        x = next;
        steps++;
    }
    return (unsigned char)(steps == STEPS_MAX ? 0 : 255 - steps % 128);
}

static void draw(const struct row *row, unsigned char *points) {
    double scale = 3.0 / row->width;
    for (int32_t i = 0; i < row->width; i++) {
        points[i] = shade_of((i - 0.7 * row->width) * scale, (row->y - 0.5 * row->height) * scale);
    }
}

static void draw_row(mproc_task *task) {
    static unsigned char points[WIDTH_MAX];
    const struct row *row = mproc_task_bytes(task, NULL);
    draw(row, points);
    mproc_task_return_bytes(task, points, (size_t)row->width);
}

static const mproc_target targets[] = {MPROC_TARGET(draw_row), MPROC_TARGETS_END};

static void die(const char *what) {
    fprintf(stderr, "mandelbrot: %s\n", what);
    exit(EXIT_FAILURE);
}

static void write_picture(const char *path, const unsigned char *points, int width, int height) {
    FILE *file = fopen(path, "wb");
    size_t size = (size_t)width * (size_t)height;
    if (file == NULL || fprintf(file, "P5\n%d %d\n255\n", width, height) < 0 || fwrite(points, 1, size, file) != size ||
        fclose(file) != 0) {
        die("the picture cannot be written");
    }
}

int main(int argc, char **argv) {
    mproc_pool *pool = NULL;
    mproc_map_options options = {0};
    if (mproc_init(argc, argv, targets) != 0) {
        die(mproc_last_error()->message);
    }
    const char *path = argc > 1 ? argv[1] : "mandelbrot.pgm";
    int width = argc > 2 ? atoi(argv[2]) : 1200, processes = argc > 3 ? atoi(argv[3]) : mproc_cpu_count();
    if (width < 3 || width > WIDTH_MAX || processes < 1) {
        die("usage: mandelbrot [FILE [WIDTH [PROCESSES]]]");
    }
    int height = width * 2 / 3;
    struct row *rows = calloc((size_t)height, sizeof *rows);
    unsigned char *alone = calloc((size_t)height, (size_t)width), *together = calloc((size_t)height, (size_t)width);
    if (rows == NULL || alone == NULL || together == NULL) {
        die("no memory");
    }
    double start = mproc_time();
    for (int y = 0; y < height; y++) {
        rows[y] = (struct row){y, width, height};
        draw(&rows[y], alone + (size_t)y * (size_t)width);
    }
    double one = mproc_time() - start;
    start = mproc_time();
    options.progress = "drawing";
    options.chunksize = 4; /* rows differ much in how long they take */
    if (mproc_pool_create(&pool, processes, NULL) != 0 ||
        mproc_pool_map_bytes(pool, draw_row, rows, (size_t)height, sizeof *rows, together, (size_t)width, &options) !=
            0) {
        die(mproc_last_error()->message);
    }
    double many = mproc_time() - start;
    mproc_pool_destroy(pool);
    if (memcmp(alone, together, (size_t)width * (size_t)height) != 0) {
        die("the two pictures differ");
    }
    write_picture(path, together, width, height);
    printf("%s: %d x %d points\none process: %.2f s\na pool of %d: %.2f s, %.2f times as fast\n", path, width, height,
           one, processes, many, one / many);
    free(rows);
    free(alone);
    free(together);
    return EXIT_SUCCESS;
}
