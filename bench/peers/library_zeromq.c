/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

struct zeromq {
    void *context, *socket;
};

static void close_zeromq(void *end) {
    struct zeromq *zeromq = end;
    if (zeromq->socket != NULL) {
        (void)zmq_close(zeromq->socket);
    }
    if (zeromq->context != NULL) {
        (void)zmq_ctx_term(zeromq->context); /* waits until all has been sent */
    }
    free(zeromq);
}

static void *open_zeromq(const char *queue, bool is_reader, size_t message_size) {
    char address[256];
    struct zeromq *zeromq = calloc(1, sizeof *zeromq);
    (void)message_size;
    if (zeromq == NULL) {
        return NULL;
    }
    (void)snprintf(address, sizeof address, "ipc:///tmp/%s", queue);
    zeromq->context = zmq_ctx_new();
    zeromq->socket = zeromq->context != NULL ? zmq_socket(zeromq->context, is_reader ? ZMQ_PULL : ZMQ_PUSH) : NULL;
    if (zeromq->socket == NULL ||
        (is_reader ? zmq_bind(zeromq->socket, address) : zmq_connect(zeromq->socket, address)) != 0) {
        close_zeromq(zeromq);
        return NULL;
    }
    return zeromq;
}

static bool put(void *end, const void *data, size_t size) {
    return zmq_send(((struct zeromq *)end)->socket, data, size, 0) == (int)size;
}

static bool get(void *end, void *data, size_t size) {
    return zmq_recv(((struct zeromq *)end)->socket, data, size, 0) == (int)size;
}

const struct queue_peer peer_zeromq = {"ZeroMQ", 1, open_zeromq, put, get, close_zeromq};
