/* SPDX-License-Identifier: MIT */
/* The pool: one task at a time against a bare child over pipes; floods of empty tasks; maps; making and ending a pool; what a
 * task costs from 10^3 to 10^6 of them, and with 2 to 64 workers. Beside it Python's Pool, ProcessPoolExecutor and loky,
 * where they are.
 *
 *     bench_pool [ROUNDS] */
#include <mproc.h>
#include <string.h>
#include <uv.h>

#include "bare.h"
#include "bench.h"

#define WORKERS 2
#define TRIPS 2000
#define FLOOD 200000
#define SMALL 64
#define BARE_ECHO "--bare-echo"

static void fail(void) {
    fprintf(stderr, "bench_pool: %s\n", mproc_last_error()->message);
    exit(1);
}

static void check(int status) {
    if (status != 0) {
        fail();
    }
}

/* Targets ------------------------------------------------------------------------------------------------------ */

static void do_nothing(mproc_task *task) {
    (void)task;
}

static void give_back(mproc_task *task) {
    double number;
    if (mproc_task_unpack(task, "(f)", &number) == 0) {
        mproc_task_return(task, cJSON_CreateNumber(number));
    }
}

static void give_bytes_back(mproc_task *task) {
    size_t size;
    const void *data = mproc_task_bytes(task, &size);
    (void)mproc_task_return_bytes(task, data, size);
}

static const mproc_target targets[] = {MPROC_TARGET(do_nothing), MPROC_TARGET(give_back), MPROC_TARGET(give_bytes_back),
                                       MPROC_TARGETS_END};

/* Measuring ---------------------------------------------------------------------------------------------------- */

static mproc_pool *create(int workers) {
    mproc_pool *pool = NULL;
    check(mproc_pool_create(&pool, workers, NULL));
    return pool;
}

static void end(mproc_pool *pool) {
    check(mproc_pool_close(pool));
    check(mproc_pool_join(pool, MPROC_FOREVER));
    mproc_pool_destroy(pool);
}

static double apply_seconds(mproc_pool *pool, int count) {
    double begin = mproc_time();
    for (int i = 0; i < count; i++) {
        check(mproc_pool_apply(pool, do_nothing, NULL, NULL, NULL));
    }
    return (mproc_time() - begin) / count;
}

/* Tasks are given as fast as they are taken, and the last one is waited for. */
static double flood_seconds(mproc_pool *pool, int count) {
    mproc_async_result *last = NULL;
    mproc_pool_stats stats;
    double begin = mproc_time();
    for (int i = 1; i < count; i++) {
        check(mproc_pool_apply_async(pool, do_nothing, NULL, NULL, NULL));
    }
    check(mproc_pool_apply_async(pool, do_nothing, NULL, NULL, &last));
    check(mproc_async_result_wait(last, MPROC_FOREVER));
    mproc_async_result_destroy(last);
    do {
        check(mproc_pool_get_stats(pool, &stats)); /* those before it may be a moment behind */
    } while (stats.pending > 0);
    return (mproc_time() - begin) / count;
}

static cJSON *numbers(int count) {
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        cJSON_AddItemToArray(array, cJSON_CreateNumber(i));
    }
    return array;
}

static double map_seconds(mproc_pool *pool, int count, size_t chunk_size) {
    mproc_map_options options = {0};
    cJSON *values = NULL, *items = numbers(count);
    options.chunksize = chunk_size;
    double begin = mproc_time();
    check(mproc_pool_map(pool, give_back, items, &options, &values));
    double seconds = mproc_time() - begin;
    cJSON_Delete(values);
    return seconds / count;
}

static double map_bytes_seconds(mproc_pool *pool, int count) {
    double *items = calloc((size_t)count, sizeof *items), *results = calloc((size_t)count, sizeof *results);
    double begin = mproc_time();
    check(mproc_pool_map_bytes(pool, give_bytes_back, items, (size_t)count, sizeof *items, results, sizeof *results,
                               NULL));
    double seconds = mproc_time() - begin;
    free(items);
    free(results);
    return seconds / count;
}

