/* SPDX-License-Identifier: MIT */
/* Shared objects (queues, locks, ...) live in the program's first process, which no other outlives, so that no death can
 * break them. Each process asks for what it wants with a call; one that cannot be answered at once waits in the object.
 *
 * One lock guards all objects; nobody waits for anything else while holding it. */
#ifndef MPROC_HUB_OBJECT_H
#define MPROC_HUB_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "hub/payload.h"
#include "platform/bell.h"
#include "value/reference.h"

#define OBJECT_CREATE 0 /* the operation that makes an object; each kind numbers its own from 1 */

struct request {
    enum reference_kind kind;
    uint64_t object; /* 0 for OBJECT_CREATE */
    uint32_t operation;
    int64_t argument; /* the operation's own */
    struct payload payload;
};

/* A request that wants no answer, as it lies in the sender's ring. */
struct posting {
    uint64_t object;
    enum reference_kind kind;
    uint32_t operation;
    unsigned payload; /* its mark */
    const uint8_t *data;
    size_t size;
};

struct answer {
    int status; /* 0 or an error code; MPROC_ETIMEDOUT: it could not be answered in time */
    int64_t value;
    struct payload payload;
    uint64_t tag; /* by which another process settles it */
};

/* A request on its way through an object. */
struct call {
    struct request request;
    struct answer answer;
    bool may_wait;
    bool is_done;
    uv_cond_t done;          /* of a thread of this process that waits for it alone */
    const struct bell *bell; /* of one that waits for other things too; NULL: it does not */
    struct session *session; /* of another process; NULL: of this one */
    uint64_t tag;            /* the session's number of it */
    struct object *object;   /* where it waits */
    struct call_list *list;
    struct call *previous, *next;                 /* in that list */
    struct call *session_previous, *session_next; /* among the session's */
};

/* Calls in the order of their arrival. A zeroed one is empty and valid. */
struct call_list {
    struct call *first, *last;
};

struct object {
    uint64_t id;
    const struct object_class *class;
    size_t users;        /* this process's holds */
    handle token;        /* a write end whose copies are the holds of other processes; see hold.h */
    handle token_reader; /* until the hub watches it */
    struct hub_reader *watch;
    bool was_shared; /* other processes may hold it */
};

/* What each kind of object implements. The lock is held in all of these. */
struct object_class {
    enum reference_kind kind;
    /* Makes one from the request; NULL for want of memory. */
    struct object *(*create)(const struct request *request);
    /* Finishes the call (call_finish) or has it wait (call_wait). Takes the payload out of the request where it wants it. */
    void (*carry_out)(struct object *object, struct call *call);
    /* What came with an answer never reached whoever asked: as if it had not been taken. The payload is taken. */
    void (*give_back)(struct object *object, struct payload *payload);
    /* Carries a posting out, which was accepted when it was posted. false: there is no memory for it now; it will be posted
     * again. NULL: there are none. */
    bool (*post)(struct object *object, const struct posting *posting);
    /* A process that knew this object has ended; `taker` is its number: see call_taker. NULL: that is no matter. */
    void (*forget)(struct object *object, uint32_t taker);
    /* A waiting call is given up; it has left its list. NULL: nothing is to be done. */
    void (*give_up)(struct object *object, struct call *call);
    void (*destroy)(struct object *object);
};

void objects_lock(void);
void objects_unlock(void);

/* For the classes, with the lock: */
void call_finish(struct call *call, int status, int64_t value);
/* Has it wait at the end of the list; or finishes it, where it may not wait, with MPROC_ETIMEDOUT. */
void call_wait(struct call *call, struct object *object, struct call_list *list);

/* The number of the process that asks: none other has or had it. 0: this one. */
#define CALL_TAKER_MAX ((1u << 24) - 2)
uint32_t call_taker(const struct call *call);

/* Everything below is for the rest of the hub. */

/* With the lock: the class's work for a call, whatever the object; creates one for OBJECT_CREATE, with the id as the answer's
 * value. */
void call_carry_out(struct call *call);
/* With the lock: takes a call out of where it waits, and lets the object know. */
void call_withdraw(struct call *call);
/* With the lock: gives back what an answer had brought. The payload is taken. */
void object_give_back(uint64_t id, struct payload *payload);

/* With the lock. false: there is no memory for it now. */
bool object_post(const struct posting *posting);
void objects_forget(uint32_t taker);

/* With the lock; NULL: there is none. */
struct object *object_find(uint64_t id);
/* With the lock: a copy of the object's token for another process. */
int object_copy_token(struct object *object, handle *copy);
/* With the lock: one more, or one fewer, hold of this process's. The last one may free the object. */
void object_use(struct object *object);
void object_unuse(struct object *object);

/* How many calls wait in objects now; takes the lock itself. */
size_t calls_waiting(void);

/* With the lock, when the hub has started: watches the tokens that were made before. */
void objects_watch_all(void);
/* On the hub's thread, with the lock, when it is to end. */
void objects_unwatch_all(void);
/* When nobody else is left: frees them all. */
void objects_destroy_all(void);

/* Asks on behalf of a thread of this process, which is the program's first, and waits. The request is taken. The answer's
 * payload is the caller's. */
void object_call_here(struct request *request, deadline until, struct answer *answer);

/* The same without waiting: the call's request, may_wait and bell are set, all else is zero. The bell rings when it is done. Calling
 * it off makes it done, with MPROC_ETIMEDOUT where it was not before. */
void object_begin_here(struct call *call);
bool object_is_done_here(const struct call *call);
void object_call_off_here(struct call *call);

#endif
