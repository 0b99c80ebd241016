/* SPDX-License-Identifier: MIT */
/* Queues between two children: a round trip of 64 bytes, messages of 64 bytes a second from one child to the next and from
 * four to one, bytes a second in messages of 1 MiB. Beside them what the system itself takes: two bare processes whose
 * messages this one passes on over pipes; the peers that were found when it was built (peers/); and Python's queue, where
 * there is Python.
 *
 *     bench_queue [ROUNDS] */
#include <mproc.h>
#include <string.h>
#include <uv.h>

#include "bare.h"
#include "bench.h"
#include "peers/peer_child.h"

#define SMALL 64
#define LARGE ((size_t)1 << 20)
#define TRIPS 5000
#define LARGE_COUNT 300
#define STREAM_COUNT 400000
#define PRODUCERS 4
#define BARE_ECHO "--bare-echo"

static void fail(void) {
    fprintf(stderr, "bench_queue: %s\n", mproc_last_error()->message);
    exit(1);
}

static void check(int status) {
    if (status != 0) {
        fail();
    }
}

/* Children: each carries out the orders that it gets, and answers with the seconds that they took ------------------ */

static void put_many(mproc_queue *queue, size_t size, int count) {
    char *data = malloc(size);
    if (data == NULL) {
        exit(1);
    }
    memset(data, 'x', size);
    for (int i = 0; i < count; i++) {
        check(mproc_queue_put_bytes(queue, data, size, MPROC_FOREVER));
    }
    free(data);
}

static void get_many(mproc_queue *queue, int count) {
    for (int i = 0; i < count; i++) {
        void *data;
        size_t size;
        check(mproc_queue_get_bytes(queue, &data, &size, MPROC_FOREVER));
        mproc_free(data);
    }
}

/* Each is copied elsewhere, as the peers do. */
static void copy_many(mproc_queue *queue, int count) {
    void *copy = malloc(LARGE);
    for (int i = 0; i < count && copy != NULL; i++) {
        void *data;
        size_t size;
        check(mproc_queue_get_bytes(queue, &data, &size, MPROC_FOREVER));
        memcpy(copy, data, size);
        mproc_free(data);
    }
    free(copy);
}

/* Each is read where it stands. */
static void read_many(mproc_queue *queue, int count) {
    for (int i = 0; i < count; i++) {
        void *data;
        size_t size;
        uint64_t sum = 0;
        check(mproc_queue_get_bytes(queue, &data, &size, MPROC_FOREVER));
        for (const uint64_t *word = data; word < (const uint64_t *)data + size / sizeof *word; word++) {
            sum += *word;
        }
        if (sum != size / sizeof sum * (UINT64_C(0x7878787878787878))) {
            exit(1);
        }
        mproc_free(data);
    }
}

/* Sends a message and waits for it to come back, `count` times. */
static void ping(mproc_queue *out, mproc_queue *in, int count) {
    for (int i = 0; i < count; i++) {
        put_many(out, SMALL, 1);
        get_many(in, 1);
    }
}

static void echo(mproc_queue *out, mproc_queue *in, int count) {
    for (int i = 0; i < count; i++) {
        get_many(in, 1);
        put_many(out, SMALL, 1);
    }
}

static void work(mproc_task *task) {
    mproc_queue *orders = mproc_task_queue(task, 0), *answers = mproc_task_queue(task, 1);
    mproc_queue *out = mproc_task_queue(task, 2), *in = mproc_task_queue(task, 3);
    cJSON *order;
    while (mproc_queue_get(orders, &order, MPROC_FOREVER) == 0) {
        const char *what;
        int count, size;
        check(mproc_unpack(order, "[s,i,i]", &what, &count, &size));
        double begin = mproc_time();
        if (strcmp(what, "put") == 0) {
            put_many(out, (size_t)size, count);
        } else if (strcmp(what, "get") == 0) {
            get_many(in, count);
        } else if (strcmp(what, "copy") == 0) {
            copy_many(in, count);
        } else if (strcmp(what, "read") == 0) {
            read_many(in, count);
        } else if (strcmp(what, "ping") == 0) {
            ping(out, in, count);
        } else {
            echo(out, in, count);
        }
        cJSON_Delete(order);
        check(mproc_queue_put(answers, cJSON_CreateNumber(mproc_time() - begin), MPROC_FOREVER));
    }
}

