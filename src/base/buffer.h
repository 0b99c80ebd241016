/* SPDX-License-Identifier: MIT */
/* A growing run of bytes. A zeroed one is empty and valid. */
#ifndef MPROC_BASE_BUFFER_H
#define MPROC_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* Room for at least `extra` more bytes. 0 or MPROC_ENOMEM, and then the buffer is as it was. */
int buffer_reserve(struct buffer *buffer, size_t extra);
int buffer_append(struct buffer *buffer, const void *data, size_t size);
/* Drops the first `size` bytes. */
void buffer_consume(struct buffer *buffer, size_t size);
/* Frees the bytes; the buffer is then empty and valid. */
void buffer_clear(struct buffer *buffer);

#endif
