/* SPDX-License-Identifier: MIT */
#include "hub/shared_block.h"

#include "base/memory.h"
#include "platform/shared_memory.h"

int shared_block_create(struct shared_block *block, size_t size) {
    handle memory = HANDLE_INVALID;
    if (block->view != NULL) {
        return 0;
    }
    int status = shared_memory_create(size, &memory);
    if (status == 0) {
        status = shared_memory_map(memory, size, &block->view);
    }
    if (status != 0) {
        handle_close(memory);
        return status;
    }
    block->memory = memory;
    block->size = size;
    return 0;
}

int shared_block_share(const struct shared_block *block, struct call *call) {
    handle copy = HANDLE_INVALID;
    int status = handle_duplicate(block->memory, &copy);
    return status == 0 ? message_add_handle(&call->answer.payload.message, copy) : status;
}

void shared_block_clear(struct shared_block *block) {
    shared_memory_unmap(block->view, block->size);
    handle_close(block->memory);
    block->view = NULL;
    block->memory = HANDLE_INVALID;
}

void *shared_block_map(const struct answer *answer, size_t size) {
    const struct message *message = &answer->payload.message;
    void *view = NULL;
    if (answer->status != 0 || message->handle_count != 1 || shared_memory_map(message->handles[0], size, &view) != 0) {
        return NULL;
    }
    return view;
}

struct shared_view *shared_view_open(const struct answer *answer, size_t size) {
    struct shared_view *view = memory_allocate(sizeof *view);
    if (view == NULL) {
        return NULL;
    }
    view->memory = shared_block_map(answer, size);
    view->size = size;
    view->process = (uint32_t)answer->value;
    (void)atomic_increase(&view->users, 1);
    if (view->memory == NULL) {
        memory_free(view);
        return NULL;
    }
    return view;
}

void shared_view_use(struct shared_view *view) {
    (void)atomic_increase(&view->users, 1);
}

void shared_view_unuse(struct shared_view *view) {
    if (view != NULL && atomic_increase(&view->users, UINT64_MAX) == 1) {
        shared_memory_unmap(view->memory, view->size);
        memory_free(view);
    }
}
