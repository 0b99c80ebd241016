/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define CAPACITY_MIN 64

int buffer_reserve(struct buffer *buffer, size_t extra) {
    if (extra <= buffer->capacity - buffer->size) {
        return 0;
    }
    if (extra > SIZE_MAX - buffer->size) {
        return error_no_memory(extra);
    }
    size_t needed = buffer->size + extra;
    size_t doubled = buffer->capacity <= SIZE_MAX / 2 ? buffer->capacity * 2 : SIZE_MAX;
    size_t capacity = needed > doubled ? needed : doubled;
    capacity = capacity > CAPACITY_MIN ? capacity : CAPACITY_MIN;
    uint8_t *data = memory_resize(buffer->data, capacity);
    if (data == NULL) {
        return MPROC_ENOMEM;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int buffer_append(struct buffer *buffer, const void *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    int status = buffer_reserve(buffer, size);
    if (status == 0) {
        memcpy(buffer->data + buffer->size, data, size);
        buffer->size += size;
    }
    return status;
}

void buffer_consume(struct buffer *buffer, size_t size) {
    if (size > 0) {
        buffer->size -= size;
        memmove(buffer->data, buffer->data + size, buffer->size);
    }
}

void buffer_clear(struct buffer *buffer) {
    memory_free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}
