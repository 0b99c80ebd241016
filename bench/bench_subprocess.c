/* SPDX-License-Identifier: MIT */
/* Other programs: what starting one and waiting for its end costs, from a small parent and from a large one; and how much goes
 * through one that copies its input to its output. Where there is no /bin/true and no /bin/cat, this program does what they do.
 *
 *     bench_subprocess [ROUNDS [GIBIBYTES]] */
#include <mproc.h>
#include <string.h>
#include <uv.h>

#include "bare.h"
#include "bench.h"

#define EACH 100 /* programs a round */
#define END_AT_ONCE "--end-at-once"
#define COPY "-"
#define CHUNK 65536
#define MEBIBYTES 256

static const char python_call[] = "import subprocess, time\n"
                                  "t = []\n"
                                  "for i in range(11):\n"
                                  "    s = time.perf_counter()\n"
                                  "    for j in range(100): subprocess.call(['/bin/true'])\n"
                                  "    t.append(time.perf_counter() - s)\n"
                                  "print(sorted(t)[5] * 10)\n";

static const char python_communicate[] = "import subprocess, time\n"
                                         "d = b'x' * (256 << 20)\n"
                                         "t = []\n"
                                         "for i in range(3):\n"
                                         "    s = time.perf_counter()\n"
                                         "    subprocess.run(['/bin/cat'], input=d, stdout=subprocess.PIPE)\n"
                                         "    t.append(time.perf_counter() - s)\n"
                                         "print(len(d) / sorted(t)[1] / 1e9)\n";

static char self[4096], chunk[CHUNK];
static const char *ending, *copying; /* programs that end at once, and copy */
static const char *ending_argument;  /* NULL: none; true would look up what one means */

static void die(const char *what) {
    fprintf(stderr, "bench_subprocess: %s\n", what);
    exit(1);
}

static void check(int status) {
    if (status != 0) {
        die(mproc_last_error()->message);
    }
}

static int copy(void) {
    size_t size;
    while ((size = fread(chunk, 1, sizeof chunk, stdin)) > 0) {
        fwrite(chunk, 1, size, stdout);
    }
    return 0;
}

/* Starting ----------------------------------------------------------------------------------------------------- */

static double bare_round(void) {
    double start = mproc_time();
    for (int i = 0; i < EACH; i++) {
        if (bare_spawn_and_wait(ending, ending_argument) != 0) {
            die("cannot start a program");
        }
    }
    return (mproc_time() - start) * 1000 / EACH;
}

static double mproc_round(void) {
    const char *argv[] = {ending, ending_argument, NULL};
    double start = mproc_time();
    for (int i = 0; i < EACH; i++) {
        check(mproc_check_call(argv));
    }
    return (mproc_time() - start) * 1000 / EACH;
}

/* Streaming: one thread writes, the other reads ----------------------------------------------------------------- */

static double rate(double start) {
    return (double)MEBIBYTES * 1048576 / (mproc_time() - start) / 1e9;
}

static void write_bare(void *child) {
    for (size_t i = 0; i < (size_t)MEBIBYTES * 1048576 / CHUNK; i++) {
        if (bare_write(((struct bare_child *)child)->to, chunk, CHUNK) != 0) {
            die("cannot write");
        }
    }
}

/* Reads all that comes into the same memory again and again, or into memory that grows. */
static char *read_bare(intptr_t from, bool is_kept) {
    size_t capacity = CHUNK;
    char *received = malloc(capacity);
    for (size_t used = 0; used < (size_t)MEBIBYTES << 20; used += CHUNK) {
        if (is_kept && used == capacity) {
            capacity *= 2;
            received = realloc(received, capacity);
        }
        if (received == NULL || bare_read(from, received + (is_kept ? used : 0), CHUNK) != 0) {
            die("cannot read");
        }
    }
    return received;
}

static double bare_stream(bool is_kept) {
    struct bare_child child;
    uv_thread_t writer;
    double start = mproc_time();
    if (bare_child_start(&child, copying, COPY) != 0 || uv_thread_create(&writer, write_bare, &child) != 0) {
        die("cannot start a program that copies");
    }
    char *received = read_bare(child.from, is_kept);
    uv_thread_join(&writer);
    bare_child_end(&child);
    double result = rate(start);
    free(received);
    return result;
}

static void write_popen(void *process) {
    for (size_t i = 0; i < (size_t)MEBIBYTES * 1048576 / CHUNK; i++) {
        check(mproc_popen_write(process, chunk, CHUNK));
    }
    check(mproc_popen_close_stdin(process));
}

static mproc_popen *start_copying(void) {
    const char *argv[] = {copying, COPY, NULL};
    mproc_popen_options options = {0};
    mproc_popen *process;
    options.argv = argv;
    options.in.kind = options.out.kind = MPROC_PIPE;
    check(mproc_popen_create(&process, &options));
    return process;
}