static double life_seconds(void) {
    cJSON *values = NULL;
    double begin = mproc_time();
    mproc_pool *pool = create(WORKERS);
    mproc_map_options options = {0};
    options.chunksize = 1;
    check(mproc_pool_map(pool, give_back, numbers(2), &options, &values));
    cJSON_Delete(values);
    mproc_pool_destroy(pool);
    return mproc_time() - begin;
}

/* Bare --------------------------------------------------------------------------------------------------------- */

static int bare_echo(void) {
    char data[SMALL];
    while (bare_read(bare_input(), data, sizeof data) == 0 && bare_write(bare_output(), data, sizeof data) == 0) {
    }
    return 0;
}

static double bare_seconds(const struct bare_child *child, int count) {
    char data[SMALL] = {0};
    double begin = mproc_time();
    for (int i = 0; i < count; i++) {
        if (bare_write(child->to, data, sizeof data) != 0 || bare_read(child->from, data, sizeof data) != 0) {
            exit(1);
        }
    }
    return (mproc_time() - begin) / count;
}

/* Two bare children, each of which is sent a task in one write when its last result has come. */
static double bare_flood_seconds(const struct bare_child *one, const struct bare_child *other, int count) {
    char data[SMALL] = {0};
    const struct bare_child *children[2] = {one, other};
    double begin = mproc_time();
    for (int i = 0; i < count; i += 2) {
        for (int child = 0; child < 2; child++) {
            if (bare_write(children[child]->to, data, sizeof data) != 0) {
                exit(1);
            }
        }
        for (int child = 0; child < 2; child++) {
            if (bare_read(children[child]->from, data, sizeof data) != 0) {
                exit(1);
            }
        }
    }
    return (mproc_time() - begin) / count;
}

/* Python ------------------------------------------------------------------------------------------------------- */

#define PYTHON(BODY)                                                                                                   \
    "import multiprocessing as m, time\n"                                                                              \
    "def f(*a): pass\n"                                                                                                \
    "def g(x): return x\n"                                                                                             \
    "if __name__ == '__main__':\n"                                                                                     \
    "    c = m.get_context('spawn')\n" BODY

static const char python_apply[] = PYTHON("    p = c.Pool(2); p.apply(f); t = time.monotonic()\n"
                                          "    for i in range(2000): p.apply(f)\n"
                                          "    print((time.monotonic() - t) / 2000 * 1e6)\n");
static const char python_flood[] = PYTHON("    p = c.Pool(2); p.apply(f); t = time.monotonic()\n"
                                          "    for r in [p.apply_async(f) for i in range(20000)]: r.get()\n"
                                          "    print(20000 / (time.monotonic() - t) / 1e6)\n");
static const char python_map1[] = PYTHON("    p = c.Pool(2); p.apply(f); t = time.monotonic()\n"
                                         "    p.map(g, range(20000), 1)\n"
                                         "    print(20000 / (time.monotonic() - t) / 1e6)\n");
static const char python_map[] = PYTHON("    p = c.Pool(2); p.apply(f); t = time.monotonic()\n"
                                        "    p.map(g, range(1000000))\n"
                                        "    print(1000000 / (time.monotonic() - t) / 1e6)\n");
static const char python_life[] = PYTHON("    t = time.monotonic()\n"
                                         "    with c.Pool(2) as p: p.map(g, [1, 2])\n"
                                         "    print((time.monotonic() - t) * 1e3)\n");
static const char python_executor[] = PYTHON("    from concurrent.futures import ProcessPoolExecutor as P\n"
                                             "    p = P(2, mp_context=c); p.submit(f).result(); t = time.monotonic()\n"
                                             "    for i in range(2000): p.submit(f).result()\n"
                                             "    print((time.monotonic() - t) / 2000 * 1e6)\n");
static const char python_loky[] =
    PYTHON("    from loky import get_reusable_executor\n"
           "    p = get_reusable_executor(2); p.submit(f).result(); t = time.monotonic()\n"
           "    for i in range(2000): p.submit(f).result()\n"
           "    print((time.monotonic() - t) / 2000 * 1e6)\n");

