/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void close_nng(void *end) {
    (void)nng_close(*(nng_socket *)end);
    free(end);
}

static void *open_nng(const char *queue, bool is_reader, size_t message_size) {
    char address[256];
    nng_socket *socket = calloc(1, sizeof *socket);
    (void)snprintf(address, sizeof address, "ipc:///tmp/%s", queue);
    if (socket == NULL || (is_reader ? nng_pull0_open(socket) : nng_push0_open(socket)) != 0) {
        free(socket);
        return NULL;
    }
    (void)nng_socket_set_size(*socket, NNG_OPT_RECVMAXSZ, 2 * message_size);
    if ((is_reader ? nng_listen(*socket, address, NULL, 0) : nng_dial(*socket, address, NULL, NNG_FLAG_NONBLOCK)) !=
        0) {
        close_nng(socket);
        return NULL;
    }
    return socket;
}

static bool put(void *end, const void *data, size_t size) {
    return nng_send(*(nng_socket *)end, (void *)(size_t)data, size, 0) == 0;
}

static bool get(void *end, void *data, size_t size) {
    return nng_recv(*(nng_socket *)end, data, &size, 0) == 0;
}

const struct queue_peer peer_nng = {"nng", 20, open_nng, put, get, close_nng};
