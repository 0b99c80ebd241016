/* SPDX-License-Identifier: MIT */
#include "sync/arena.h"

#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/shared_block.h"
#include "platform/shared_memory.h"

#define ARENA_CELLS 64
#define ARENA_SIZE ((size_t)ARENA_CELLS * CELL_SIZE)
#define ALL_USED UINT64_MAX

struct arena {
    struct shared_block block; /* the handle in the first process only */
    uint64_t used;             /* a bit for each cell that was given out, in the first process */
};

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static struct arena *arenas;
static size_t arena_count;

static void create_mutex(void) {
    (void)uv_mutex_init(&mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

static void lock(void) {
    uv_once(&once, create_mutex);
    uv_mutex_lock(&mutex);
}

static void unlock(void) {
    uv_mutex_unlock(&mutex);
}

static struct cell *cell_at(const struct arena_place *place) {
    return (struct cell *)(void *)((char *)arenas[place->arena].block.view + (size_t)place->index * CELL_SIZE);
}

/* Makes the list this long. */
static int grow(size_t count) {
    if (count <= arena_count) {
        return 0;
    }
    struct arena *grown = memory_resize(arenas, count * sizeof *arenas);
    if (grown == NULL) {
        return MPROC_ENOMEM;
    }
    arenas = grown;
    for (; arena_count < count; arena_count++) {
        arenas[arena_count].block = (struct shared_block)SHARED_BLOCK_NONE;
        arenas[arena_count].used = 0;
    }
    return 0;
}

static int find_arena_with_room(size_t *found) {
    size_t index = 0;
    while (index < arena_count && (arenas[index].used == ALL_USED || arenas[index].block.view == NULL)) {
        index++;
    }
    *found = index;
    if (index < arena_count) {
        return 0;
    }
    struct shared_block block = SHARED_BLOCK_NONE;
    int status = shared_block_create(&block, ARENA_SIZE);
    if (status == 0) {
        status = grow(index + 1);
    }
    if (status == 0) {
        arenas[index].block = block;
    } else {
        shared_block_clear(&block);
    }
    return status;
}

int arena_take(struct arena_place *place, struct cell **cell) {
    size_t index = 0;
    lock();
    int status = find_arena_with_room(&index);
    if (status == 0) {
        struct arena *arena = &arenas[index];
        place->arena = (uint32_t)index;
        place->index = 0;
        while ((arena->used >> place->index & 1) != 0) {
            place->index++;
        }
        arena->used |= (uint64_t)1 << place->index;
        *cell = cell_at(place);
        memset(*cell, 0, sizeof **cell);
    }
    unlock();
    return status;
}

void arena_give(const struct arena_place *place) {
    lock();
    arenas[place->arena].used &= ~((uint64_t)1 << place->index);
    unlock();
}

int arena_share(const struct arena_place *place, struct call *call) {
    lock();
    int status = shared_block_share(&arenas[place->arena].block, call);
    unlock();
    return status;
}

struct cell *arena_find(const struct arena_place *place) {
    struct cell *found = NULL;
    lock();
    if (place->arena < arena_count && arenas[place->arena].block.view != NULL) {
        found = cell_at(place);
    }
    unlock();
    return found;
}

int arena_add(const struct arena_place *place, const struct answer *answer) {
    const struct message *message = &answer->payload.message;
    if (message->handle_count != 1 || place->index >= ARENA_CELLS) {
        return error_set(MPROC_ESYSTEM, 0, "the shared memory of locks did not arrive");
    }
    lock();
    int status = grow((size_t)place->arena + 1);
    struct shared_block *block = status == 0 ? &arenas[place->arena].block : NULL;
    if (block != NULL && block->view == NULL) { /* or another thread was quicker */
        status = shared_memory_map(message->handles[0], ARENA_SIZE, &block->view);
        block->size = ARENA_SIZE;
    }
    unlock();
    return status;
}

void arenas_clear(void) {
    lock();
    for (size_t i = 0; i < arena_count; i++) {
        shared_block_clear(&arenas[i].block);
    }
    memory_free(arenas);
    arenas = NULL;
    arena_count = 0;
    unlock();
}