static void print_python(const char *name, const char *script, struct bench_series *base, const char *unit) {
    struct bench_series series = {name, {0}, 0};
    double number = bare_python_number(script);
    if (number > 0) {
        bench_add(&series, number);
    }
    bench_print(&series, base, unit);
}

/* One measurement a count of tasks, and of workers -------------------------------------------------------------- */

static void print_costs(void) {
    printf("\none task of so many, in ns (apply_async; map_bytes in the pool's own chunks)\n");
    for (int count = 1000; count <= 10000000; count *= 10) {
        mproc_pool *pool = create(WORKERS);
        (void)apply_seconds(pool, 100);
        printf("%9d  %8.0f  %8.1f\n", count, flood_seconds(pool, count) * 1e9, map_bytes_seconds(pool, count) * 1e9);
        end(pool);
    }
    printf("\none task of %d with so many workers, in ns\n", FLOOD);
    for (int workers = 2; workers <= 256; workers *= 2) {
        mproc_pool *pool = create(workers);
        (void)flood_seconds(pool, 10000);
        printf("%9d  %8.0f  %8.1f\n", workers, flood_seconds(pool, FLOOD) * 1e9, map_bytes_seconds(pool, FLOOD) * 1e9);
        end(pool);
    }
}

int main(int argc, char **argv) {
    char self[4096];
    size_t self_size = sizeof self;
    struct bare_child one, other;
    struct bench_series bare = {"a bare child over pipes", {0}, 0}, apply = {"apply, one at a time", {0}, 0};
    struct bench_series bare_flood = {"two bare children, a write a task", {0}, 0};
    struct bench_series flood = {"apply_async, empty tasks", {0}, 0};
    struct bench_series map1 = {"map, chunks of 1", {0}, 0}, map = {"map, numbers", {0}, 0};
    struct bench_series bytes = {"map_bytes, 8 B each", {0}, 0};
    struct bench_series life = {"a pool of 2, a map of 2, its end", {0}, 0};
    if (argc > 1 && strcmp(argv[1], BARE_ECHO) == 0) {
        return bare_echo();
    }
    if (mproc_init(argc, argv, targets) != 0 || uv_exepath(self, &self_size) != 0 ||
        bare_child_start(&one, self, BARE_ECHO) != 0 || bare_child_start(&other, self, BARE_ECHO) != 0) {
        fail();
    }
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    mproc_pool *pool = create(WORKERS);
    (void)flood_seconds(pool, 1000);
    for (int i = 0; i < rounds; i++) {
        bench_add(&bare, bare_seconds(&one, TRIPS) * 1e6);
        bench_add(&apply, apply_seconds(pool, TRIPS) * 1e6);
        bench_add(&bare_flood, 1e-6 / bare_flood_seconds(&one, &other, FLOOD / 10));
        bench_add(&flood, 1e-6 / flood_seconds(pool, FLOOD));
        bench_add(&map1, 1e-6 / map_seconds(pool, FLOOD, 1));
        bench_add(&map, 1e-6 / map_seconds(pool, 5 * FLOOD, 0));
        bench_add(&bytes, 1e-6 / map_bytes_seconds(pool, 25 * FLOOD));
        bench_add(&life, life_seconds() * 1e3);
    }
    end(pool);
    bare_child_end(&one);
    bare_child_end(&other);
    bench_print(&apply, NULL, "us");
    bench_print(&bare, &apply, "us");
    print_python("Python's Pool", python_apply, &apply, "us");
    print_python("Python's ProcessPoolExecutor", python_executor, &apply, "us");
    print_python("loky", python_loky, &apply, "us");
    printf("\n");
    bench_print(&flood, NULL, "M/s");
    bench_print(&bare_flood, &flood, "M/s");
    print_python("Python's Pool", python_flood, &flood, "M/s");
    printf("\n");
    bench_print(&map1, NULL, "M/s");
    print_python("Python's Pool", python_map1, &map1, "M/s");
    bench_print(&map, NULL, "M/s");
    print_python("Python's Pool", python_map, &map, "M/s");
    bench_print(&bytes, NULL, "M/s");
    printf("\n");
    bench_print(&life, NULL, "ms");
    print_python("Python's Pool", python_life, &life, "ms");
    print_costs();
    return 0;
}
