/* SPDX-License-Identifier: MIT */
/* A bare pipe with a name: one system call a message, no library. */
#include "peer.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../bare.h"

struct fifo {
    int descriptor;
    char path[128];
};

static void *open_fifo(const char *queue, bool is_reader, size_t message_size) {
    struct fifo *fifo = calloc(1, sizeof *fifo);
    (void)message_size;
    if (fifo == NULL || strlen(queue) + sizeof "/tmp/" > sizeof fifo->path) {
        free(fifo);
        return NULL;
    }
    (void)strcat(strcpy(fifo->path, "/tmp/"), queue);
    (void)mkfifo(fifo->path, 0600); /* whoever comes first */
    fifo->descriptor = open(fifo->path, is_reader ? O_RDONLY : O_WRONLY);
    if (fifo->descriptor < 0) {
        free(fifo);
        return NULL;
    }
    return fifo;
}

static bool put(void *end, const void *data, size_t size) {
    return bare_write(((struct fifo *)end)->descriptor, data, size) == 0;
}

static bool get(void *end, void *data, size_t size) {
    return bare_read(((struct fifo *)end)->descriptor, data, size) == 0;
}

static void close_fifo(void *end) {
    struct fifo *fifo = end;
    (void)close(fifo->descriptor);
    (void)unlink(fifo->path);
    free(fifo);
}

const struct queue_peer peer_fifo = {"a bare pipe", 1, open_fifo, put, get, close_fifo};
