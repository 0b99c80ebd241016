/* SPDX-License-Identifier: MIT */
/* A round trip of 64 bytes, and bytes a second in messages of 1 MiB, between two processes: over mproc_pipe, and over two
 * bare pipes of the system; alternating.
 *
 *     bench_pipe [ROUNDS] */
#include <mproc.h>
#include <string.h>
#include <uv.h>

#include "bare.h"
#include "bench.h"

#define SMALL 64
#define LARGE ((size_t)1 << 20)
#define TRIPS 20000
#define LARGE_COUNT 500
#define BARE_ECHO "--bare-echo"
#define BARE_SINK "--bare-sink"

static void fail(void) {
    fprintf(stderr, "bench_pipe: %s\n", mproc_last_error()->message);
    exit(1);
}

/* Sends each message back. */
static void echo(mproc_task *task) {
    void *data;
    size_t size;
    mproc_connection *connection = mproc_task_connection(task, 0);
    while (connection != NULL && mproc_connection_recv_bytes(connection, &data, &size, MPROC_FOREVER) == 0 &&
           mproc_connection_send_bytes(connection, data, size) == 0) {
        mproc_free(data);
    }
}

/* Receives LARGE_COUNT messages at a time, and answers with one byte. */
static void sink(mproc_task *task) {
    void *data;
    size_t size;
    mproc_connection *connection = mproc_task_connection(task, 0);
    for (int i = 1; connection != NULL && mproc_connection_recv_bytes(connection, &data, &size, MPROC_FOREVER) == 0;
         i++) {
        mproc_free(data);
        if (i % LARGE_COUNT == 0 && mproc_connection_send_bytes(connection, "", 1) != 0) {
            break;
        }
    }
}

static const mproc_target targets[] = {MPROC_TARGET(echo), MPROC_TARGET(sink), MPROC_TARGETS_END};

static int bare_echo(void) {
    char data[SMALL];
    while (bare_read(bare_input(), data, sizeof data) == 0 && bare_write(bare_output(), data, sizeof data) == 0) {
    }
    return 0;
}

static int bare_sink(void) {
    char *data = malloc(LARGE);
    for (int i = 1; data != NULL && bare_read(bare_input(), data, LARGE) == 0; i++) {
        if (i % LARGE_COUNT == 0 && bare_write(bare_output(), "", 1) != 0) {
            break;
        }
    }
    free(data);
    return 0;
}

static mproc_connection *start(mproc_fn target) {
    mproc_connection *ours = NULL, *theirs = NULL;
    mproc_process *process = NULL;
    if (mproc_pipe(&ours, &theirs, true) != 0 ||
        mproc_spawn(&process, target, mproc_pack("[o]", mproc_connection_ref(theirs))) != 0) {
        fail();
    }
    mproc_connection_close(theirs);
    mproc_process_destroy(process);
    return ours;
}

static double bare_trips(const struct bare_child *child) {
    char data[SMALL] = {0};
    double begin = mproc_time();
    for (int i = 0; i < TRIPS; i++) {
        if (bare_write(child->to, data, sizeof data) != 0 || bare_read(child->from, data, sizeof data) != 0) {
            fail();
        }
    }
    return (mproc_time() - begin) * 1e6 / TRIPS;
}

static double mproc_trips(mproc_connection *connection) {
    char message[SMALL] = {0};
    double begin = mproc_time();
    for (int i = 0; i < TRIPS; i++) {
        void *data = NULL;
        size_t size = 0;
        if (mproc_connection_send_bytes(connection, message, sizeof message) != 0 ||
            mproc_connection_recv_bytes(connection, &data, &size, MPROC_FOREVER) != 0) {
            fail();
        }
        mproc_free(data);
    }
    return (mproc_time() - begin) * 1e6 / TRIPS;
}

static double bare_flow(const struct bare_child *child, const char *data) {
    char answer;
    double begin = mproc_time();
    for (int i = 0; i < LARGE_COUNT; i++) {
        if (bare_write(child->to, data, LARGE) != 0) {
            fail();
        }
    }
    if (bare_read(child->from, &answer, 1) != 0) {
        fail();
    }
    return (double)LARGE * LARGE_COUNT / (mproc_time() - begin) / 1e9;
}

static double mproc_flow(mproc_connection *connection, const char *data) {
    void *answer = NULL;
    size_t size = 0;
    double begin = mproc_time();
    for (int i = 0; i < LARGE_COUNT; i++) {
        if (mproc_connection_send_bytes(connection, data, LARGE) != 0) {
            fail();
        }
    }
    if (mproc_connection_recv_bytes(connection, &answer, &size, MPROC_FOREVER) != 0) {
        fail();
    }
    mproc_free(answer);
    return (double)LARGE * LARGE_COUNT / (mproc_time() - begin) / 1e9;
}

int main(int argc, char **argv) {
    char self[4096];
    size_t self_size = sizeof self;
    struct bare_child echo_child, sink_child;
    struct bench_series trips[] = {{"round trip of 64 B, bare pipes", {0}, 0},
                                   {"round trip of 64 B, mproc_pipe", {0}, 0}};
    struct bench_series flow[] = {{"messages of 1 MiB, bare pipe", {0}, 0}, {"messages of 1 MiB, mproc_pipe", {0}, 0}};
    if (argc > 1 && strcmp(argv[1], BARE_ECHO) == 0) {
        return bare_echo();
    }
    if (argc > 1 && strcmp(argv[1], BARE_SINK) == 0) {
        return bare_sink();
    }
    if (mproc_init(argc, argv, targets) != 0 || uv_exepath(self, &self_size) != 0) {
        fail();
    }
    int rounds = argc > 1 ? atoi(argv[1]) : 11;
    char *data = malloc(LARGE);
    if (data == NULL || bare_child_start(&echo_child, self, BARE_ECHO) != 0 ||
        bare_child_start(&sink_child, self, BARE_SINK) != 0) {
        fail();
    }
    memset(data, 'x', LARGE);
    mproc_connection *to_echo = start(echo), *to_sink = start(sink);
    for (int i = 0; i < rounds; i++) {
        bench_add(&trips[0], bare_trips(&echo_child));
        bench_add(&trips[1], mproc_trips(to_echo));
        bench_add(&flow[0], bare_flow(&sink_child, data));
        bench_add(&flow[1], mproc_flow(to_sink, data));
    }
    bench_print(&trips[0], NULL, "us");
    bench_print(&trips[1], &trips[0], "us");
    bench_print(&flow[0], NULL, "GB/s");
    bench_print(&flow[1], &flow[0], "GB/s");
    mproc_connection_close(to_echo);
    mproc_connection_close(to_sink);
    bare_child_end(&echo_child);
    bare_child_end(&sink_child);
    free(data);
    return 0;
}
