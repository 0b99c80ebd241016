/* SPDX-License-Identifier: MIT */
#include "link/ring.h"

#include <string.h>

#include "base/step.h"

/* In front of each frame: its size. A frame never goes around the end; what is left there is skipped as one of no use. */
#define PREFIX sizeof(uint64_t)
#define SKIPPED UINT64_MAX

static size_t rounded(size_t size) {
    return (PREFIX + size + PREFIX - 1) / PREFIX * PREFIX;
}

static void put_prefix(struct ring *ring, size_t place, uint64_t value) {
    memcpy(ring->bytes + place, &value, sizeof value);
}

/* Whether what is written may end there. */
static bool has_room(struct ring *ring, uint64_t end) {
    if (end - ring->read_seen > RING_CAPACITY) {
        ring->read_seen = atomic_load_acquire(&ring->read);
    }
    return end - ring->read_seen <= RING_CAPACITY;
}

bool ring_write(struct ring *ring, const void *head, size_t head_size, const void *data, size_t data_size) {
    size_t size = head_size + data_size;
    if (size > RING_FRAME_MAX) {
        return false;
    }
    uint64_t written = atomic_load_any(&ring->written);
    size_t place = (size_t)(written % RING_CAPACITY), needed = rounded(size);
    size_t skipped = needed > RING_CAPACITY - place ? RING_CAPACITY - place : 0;
    if (!has_room(ring, written + skipped + needed)) {
        return false;
    }
    step();
    if (skipped > 0) {
        put_prefix(ring, place, SKIPPED);
        place = 0;
        step();
    }
    put_prefix(ring, place, size);
    step();
    memcpy(ring->bytes + place + PREFIX, head, head_size);
    if (data_size > 0) {
        memcpy(ring->bytes + place + PREFIX + head_size, data, data_size);
    }
    step();
    (void)atomic_replace(&ring->written, written + skipped + needed); /* seen before `sleeps` is looked at */
    step();
    return true;
}

bool ring_must_wake(struct ring *ring) {
    bool sleeps = atomic_load(&ring->sleeps) != 0;
    step();
    return sleeps && atomic_replace(&ring->sleeps, 0) != 0;
}

const uint8_t *ring_peek(struct ring *ring, size_t *size) {
    uint64_t read = atomic_load_any(&ring->read);
    if (ring->written_seen == read) {
        ring->written_seen = atomic_load_acquire(&ring->written);
    }
    uint64_t there = ring->written_seen - read;
    size_t place = (size_t)(read % RING_CAPACITY);
    uint64_t prefix = 0;
    if (there == 0 || there > RING_CAPACITY) {
        return NULL;
    }
    memcpy(&prefix, ring->bytes + place, sizeof prefix);
    if (prefix == SKIPPED) {
        place = 0;
        memcpy(&prefix, ring->bytes, sizeof prefix);
    }
    if (prefix > RING_FRAME_MAX) {
        return NULL;
    }
    *size = (size_t)prefix;
    return ring->bytes + place + PREFIX;
}

bool ring_is_empty(const struct ring *ring) {
    return ring->written_seen == atomic_load_any(&ring->read);
}

void ring_skip(struct ring *ring, size_t size) {
    uint64_t read = atomic_load_any(&ring->read);
    size_t place = (size_t)(read % RING_CAPACITY);
    uint64_t prefix;
    memcpy(&prefix, ring->bytes + place, sizeof prefix);
    uint64_t skipped = prefix == SKIPPED ? RING_CAPACITY - place : 0;
    atomic_store_release(&ring->read, read + skipped + rounded(size));
}

void ring_wake(struct ring *ring) {
    (void)atomic_replace(&ring->sleeps, 0);
}

bool ring_sleep(struct ring *ring) {
    (void)atomic_replace(&ring->sleeps, 1); /* seen before `written` is looked at */
    step();
    if (atomic_load(&ring->written) == atomic_load_any(&ring->read)) {
        return true;
    }
    step();
    return atomic_replace(&ring->sleeps, 0) == 0; /* 0: it has been rung for already, and the bell is on its way */
}
