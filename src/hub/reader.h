/* SPDX-License-Identifier: MIT */
/* Reading a pipe on the hub's thread, whenever something arrives. */
#ifndef MPROC_HUB_READER_H
#define MPROC_HUB_READER_H

#include <stddef.h>
#include <stdint.h>

#include "platform/handle.h"

struct hub_reader;

/* Called on the hub's thread. */
struct hub_reader_events {
    void (*on_data)(void *context, const uint8_t *data, size_t size);
    void (*on_end)(void *context); /* nothing more comes: the last event */
};

/* Gives the hub the read end of a pipe, which is taken, also on failure. The hub runs. MPROC_ENOMEM. */
int hub_reader_open(struct hub_reader **reader, handle pipe, const struct hub_reader_events *events, void *context);

/* Closes the pipe and frees the reader; no event comes after that. On the hub's thread. NULL is fine. */
void hub_reader_close(struct hub_reader *reader);

#endif
