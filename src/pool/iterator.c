/* SPDX-License-Identifier: MIT */
/* imap: input is taken as results are. So many chunks are on their way at a time that no worker waits for one; each is a job
 * of its own, whose results are handed out item by item, as soon as they are there. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "pool/pool.h"
#include "pool/submit.h"
#include "value/value.h"

/* Chunks on their way for each worker: one that it carries out, and others that it finds when it is done. */
#define CHUNKS_PER_WORKER 4

struct chunk {
    struct mproc_async_result *job;
    uint32_t taken; /* items that were handed out */
    size_t place;   /* of the next one among the results */
    struct chunk *next;
};

struct mproc_iterator {
    struct mproc_pool *pool;
    const mproc_target *target;
    mproc_next_fn next;
    void *user;
    size_t chunk_size;
    bool is_ordered;
    bool is_exhausted; /* the input has ended */
    struct chunk *first, *last;
    size_t chunk_count;
    struct job_failure *failure; /* why no more input could be submitted; told behind what was */
    struct waiter *waiters;
};

/* Input -------------------------------------------------------------------------------------------------------- */

static void note_failure(mproc_iterator *iterator) {
    iterator->is_exhausted = true;
    iterator->failure = failure_create(0, mproc_last_error());
}

/* Takes the items of one chunk from the caller. Returns how many there are. */
static uint32_t take_items(mproc_iterator *iterator, struct message *body) {
    uint32_t count = 0;
    cJSON *item = NULL;
    while (count < iterator->chunk_size && !iterator->is_exhausted) {
        item = iterator->next(iterator->user);
        if (item == NULL) {
            iterator->is_exhausted = true;
        } else if (submit_append_item(body, item) == 0) {
            count++;
        } else {
            (void)error_prefix("mproc_iterator_next: an item: ");
            note_failure(iterator);
        }
        value_delete(item);
    }
    return count;
}

static void set_count(struct message *body, uint32_t count) {
    struct task_head head;
    memcpy(&head, body->bytes.data, sizeof head);
    head.count = count;
    memcpy(body->bytes.data, &head, sizeof head);
}

/* With the lock. The chunk's job is the iterator's. */
static int submit_chunk(mproc_iterator *iterator, struct chunk *chunk, struct message *body, uint32_t count) {
    struct mproc_pool *pool = iterator->pool;
    struct mproc_async_result *job = job_create(pool, iterator->target, TASK_MAP, true);
    if (job == NULL) {
        return MPROC_ENOMEM;
    }
    job->timeout_ms = pool->options.task_timeout_ms;
    job->extras->iterator = iterator;
    job->task_count = 1;
    job->item_count = job->single.count = count;
    job->single.job = job;
    job->is_wanted = true;
    int status = submit_set_body(&job->single, body);
    if (status == 0) {
        job_use(job); /* the pool's */
        status = submit_task(pool, "mproc_iterator_next", &job->single);
        if (status != 0) {
            job_unuse(job);
        }
    }
    if (status != 0) {
        job_unuse(job);
        return status;
    }
    chunk->job = job;
    *(iterator->last != NULL ? &iterator->last->next : &iterator->first) = chunk;
    iterator->last = chunk;
    iterator->chunk_count++;
    return 0;
}

/* Sends one more chunk on its way, where there is input for it. With the lock, which is not held meanwhile. */
static void add_chunk(mproc_iterator *iterator) {
    struct mproc_pool *pool = iterator->pool;
    struct message body;
    uint32_t count = 0;
    memset(&body, 0, sizeof body);
    uv_mutex_unlock(&pool->mutex);
    struct chunk *chunk = memory_allocate(sizeof *chunk);
    int status = chunk != NULL ? submit_begin_body(&body, iterator->target, TASK_MAP, 0) : MPROC_ENOMEM;
    if (status == 0) {
        count = take_items(iterator, &body);
        set_count(&body, count);
    }
    uv_mutex_lock(&pool->mutex);
    if (status == 0 && count > 0) {
        status = submit_chunk(iterator, chunk, &body, count);
    }
    if (status != 0) {
        note_failure(iterator);
    }
    if (status != 0 || count == 0) {
        memory_free(chunk);
    }
    message_clear(&body);
}

void iterator_wake(struct mproc_iterator *iterator) {
    pool_wake(iterator->waiters);
}

/* Output ------------------------------------------------------------------------------------------------------- */

/* Whether an item of this chunk can be handed out. */
static bool has_item(const struct chunk *chunk) {
    return chunk->taken < chunk->job->items_done && chunk->place < chunk->job->single.results_size;
}

/* Whether nothing more comes from it: all was handed out, or there was no memory for the rest. */
static bool is_used_up(const struct chunk *chunk) {
    return chunk->job->is_ready && !has_item(chunk);
}

/* The chunk from which the next item comes; NULL: none so far. */
static struct chunk *ready_chunk(const mproc_iterator *iterator) {
    struct chunk *chunk = iterator->first;
    while (chunk != NULL && !has_item(chunk) && (!iterator->is_ordered || is_used_up(chunk))) {
        chunk = chunk->next;
    }
    return chunk != NULL && has_item(chunk) ? chunk : NULL;
}