static const mproc_target targets[] = {MPROC_TARGET(work), MPROC_TARGETS_END};

/* Parent ------------------------------------------------------------------------------------------------------- */

struct worker {
    mproc_queue *orders, *answers;
};

static mproc_queue *create(void) {
    mproc_queue *queue = NULL;
    check(mproc_queue_create(&queue, 0));
    return queue;
}

static struct worker start(mproc_queue *out, mproc_queue *in) {
    struct worker worker = {create(), create()};
    mproc_process *process = NULL;
    check(mproc_spawn(&process, work,
                      mproc_pack("[o,o,o,o]", mproc_queue_ref(worker.orders), mproc_queue_ref(worker.answers),
                                 mproc_queue_ref(out), mproc_queue_ref(in))));
    mproc_process_destroy(process);
    return worker;
}

static void order(struct worker *worker, const char *what, int count, size_t size) {
    check(mproc_queue_put(worker->orders, mproc_pack("[s,i,i]", what, count, (int)size), MPROC_FOREVER));
}

static double answer(struct worker *worker) {
    cJSON *seconds = NULL;
    check(mproc_queue_get(worker->answers, &seconds, MPROC_FOREVER));
    double value = seconds->valuedouble;
    cJSON_Delete(seconds);
    return value;
}

static double trips(struct worker *one, struct worker *two) {
    order(two, "echo", TRIPS, SMALL);
    order(one, "ping", TRIPS, SMALL);
    (void)answer(two);
    return answer(one) * 1e6 / TRIPS;
}

/* Seconds until all that the producers put has been got. */
static double stream(struct worker *producers, int producer_count, struct worker *consumer, const char *how, int count,
                     size_t size) {
    double begin = mproc_time();
    order(consumer, how, count * producer_count, size);
    for (int i = 0; i < producer_count; i++) {
        order(&producers[i], "put", count, size);
    }
    (void)answer(consumer);
    double seconds = mproc_time() - begin;
    for (int i = 0; i < producer_count; i++) {
        (void)answer(&producers[i]);
    }
    return seconds;
}

/* Bare --------------------------------------------------------------------------------------------------------- */

static int bare_echo(void) {
    char data[SMALL];
    while (bare_read(bare_input(), data, sizeof data) == 0 && bare_write(bare_output(), data, sizeof data) == 0) {
    }
    return 0;
}

/* Four hops, as between two children by way of their parent: two round trips to a bare child. */
static double bare_trips(const struct bare_child *child) {
    char data[SMALL] = {0};
    double begin = mproc_time();
    for (int i = 0; i < 2 * TRIPS; i++) {
        if (bare_write(child->to, data, sizeof data) != 0 || bare_read(child->from, data, sizeof data) != 0) {
            fail();
        }
    }
    return (mproc_time() - begin) * 1e6 / TRIPS;
}

static const char python_script[] =
    "import multiprocessing as m, time\n"
    "def put(q, n):\n"
    "    for i in range(n): q.put(b'x' * 64)\n"
    "def get(q, n, a):\n"
    "    q.get()\n"
    "    t = time.monotonic()\n"
    "    for i in range(n - 1): q.get()\n"
    "    a.put((n - 1) / (time.monotonic() - t) / 1e6)\n"
    "if __name__ == '__main__':\n"
    "    c = m.get_context('spawn'); q = c.Queue(); a = c.Queue(); n = 30000\n"
    "    p = [c.Process(target=put, args=(q, n)), c.Process(target=get, args=(q, n, a))]\n"
    "    [x.start() for x in p]; print(a.get()); [x.join() for x in p]\n";

/* What is measured, a row for mproc and each peer. */
enum row { TRIP, ONE, FOUR, BULK, ROWS };

struct peer_rows {
    const struct queue_peer *peer;
    struct bench_series series[ROWS];
};

#define PEERS_MAX 8

