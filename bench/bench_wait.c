/* SPDX-License-Identifier: MIT */
/* What it takes to wait for the first of many connections: one message after the other, each over another one of them, sent,
 * waited for and received by one thread; beside poll over bare pipes, and Python's wait.
 *
 *     bench_wait [ROUNDS] */
#include <mproc.h>
#include <string.h>

#include "bare.h"
#include "bench.h"

#define CONNECTIONS_MAX 200
#define TIMES 2000

static const char python[] = "import multiprocessing as m, multiprocessing.connection as c, time\n"
                             "N, T = %d, %d\n"
                             "p = [m.Pipe(False) for i in range(N)]\n"
                             "r = [a for a, b in p]\n"
                             "s = time.perf_counter()\n"
                             "for i in range(T):\n"
                             "    p[i * 7 %% N][1].send_bytes(b'12345678'); c.wait(r)[0].recv_bytes()\n"
                             "print((time.perf_counter() - s) * 1e6 / T)\n";

static void check(int status) {
    if (status < 0) {
        fprintf(stderr, "bench_wait: %s\n", mproc_last_error()->message);
        exit(1);
    }
}

struct pipes {
    int count;
    mproc_connection *senders[CONNECTIONS_MAX];
    mproc_waitable receivers[CONNECTIONS_MAX];
};

static void open_pipes(struct pipes *pipes, int count) {
    memset(pipes, 0, sizeof *pipes);
    pipes->count = count;
    for (int i = 0; i < count; i++) {
        check(mproc_pipe(&pipes->receivers[i].connection, &pipes->senders[i], false));
    }
}

static void close_pipes(struct pipes *pipes) {
    for (int i = 0; i < pipes->count; i++) {
        mproc_connection_close(pipes->receivers[i].connection);
        mproc_connection_close(pipes->senders[i]);
    }
}

static void receive(mproc_connection *connection) {
    void *data;
    size_t size;
    check(mproc_connection_recv_bytes(connection, &data, &size, 0));
    mproc_free(data);
}

/* Microseconds for a message. */
static double wait_for_each(struct pipes *pipes) {
    double start = mproc_time();
    for (int i = 0; i < TIMES; i++) {
        int chosen = i * 7 % pipes->count;
        check(mproc_connection_send_bytes(pipes->senders[chosen], "12345678", 8));
        check(mproc_wait(pipes->receivers, (size_t)pipes->count, MPROC_FOREVER));
        receive(pipes->receivers[chosen].connection);
    }
    return (mproc_time() - start) * 1e6 / TIMES;
}

static double receive_each(struct pipes *pipes) {
    double start = mproc_time();
    for (int i = 0; i < TIMES; i++) {
        int chosen = i * 7 % pipes->count;
        check(mproc_connection_send_bytes(pipes->senders[chosen], "12345678", 8));
        receive(pipes->receivers[chosen].connection);
    }
    return (mproc_time() - start) * 1e6 / TIMES;
}

static void measure(int count, int rounds) {
    char script[sizeof python + 32];
    struct pipes pipes;
    struct bench_series bare = {"  poll over bare pipes", {0}, 0};
    struct bench_series without = {"  mproc_connection, without waiting", {0}, 0};
    struct bench_series ours = {"  mproc_wait", {0}, 0};
    struct bench_series other = {"  Python's wait", {0}, 0};
    open_pipes(&pipes, count);
    for (int i = 0; i < rounds; i++) {
        double taken = bare_wait(count, TIMES);
        if (taken >= 0) {
            bench_add(&bare, taken);
        }
        bench_add(&without, receive_each(&pipes));
        bench_add(&ours, wait_for_each(&pipes));
    }
    close_pipes(&pipes);
    (void)snprintf(script, sizeof script, python, count, TIMES);
    double taken = bare_python_number(script);
    if (taken >= 0) {
        bench_add(&other, taken);
    }
    printf("one of %d connections\n", count);
    bench_print(&bare, NULL, "us");
    bench_print(&without, &bare, "us");
    bench_print(&ours, &bare, "us");
    bench_print(&other, &bare, "us");
}

int main(int argc, char **argv) {
    static const mproc_target targets[] = {MPROC_TARGETS_END};
    static const int counts[] = {1, 10, 50, CONNECTIONS_MAX};
    check(mproc_init(argc, argv, targets));
    int rounds = argc > 1 ? atoi(argv[1]) : 11;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        measure(counts[i], rounds);
    }
    return 0;
}