static bool can_go_on(const void *context) {
    const mproc_iterator *iterator = context;
    const struct chunk *chunk = iterator->first;
    while (chunk != NULL && is_used_up(chunk)) {
        chunk = chunk->next;
    }
    return chunk == NULL || ready_chunk(iterator) != NULL;
}

static void remove_chunk(mproc_iterator *iterator, struct chunk *removed) {
    struct chunk *before = NULL;
    for (struct chunk *chunk = iterator->first; chunk != removed; chunk = chunk->next) {
        before = chunk;
    }
    *(before != NULL ? &before->next : &iterator->first) = removed->next;
    iterator->last = iterator->last == removed ? before : iterator->last;
    iterator->chunk_count--;
    removed->job->extras->iterator = NULL;
    job_unuse(removed->job);
    memory_free(removed);
}

static void remove_used_up(mproc_iterator *iterator) {
    struct chunk *chunk = iterator->first;
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        if (is_used_up(chunk)) {
            remove_chunk(iterator, chunk);
        }
        chunk = next;
    }
}

/* Hands out the chunk's next item. With the lock. */
static int take_item(mproc_iterator *iterator, struct chunk *chunk, cJSON **value) {
    const struct pool_task *task = &chunk->job->single;
    struct result_record record;
    memcpy(&record, task->results + chunk->place, sizeof record);
    int status = result_decode(&record, task->results + chunk->place + sizeof record,
                               result_handles_of(task, chunk->taken), iterator->target, value);
    chunk->place += RESULT_SIZE(record.size);
    chunk->taken++;
    if (is_used_up(chunk)) {
        remove_chunk(iterator, chunk);
    }
    return status;
}

/* Nothing is on its way any more. */
static int end_of(mproc_iterator *iterator, const char *function) {
    if (iterator->failure != NULL) {
        int status = failure_raise(iterator->failure);
        memory_free(iterator->failure);
        iterator->failure = NULL;
        return status;
    }
    return error_set(MPROC_ECLOSED, 0, "%s: there are no more items", function);
}

int mproc_iterator_next(mproc_iterator *iterator, cJSON **value, int64_t timeout_ms) {
    static const char function[] = "mproc_iterator_next";
    cJSON *unwanted = NULL;
    if (iterator == NULL) {
        return error_null(function, "iterator");
    }
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    struct mproc_pool *pool = iterator->pool;
    deadline until = deadline_after(timeout_ms);
    uv_mutex_lock(&pool->mutex);
    remove_used_up(iterator);
    while (!iterator->is_exhausted && iterator->chunk_count < (size_t)pool->limit * CHUNKS_PER_WORKER) {
        add_chunk(iterator);
    }
    bool goes_on = pool_wait(pool, &iterator->waiters, can_go_on, iterator, until);
    struct chunk *chunk = ready_chunk(iterator);
    if (chunk != NULL) {
        status = take_item(iterator, chunk, value != NULL ? value : &unwanted);
    } else if (goes_on) {
        status = end_of(iterator, function);
    } else {
        status = error_set(MPROC_ETIMEDOUT, 0, "%s: no result came within %lld ms", function, (long long)timeout_ms);
    }
    uv_mutex_unlock(&pool->mutex);
    value_delete(unwanted);
    return status;
}

/* Making, ending ----------------------------------------------------------------------------------------------- */

static int create(mproc_pool *pool, const char *function, mproc_fn fn, mproc_next_fn next, void *user,
                  size_t chunk_size, bool is_ordered, mproc_iterator **iterator) {
    const mproc_target *target = submit_target(pool, function, fn);
    if (target == NULL) {
        return mproc_last_error()->code;
    }
    if (next == NULL || iterator == NULL) {
        return error_null(function, next == NULL ? "next" : "iterator");
    }
    mproc_iterator *created = memory_allocate(sizeof *created);
    if (created == NULL) {
        return MPROC_ENOMEM;
    }
    uv_mutex_lock(&pool->mutex);
    int status = pool_check_running(pool, function);
    pool->references += status == 0;
    uv_mutex_unlock(&pool->mutex);
    if (status != 0) {
        memory_free(created);
        return status;
    }
    created->pool = pool;
    created->target = target;
    created->next = next;
    created->user = user;
    created->chunk_size = chunk_size > 0 ? chunk_size : 1;
    created->is_ordered = is_ordered;
    *iterator = created;
    return 0;
}

int mproc_pool_imap(mproc_pool *pool, mproc_fn fn, mproc_next_fn next, void *user, size_t chunksize,
                    mproc_iterator **iterator) {
    return create(pool, "mproc_pool_imap", fn, next, user, chunksize, true, iterator);
}

int mproc_pool_imap_unordered(mproc_pool *pool, mproc_fn fn, mproc_next_fn next, void *user, size_t chunksize,
                              mproc_iterator **iterator) {
    return create(pool, "mproc_pool_imap_unordered", fn, next, user, chunksize, false, iterator);
}

void mproc_iterator_destroy(mproc_iterator *iterator) {
    if (iterator == NULL) {
        return;
    }
    struct mproc_pool *pool = iterator->pool;
    uv_mutex_lock(&pool->mutex);
    while (iterator->first != NULL) {
        iterator->first->job->is_wanted = false; /* what is on its way goes on */
        remove_chunk(iterator, iterator->first);
    }
    memory_free(iterator->failure);
    memory_free(iterator);
    pool_unuse(pool);
}
