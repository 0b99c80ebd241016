/* SPDX-License-Identifier: MIT */
/* Other ways to send messages from one process to another, each behind the same four functions. A peer is there where its
 * library was found when the benchmarks were built. */
#ifndef MPROC_BENCH_PEER_H
#define MPROC_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct queue_peer {
    const char *name;
    int fewer; /* so many times fewer small messages are enough to measure it */
    /* Opens one end of the queue of this name; the reader makes it. NULL: it cannot be had. */
    void *(*open)(const char *queue, bool is_reader, size_t message_size);
    bool (*put)(void *end, const void *data, size_t size);
    bool (*get)(void *end, void *data, size_t size);
    void (*close)(void *end);
};

extern const struct queue_peer peer_fifo, peer_zeromq, peer_nng, peer_boost;

#ifdef __cplusplus
}
#endif

#endif
