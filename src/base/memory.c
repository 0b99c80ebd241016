/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/atomic.h"
#include "base/error.h"

static atomic_number blocks;
static atomic_number fail_at; /* 0: never; else counted down to the allocation that fails */

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex; /* of the foreign blocks */

static void create_mutex(void) {
    (void)uv_mutex_init(&mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

/* Whether this is the allocation that a test wants to fail. */
static bool is_to_fail(void) {
    uint64_t left = atomic_load_any(&fail_at);
    while (left > 0 && !atomic_compare_replace(&fail_at, left, left - 1)) {
        left = atomic_load_any(&fail_at);
    }
    return left == 1;
}

static bool count_new(void) {
    bool fails = is_to_fail();
    if (!fails) {
        (void)atomic_increase(&blocks, 1);
    }
    return !fails;
}

static void count_gone(void) {
    (void)atomic_increase(&blocks, UINT64_MAX); /* minus one */
}

void *memory_allocate(size_t size) {
    void *block = count_new() ? calloc(1, size > 0 ? size : 1) : NULL;
    if (block == NULL) {
        (void)error_no_memory(size);
    }
    return block;
}

void *memory_resize(void *block, size_t size) {
    void *resized = NULL;
    if (count_new()) {
        resized = realloc(block, size > 0 ? size : 1);
        if (resized == NULL || block != NULL) {
            count_gone(); /* none, or the old one under another address */
        }
    }
    if (resized == NULL) {
        (void)error_no_memory(size);
    }
    return resized;
}

char *memory_copy_text(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = memory_resize(NULL, size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void memory_free(void *block) {
    if (block != NULL) {
        count_gone();
        free(block);
    }
}

void memory_fail_at(long nth) {
    (void)atomic_replace(&fail_at, (uint64_t)nth);
}

long memory_blocks(void) {
    return (long)atomic_load(&blocks);
}

/* Blocks that are released in another way ----------------------------------------------------------------------- */

#define PAGE_MIN 4096

struct foreign {
    void *block;
    size_t size;
    memory_release *release;
    void *context;
    struct foreign *next;
};

static struct foreign *first_foreign; /* under the mutex */

int memory_keep_foreign(void *block, size_t size, memory_release *release, void *context) {
    struct foreign *kept = memory_allocate(sizeof *kept);
    if (kept == NULL) {
        return MPROC_ENOMEM;
    }
    kept->block = block;
    kept->size = size;
    kept->release = release;
    kept->context = context;
    uv_once(&once, create_mutex);
    uv_mutex_lock(&mutex);
    kept->next = first_foreign;
    first_foreign = kept;
    uv_mutex_unlock(&mutex);
    return 0;
}

static struct foreign *remove_foreign(const void *block) {
    struct foreign *found = NULL;
    uv_once(&once, create_mutex);
    uv_mutex_lock(&mutex);
    for (struct foreign **place = &first_foreign; *place != NULL && found == NULL; place = &(*place)->next) {
        if ((*place)->block == block) {
            found = *place;
            *place = found->next;
            break;
        }
    }
    uv_mutex_unlock(&mutex);
    return found;
}

void mproc_free(void *data) {
    struct foreign *foreign = (uintptr_t)data % PAGE_MIN == 0 && data != NULL ? remove_foreign(data) : NULL;
    if (foreign != NULL) {
        foreign->release(foreign->context, foreign->block, foreign->size);
        memory_free(foreign);
    } else {
        memory_free(data);
    }
}
