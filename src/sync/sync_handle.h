/* SPDX-License-Identifier: MIT */
/* A process's handle of a lock, semaphore, event, condition or barrier; each of their types is this one by another name.
 *
 * A handle that was destroyed keeps its memory until the library is shut down, for handles to come: so whoever uses it all the
 * same is told so, as long as it has not become another one. */
#ifndef MPROC_SYNC_SYNC_HANDLE_H
#define MPROC_SYNC_SYNC_HANDLE_H

#include "base/thread_local.h"
#include "hub/hold.h"
#include "sync/room.h"
#include "sync/turnstile.h"

struct sync_object {
    struct room room; /* its first member: see sync_system */
    struct hold hold; /* of a condition's lock, the number alone: the condition keeps it alive */
};

struct sync_handle {
    struct sync_object object, lock; /* the second: a condition's */
    unsigned permits;                /* of a lock or semaphore; see turnstile.h */
    bool is_open;
    bool is_borrowed;         /* something else keeps the object alive */
    struct sync_handle *next; /* free ones */
};

/* argument: OBJECT_CREATE's, see sync_state.h. MPROC_EGUARD; MPROC_EINVAL (handle is NULL); ... Messages begin with the
 * function. */
int sync_handle_create(struct sync_handle **sync, const char *function, enum reference_kind kind, int64_t argument);
int sync_handle_from(struct sync_handle **sync, const char *function, enum reference_kind kind, const cJSON *ref);
/* A handle of an object that something else keeps alive for as long as the handle is used, by its number. */
int sync_handle_borrow(struct sync_handle **sync, enum reference_kind kind, uint64_t object);
cJSON *sync_handle_ref(const struct sync_handle *sync, const char *function);
/* NULL is fine, and one that was destroyed. */
void sync_handle_destroy(struct sync_handle *sync);

/* 0; MPROC_EINVAL for NULL; MPROC_ESTATE for one that was destroyed. */
int sync_handle_check(const struct sync_handle *sync, const char *function);
/* The same, and the timeout. */
int sync_handle_check_wait(const struct sync_handle *sync, const char *function, int64_t timeout_ms);

/* This thread's number in its process, from 1. */
extern THREAD_LOCAL uint32_t sync_thread;
uint32_t sync_number_thread(void);

/* This thread as a holder of something in that room. */
static inline uint64_t sync_holder(const struct room *room) {
    return holder_make(room->process, sync_thread != 0 ? sync_thread : sync_number_thread());
}

static inline bool sync_is_usable(const struct sync_handle *sync) {
    return sync != NULL && sync->is_open;
}

#endif
