/* SPDX-License-Identifier: MIT */
#include "queue/backlog.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define BLOCK_SIZE ((size_t)1 << 15)
#define INLINE_MAX (BLOCK_SIZE / 8)
#define ALIGNMENT ((size_t)16)

struct backlog_block {
    struct backlog_block *next;
    size_t begin, end; /* of what is in use */
    uint8_t bytes[BLOCK_SIZE];
};

/* In front of each item in a block: the bytes follow, or a struct payload. */
struct record {
    uint64_t size;
    uint32_t mark;
    uint32_t is_payload;
};

static size_t record_size(const struct record *record) {
    size_t size = record->is_payload ? sizeof(struct payload) : (size_t)record->size;
    return (sizeof *record + size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* A block with room for so much at its end, the last one; NULL for want of memory. */
static struct backlog_block *block_with_room(struct backlog *backlog, size_t size) {
    struct backlog_block *last = backlog->last;
    if (last != NULL && size <= BLOCK_SIZE - last->end) {
        return last;
    }
    struct backlog_block *added = memory_resize(NULL, sizeof *added);
    if (added != NULL) {
        added->next = NULL;
        added->begin = added->end = 0;
        *(last != NULL ? &last->next : &backlog->first) = added;
        backlog->last = added;
    }
    return added;
}

/* data: the bytes, or the struct payload. */
static int append(struct backlog *backlog, const struct record *record, const void *data, size_t size) {
    struct backlog_block *block = block_with_room(backlog, record_size(record));
    if (block == NULL) {
        return MPROC_ENOMEM;
    }
    uint8_t *place = block->bytes + block->end;
    memcpy(place, record, sizeof *record);
    if (size > 0) {
        memcpy(place + sizeof *record, data, size);
    }
    block->end += record_size(record);
    backlog->count++;
    return 0;
}

int backlog_append(struct backlog *backlog, unsigned mark, const void *data, size_t size) {
    struct record record = {size, mark, false};
    if (size <= INLINE_MAX) {
        return append(backlog, &record, data, size);
    }
    struct payload payload;
    memset(&payload, 0, sizeof payload);
    int status = payload_copy(&payload, mark, data, size);
    if (status == 0) {
        status = backlog_append_payload(backlog, &payload);
    }
    payload_clear(&payload);
    return status;
}

int backlog_append_payload(struct backlog *backlog, struct payload *payload) {
    struct record record = {payload_size(payload), payload_mark(payload), true};
    if (payload_size(payload) <= INLINE_MAX && payload->message.handle_count == 0) {
        int status = backlog_append(backlog, record.mark, payload_data(payload), payload_size(payload));
        if (status == 0) {
            payload_clear(payload);
        }
        return status;
    }
    int status = append(backlog, &record, payload, sizeof *payload);
    if (status == 0) {
        memset(payload, 0, sizeof *payload);
    }
    return status;
}

void backlog_prepend(struct backlog *backlog, struct backlog *items) {
    if (items->count > 0) {
        items->last->next = backlog->first;
        backlog->first = items->first;
        backlog->last = backlog->last != NULL ? backlog->last : items->last;
        backlog->count += items->count;
        memset(items, 0, sizeof *items);
    }
}

/* Blocks are freed as soon as they are empty, but for the last one, which is used again. */
static uint8_t *first_record(const struct backlog *backlog, struct record *record) {
    struct backlog_block *first = backlog->first;
    memcpy(record, first->bytes + first->begin, sizeof *record);
    return first->bytes + first->begin + sizeof *record;
}

bool backlog_peek(const struct backlog *backlog, struct backlog_item *item) {
    struct record record;
    if (backlog->count == 0) {
        return false;
    }
    uint8_t *data = first_record(backlog, &record);
    item->mark = record.mark;
    item->size = (size_t)record.size;
    item->payload = record.is_payload ? (struct payload *)(void *)data : NULL;
    item->data = record.is_payload ? payload_data(item->payload) : data;
    return true;
}

int backlog_take(struct backlog *backlog, struct payload *payload) {
    struct backlog_item item = {0, NULL, 0, NULL};
    int status = 0;
    (void)backlog_peek(backlog, &item);
    if (item.payload != NULL) {
        *payload = *item.payload;
        memset(item.payload, 0, sizeof *item.payload);
    } else {
        status = payload_copy(payload, item.mark, item.data, item.size);
    }
    if (status == 0) {
        backlog_remove(backlog);
    }
    return status;
}

void backlog_remove(struct backlog *backlog) {
    struct backlog_block *first = backlog->first;
    struct record record;
    uint8_t *data = first_record(backlog, &record);
    if (record.is_payload) {
        payload_clear((struct payload *)(void *)data);
    }
    first->begin += record_size(&record);
    backlog->count--;
    if (first->begin == first->end && first->next != NULL) {
        backlog->first = first->next;
        memory_free(first);
    } else if (first->begin == first->end) {
        first->begin = first->end = 0;
    }
}

void backlog_clear(struct backlog *backlog) {
    while (backlog->count > 0) {
        backlog_remove(backlog);
    }
    memory_free(backlog->first); /* the last one */
    memset(backlog, 0, sizeof *backlog);
}
