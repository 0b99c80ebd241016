/* SPDX-License-Identifier: MIT */
/* The processes that send a peer's messages to each other: this program, started again with an order in its argument. */
#ifndef MPROC_BENCH_PEER_CHILD_H
#define MPROC_BENCH_PEER_CHILD_H

#include "peer.h"

/* The peers that this program was built with, up to NULL. */
extern const struct queue_peer *const queue_peers[];

/* Where the program was started to be such a process: is it, and returns its exit code; else -1. */
int peer_child_run(int argc, char **argv);

/* All in units of one message; -1: it did not work. `self` is this program's path. */
double peer_round_trip_seconds(const struct queue_peer *peer, const char *self, size_t size, int count);
double peer_messages_a_second(const struct queue_peer *peer, const char *self, int producers, size_t size, int count);

#endif