static void measure_peer(struct peer_rows *rows, const char *self) {
    const struct queue_peer *peer = rows->peer;
    int count = STREAM_COUNT / peer->fewer;
    double results[ROWS] = {peer_round_trip_seconds(peer, self, SMALL, TRIPS) * 1e6,
                            peer_messages_a_second(peer, self, 1, SMALL, count) / 1e6,
                            peer_messages_a_second(peer, self, PRODUCERS, SMALL, count / PRODUCERS) / 1e6,
                            peer_messages_a_second(peer, self, 1, LARGE, LARGE_COUNT) * (double)LARGE / 1e9};
    for (int row = 0; row < ROWS; row++) {
        rows->series[row].name = peer->name;
        if (results[row] > 0) {
            bench_add(&rows->series[row], results[row]);
        }
    }
}

static void print_peers(struct peer_rows *peers, int count, enum row row, struct bench_series *base, const char *unit) {
    for (int i = 0; i < count; i++) {
        bench_print(&peers[i].series[row], base, unit);
    }
    printf("\n");
}

int main(int argc, char **argv) {
    char self[4096];
    size_t self_size = sizeof self;
    struct bare_child bare;
    struct worker producers[PRODUCERS], consumer;
    static struct peer_rows peers[PEERS_MAX];
    struct bench_series trip = {"round trip of 64 B, two queues", {0}, 0};
    struct bench_series relay = {"pipes by way of a parent", {0}, 0};
    struct bench_series one = {"messages of 64 B, one child to one", {0}, 0};
    struct bench_series four = {"messages of 64 B, four children to one", {0}, 0};
    struct bench_series copied = {"messages of 1 MiB, copied out", {0}, 0};
    struct bench_series in_place = {"messages of 1 MiB, read in place", {0}, 0};
    struct bench_series python = {"Python's Queue", {0}, 0};
    int peer_count = 0;
    if (argc > 1 && strcmp(argv[1], BARE_ECHO) == 0) {
        return bare_echo();
    }
    int exit_code = peer_child_run(argc, argv);
    if (exit_code >= 0) {
        return exit_code;
    }
    if (mproc_init(argc, argv, targets) != 0 || uv_exepath(self, &self_size) != 0 ||
        bare_child_start(&bare, self, BARE_ECHO) != 0) {
        fail();
    }
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    while (peer_count < PEERS_MAX && queue_peers[peer_count] != NULL) {
        peers[peer_count].peer = queue_peers[peer_count];
        peer_count++;
    }
    mproc_queue *queue = create(), *back = create();
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = start(queue, back);
    }
    consumer = start(back, queue);
    for (int i = 0; i < rounds; i++) {
        bench_add(&relay, bare_trips(&bare));
        bench_add(&trip, trips(&producers[0], &consumer));
        bench_add(&one, STREAM_COUNT / stream(producers, 1, &consumer, "get", STREAM_COUNT, SMALL) / 1e6);
        bench_add(&four,
                  STREAM_COUNT / stream(producers, PRODUCERS, &consumer, "get", STREAM_COUNT / PRODUCERS, SMALL) / 1e6);
        bench_add(&copied,
                  LARGE_COUNT * (double)LARGE / stream(producers, 1, &consumer, "copy", LARGE_COUNT, LARGE) / 1e9);
        bench_add(&in_place,
                  LARGE_COUNT * (double)LARGE / stream(producers, 1, &consumer, "read", LARGE_COUNT, LARGE) / 1e9);
        for (int peer = 0; peer < peer_count; peer++) {
            measure_peer(&peers[peer], self);
        }
        double number = i == 0 ? bare_python_number(python_script) : -1;
        if (number > 0) {
            bench_add(&python, number);
        }
    }
    bench_print(&trip, NULL, "us");
    bench_print(&relay, &trip, "us");
    print_peers(peers, peer_count, TRIP, &trip, "us");
    bench_print(&one, NULL, "M/s");
    bench_print(&python, &one, "M/s");
    print_peers(peers, peer_count, ONE, &one, "M/s");
    bench_print(&four, NULL, "M/s");
    print_peers(peers, peer_count, FOUR, &four, "M/s");
    bench_print(&in_place, NULL, "GB/s");
    bench_print(&copied, &in_place, "GB/s");
    print_peers(peers, peer_count, BULK, &in_place, "GB/s");
    bare_child_end(&bare);
    for (int i = 0; i < PRODUCERS; i++) {
        check(mproc_queue_close(producers[i].orders));
    }
    check(mproc_queue_close(consumer.orders));
    return 0;
}
