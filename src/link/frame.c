/* SPDX-License-Identifier: MIT */
#include "link/frame.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/pipe.h"

/* The upper half of a header's first word, so that what is no frame is noticed: "mp". */
#define MAGIC 0x6D700000u
#define MAGIC_MASK 0xFFFF0000u

/* More handles than any message has. */
#define HANDLES_MAX 65536u

struct header {
    uint32_t kind;
    uint32_t handle_count;
    uint64_t size;
};

_Static_assert(sizeof(struct header) == FRAME_HEADER_SIZE, "a header has no gaps");

void frame_write_header(uint8_t *header, enum frame_kind kind, size_t handle_count, size_t size) {
    struct header written = {MAGIC | (uint32_t)kind, (uint32_t)handle_count, size};
    memcpy(header, &written, sizeof written);
}

static int check_header(const struct header *header) {
    uint32_t kind = header->kind & ~MAGIC_MASK;
    if ((header->kind & MAGIC_MASK) != MAGIC || kind < FRAME_PREPARATION || kind > FRAME_FAILED ||
        header->handle_count > HANDLES_MAX ||
        header->size > MPROC_MESSAGE_MAX + (uint64_t)FRAME_TICKET_SIZE * HANDLES_MAX ||
        header->size < (uint64_t)header->handle_count * FRAME_TICKET_SIZE) {
        return error_set(MPROC_EINVAL, 0, "what arrived is not a message of mproc: something else writes to this pipe");
    }
    return 0;
}

/* Moves up to `size` bytes that are there already into `data`. */
static size_t take_ahead(struct frame_reader *reader, uint8_t *data, size_t size) {
    size_t there = reader->end - reader->start;
    size_t taken = size < there ? size : there;
    if (taken > 0) {
        memcpy(data, reader->ahead + reader->start, taken);
        reader->start += taken;
    }
    return taken;
}

static int read_pipe(handle pipe, uint8_t *place, size_t size, deadline until, size_t *count) {
    return pipe != HANDLE_INVALID ? pipe_read(pipe, place, size, until, count) : MPROC_ETIMEDOUT;
}

/* Reads more ahead; what is left of the last time moves to the front. */
static int read_ahead(struct frame_reader *reader, handle pipe, deadline until) {
    size_t left = reader->end - reader->start;
    memmove(reader->ahead, reader->ahead + reader->start, left);
    reader->start = 0;
    reader->end = left;
    if (reader->saved.size > 0) {
        size_t room = sizeof reader->ahead - left;
        size_t moved = reader->saved.size < room ? reader->saved.size : room;
        memcpy(reader->ahead + left, reader->saved.data, moved);
        buffer_consume(&reader->saved, moved);
        reader->end += moved;
        return 0;
    }
    size_t size;
    int status = read_pipe(pipe, reader->ahead + left, sizeof reader->ahead - left, until, &size);
    if (status == 0) {
        reader->end += size;
    }
    return status;
}

static int begin_frame(struct frame_reader *reader) {
    struct header header;
    memcpy(&header, reader->ahead + reader->start, sizeof header);
    int status = check_header(&header);
    if (status != 0) {
        return status;
    }
    size_t size = (size_t)header.size;
    uint8_t *body = size > 0 ? memory_resize(NULL, size) : NULL;
    if (body == NULL && size > 0) {
        return MPROC_ENOMEM;
    }
    reader->start += sizeof header;
    reader->has_header = true;
    reader->frame.kind = (enum frame_kind)(header.kind & ~MAGIC_MASK);
    reader->frame.handle_count = header.handle_count;
    reader->frame.body = body;
    reader->frame.size = size;
    reader->filled = take_ahead(reader, body, size);
    return 0;
}

/* A long rest is read straight into its place; a short one together with what comes after it. */
static int fill_body(struct frame_reader *reader, handle pipe, deadline until) {
    uint8_t *place = reader->frame.body + reader->filled;
    size_t rest = reader->frame.size - reader->filled;
    size_t count = 0;
    int status;
    if (reader->start == reader->end && reader->saved.size == 0 && rest >= sizeof reader->ahead) {
        status = read_pipe(pipe, place, rest, until, &count);
    } else {
        status = reader->start == reader->end ? read_ahead(reader, pipe, until) : 0;
        count = status == 0 ? take_ahead(reader, place, rest) : 0;
    }
    reader->filled += count;
    return status;
}

int frame_reader_fill(struct frame_reader *reader, handle pipe, deadline until) {
    int status = 0;
    while (status == 0 && !reader->has_header) {
        if (reader->end - reader->start >= FRAME_HEADER_SIZE) {
            status = begin_frame(reader);
        } else {
            status = read_ahead(reader, pipe, until);
        }
    }
    while (status == 0 && reader->filled < reader->frame.size) {
        status = fill_body(reader, pipe, until);
    }
    return status;
}

/* Copies up to `wanted` bytes and counts them as used. */
static size_t use(void *place, size_t wanted, const uint8_t *data, size_t size, size_t *used) {
    size_t count = wanted < size - *used ? wanted : size - *used;
    memcpy(place, data + *used, count);
    *used += count;
    return count;
}

int frame_reader_feed(struct frame_reader *reader, const uint8_t *data, size_t size, size_t *used) {
    *used = 0;
    if (!reader->has_header) {
        reader->end += use(reader->ahead + reader->end, FRAME_HEADER_SIZE - reader->end, data, size, used);
        if (reader->end < FRAME_HEADER_SIZE) {
            return MPROC_ETIMEDOUT;
        }
        int status = begin_frame(reader);
        if (status != 0) {
            return status;
        }
        reader->start = reader->end = 0;
    }
    if (reader->filled < reader->frame.size) {
        reader->filled +=
            use(reader->frame.body + reader->filled, reader->frame.size - reader->filled, data, size, used);
    }
    return reader->filled == reader->frame.size ? 0 : MPROC_ETIMEDOUT;
}

struct frame frame_reader_take(struct frame_reader *reader) {
    struct frame taken = reader->frame;
    reader->has_header = false;
    reader->filled = 0;
    memset(&reader->frame, 0, sizeof reader->frame);
    return taken;
}

int frame_reader_save(struct frame_reader *reader, struct buffer *bytes) {
    uint8_t header[FRAME_HEADER_SIZE];
    size_t before = bytes->size;
    int status = 0;
    if (reader->has_header) {
        frame_write_header(header, reader->frame.kind, reader->frame.handle_count, reader->frame.size);
        status = buffer_append(bytes, header, sizeof header);
        if (status == 0) {
            status = buffer_append(bytes, reader->frame.body, reader->filled);
        }
    }
    if (status == 0) {
        status = buffer_append(bytes, reader->ahead + reader->start, reader->end - reader->start);
    }
    if (status == 0) {
        status = buffer_append(bytes, reader->saved.data, reader->saved.size);
    }
    if (status != 0) {
        bytes->size = before;
        return status;
    }
    frame_reader_clear(reader);
    return 0;
}

void frame_reader_load(struct frame_reader *reader, struct buffer *bytes) {
    reader->saved = *bytes;
    memset(bytes, 0, sizeof *bytes);
}

void frame_reader_clear(struct frame_reader *reader) {
    memory_free(reader->frame.body);
    buffer_clear(&reader->saved);
    memset(&reader->frame, 0, sizeof reader->frame);
    reader->has_header = false;
    reader->start = reader->end = reader->filled = 0;
}
