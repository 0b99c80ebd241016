/* SPDX-License-Identifier: MIT */
#include "peer_child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "../bare.h"

#define OPTION "--peer"
#define PRODUCERS_MAX 8

const struct queue_peer *const queue_peers[] = {
#ifdef MPROC_BENCH_FIFO
    &peer_fifo,
#endif
#ifdef MPROC_BENCH_BOOST
    &peer_boost,
#endif
#ifdef MPROC_BENCH_ZEROMQ
    &peer_zeromq,
#endif
#ifdef MPROC_BENCH_NNG
    &peer_nng,
#endif
    NULL};

/* What a child does; its one result goes to its standard output. */
struct order {
    char role[16], queue[64];
    unsigned peer, count;
    unsigned long size;
};

static double now(void) {
    return (double)uv_hrtime() / 1e9;
}

/* The child ---------------------------------------------------------------------------------------------------- */

static void *open_end(const struct order *order, const char *suffix, bool is_reader) {
    char name[96];
    (void)snprintf(name, sizeof name, "%s%s", order->queue, suffix);
    return queue_peers[order->peer]->open(name, is_reader, order->size);
}

static void finish(double result) {
    char end;
    (void)bare_write(bare_output(), &result, sizeof result);
    (void)bare_read(bare_input(), &end, sizeof end); /* until the parent closes it: nothing may be lost by our end */
}

static void stream(const struct order *order, bool is_reader, void *data) {
    const struct queue_peer *peer = queue_peers[order->peer];
    void *end = open_end(order, "-a", is_reader);
    double begin = 0;
    bool works = end != NULL;
    for (unsigned i = 0; i < order->count && works; i++) {
        works = is_reader ? peer->get(end, data, order->size) : peer->put(end, data, order->size);
        begin = i == 0 ? now() : begin; /* from the first message's arrival on */
    }
    finish(works ? (order->count - 1) / (now() - begin) : -1);
    if (end != NULL) {
        peer->close(end);
    }
}

/* Both ends open the first queue first: opening may wait for the other side. */
static void exchange(const struct order *order, bool begins, void *data) {
    const struct queue_peer *peer = queue_peers[order->peer];
    void *first = open_end(order, "-a", !begins), *second = open_end(order, "-b", begins);
    void *out = begins ? first : second, *in = begins ? second : first;
    bool works = out != NULL && in != NULL;
    double begin = 0;
    for (unsigned i = 0; i <= order->count && works; i++) { /* one more, which is not counted: connections come about */
        works = begins ? peer->put(out, data, order->size) && peer->get(in, data, order->size)
                       : peer->get(in, data, order->size) && peer->put(out, data, order->size);
        begin = i == 0 ? now() : begin;
    }
    finish(works ? (now() - begin) / order->count : -1);
    if (first != NULL) {
        peer->close(first);
    }
    if (second != NULL) {
        peer->close(second);
    }
}

int peer_child_run(int argc, char **argv) {
    struct order order;
    if (argc != 2 || sscanf(argv[1], OPTION ":%u:%15[^:]:%63[^:]:%u:%lu", &order.peer, order.role, order.queue,
                            &order.count, &order.size) != 5) {
        return -1;
    }
    void *data = malloc(order.size);
    if (data == NULL) {
        return 1;
    }
    memset(data, 'x', order.size);
    if (strcmp(order.role, "put") == 0 || strcmp(order.role, "get") == 0) {
        stream(&order, strcmp(order.role, "get") == 0, data);
    } else {
        exchange(&order, strcmp(order.role, "ping") == 0, data);
    }
    free(data);
    return 0;
}

/* The parent --------------------------------------------------------------------------------------------------- */

static unsigned index_of(const struct queue_peer *peer) {
    unsigned index = 0;
    while (queue_peers[index] != peer) {
        index++;
    }
    return index;
}

static void start(struct bare_child *child, const char *self, const struct queue_peer *peer, const char *role,
                  const char *queue, int count, size_t size) {
    char argument[256];
    (void)snprintf(argument, sizeof argument, OPTION ":%u:%s:%s:%d:%lu", index_of(peer), role, queue, count,
                   (unsigned long)size);
    if (bare_child_start(child, self, argument) != 0) {
        (void)fprintf(stderr, "cannot start %s\n", self);
        exit(1);
    }
}

static double result_of(const struct bare_child *child) {
    double result;
    return bare_read(child->from, &result, sizeof result) == 0 ? result : -1;
}

/* A new one each time, so that nothing is left in it. */
static const char *queue_name(void) {
    static char name[64];
    static int count;
    (void)snprintf(name, sizeof name, "mproc-bench-%d-%d", (int)uv_os_getpid(), count++);
    return name;
}

double peer_round_trip_seconds(const struct queue_peer *peer, const char *self, size_t size, int count) {
    struct bare_child one, other;
    const char *queue = queue_name();
    start(&other, self, peer, "echo", queue, count, size);
    start(&one, self, peer, "ping", queue, count, size);
    double result = result_of(&one);
    bare_child_end(&one);
    bare_child_end(&other);
    return result;
}

double peer_messages_a_second(const struct queue_peer *peer, const char *self, int producers, size_t size, int count) {
    struct bare_child consumer, producer[PRODUCERS_MAX];
    const char *queue = queue_name();
    start(&consumer, self, peer, "get", queue, count * producers, size);
    for (int i = 0; i < producers; i++) {
        start(&producer[i], self, peer, "put", queue, count, size);
    }
    double result = result_of(&consumer);
    for (int i = 0; i < producers; i++) {
        bare_child_end(&producer[i]);
    }
    bare_child_end(&consumer);
    return result;
}