static double mproc_stream(void) {
    static char received[CHUNK];
    uv_thread_t writer;
    double start = mproc_time();
    mproc_popen *process = start_copying();
    if (uv_thread_create(&writer, write_popen, process) != 0) {
        die("cannot start a thread");
    }
    while (mproc_popen_read(process, 1, received, CHUNK, MPROC_FOREVER) > 0) {
    }
    uv_thread_join(&writer);
    check(mproc_popen_wait(process, NULL, MPROC_FOREVER));
    mproc_popen_destroy(process);
    return rate(start);
}

static double check_rate(double start, mproc_completed *completed) {
    double result = rate(start);
    if (completed->out_size != (size_t)MEBIBYTES << 20) {
        die("the output is not what it should be");
    }
    mproc_completed_clear(completed);
    return result;
}

static double run_mproc(const char *input) {
    const char *argv[] = {copying, COPY, NULL};
    mproc_popen_options options = {0};
    mproc_completed completed;
    double start = mproc_time();
    options.argv = argv;
    options.out.kind = MPROC_PIPE;
    check(mproc_run(&options, input, (size_t)MEBIBYTES << 20, &completed, MPROC_FOREVER));
    return check_rate(start, &completed);
}

static double communicate_mproc(const char *input) {
    mproc_completed completed;
    double start = mproc_time();
    mproc_popen *process = start_copying();
    check(mproc_popen_communicate(process, input, (size_t)MEBIBYTES << 20, &completed, MPROC_FOREVER));
    mproc_popen_destroy(process);
    return check_rate(start, &completed);
}

static void measure_streams(int rounds) {
    struct bench_series bare = {"two threads, bare pipes", {0}, 0};
    struct bench_series ours = {"mproc_popen_write and _read", {0}, 0};
    struct bench_series bare_kept = {"two threads, bare pipes, the output kept", {0}, 0};
    struct bench_series run = {"mproc_run", {0}, 0};
    struct bench_series communicate = {"mproc_popen_communicate", {0}, 0};
    char *input = malloc((size_t)MEBIBYTES << 20);
    if (input == NULL) {
        die("out of memory");
    }
    memset(input, 'x', (size_t)MEBIBYTES << 20);
    for (int i = 0; i < rounds; i++) {
        bench_add(&bare, bare_stream(false));
        bench_add(&ours, mproc_stream());
        bench_add(&bare_kept, bare_stream(true));
        bench_add(&run, run_mproc(input));
        bench_add(&communicate, communicate_mproc(input));
    }
    free(input);
    bench_print(&bare, NULL, "GB/s");
    bench_print(&ours, &bare, "GB/s");
    bench_print(&bare_kept, NULL, "GB/s");
    bench_print(&run, &bare_kept, "GB/s");
    bench_print(&communicate, &bare_kept, "GB/s");
}

static void measure_python(const char *name, const char *script, const char *unit) {
    struct bench_series series = {name, {0}, 0};
    double number = bare_python_number(script);
    if (number > 0) {
        bench_add(&series, number);
    }
    bench_print(&series, NULL, unit);
}

static const char *program_or_self(const char *path) {
    uv_fs_t request;
    int status = uv_fs_stat(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
    return status == 0 ? path : self;
}

int main(int argc, char **argv) {
    size_t size = sizeof self;
    if (argc > 1 && strcmp(argv[1], END_AT_ONCE) == 0) {
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], COPY) == 0) {
        return copy();
    }
    check(mproc_init(argc, argv, NULL));
    if (uv_exepath(self, &size) != 0) {
        die("cannot find this program");
    }
    ending = program_or_self("/bin/true");
    ending_argument = ending == self ? END_AT_ONCE : NULL;
    copying = program_or_self("/bin/cat");
    int rounds = argc > 1 ? atoi(argv[1]) : 11;
    size_t gibibytes = argc > 2 ? (size_t)atoi(argv[2]) : 4;
    printf("starting %s and waiting for it, %d rounds of %d\n", ending, rounds, EACH);
    bench_by_turns(rounds, "the system's own", bare_round, "mproc_check_call", mproc_round, "ms");
    char *memory = gibibytes > 0 ? malloc(gibibytes << 30) : NULL;
    if (memory != NULL) {
        memset(memory, 1, gibibytes << 30);
        bench_by_turns(rounds, "the system's own, from a parent of 4 GiB", bare_round,
                       "mproc_check_call, from a parent of 4 GiB", mproc_round, "ms");
        free(memory);
    }
    measure_python("Python's subprocess.call", python_call, "ms");
    printf("%d MiB through %s\n", MEBIBYTES, copying);
    measure_streams(rounds);
    measure_python("Python's subprocess.run", python_communicate, "GB/s");
    return 0;
}
