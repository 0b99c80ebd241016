/* SPDX-License-Identifier: MIT */
/* A process's hold on a shared object: what keeps it alive, and by which the process asks things of it.
 *
 * In the program's first process holds are counted. Everywhere else, and while a reference is on its way, a hold is a copy
 * of the object's token, the write end of a pipe: the system itself closes it with whoever has it, and the hub sees the
 * pipe end with the last copy. */
#ifndef MPROC_HUB_HOLD_H
#define MPROC_HUB_HOLD_H

#include "hub/client.h"
#include "hub/object.h"

struct hold {
    enum reference_kind kind;
    uint64_t object;
    handle token; /* HANDLE_INVALID in the first process */
};

/* Makes an object. argument: the kind's own. 0 or an error, with its message. */
int hold_create(struct hold *hold, enum reference_kind kind, int64_t argument);

/* Takes a reference up. Errors as reference_take; MPROC_ENOTFOUND. */
int hold_open(struct hold *hold, enum reference_kind kind, const cJSON *ref);

/* A reference for another process; NULL with the error set. */
cJSON *hold_reference(const struct hold *hold);

void hold_close(struct hold *hold);

/* Asks for an operation and waits for the answer until the deadline. The request needs operation, argument and payload
 * only; its payload is taken. Returns the answer's status. An error of the object's own has no message yet, one of the
 * system's has: see error_explain. The answer's payload is the caller's, and after it hold_settle is called. */
int hold_ask(const struct hold *hold, struct request *request, deadline until, struct answer *answer);

/* A question whose answer is waited for together with other things. */
struct hold_question {
    struct answer answer;      /* once it is concluded: the status may be MPROC_ETIMEDOUT */
    struct call call;          /* in the first process */
    struct client_call client; /* in all others */
};

/* Asks for an operation without a payload, whose answer has none either. The bell rings when the answer is there. The question
 * is zero. 0, and then hold_conclude follows; or an error, with its message. */
int hold_begin(const struct hold *hold, uint32_t operation, bool may_wait, const struct bell *bell,
               struct hold_question *question);
bool hold_is_answered(const struct hold_question *question);
/* The answer is not waited for any longer: it comes soon. */
void hold_call_off(struct hold_question *question);
/* Waits for the answer, which has come or comes soon. */
void hold_conclude(struct hold_question *question);

/* As client_read and client_stop_reading; in the first process there is nothing to be read. */
handle hold_read_answers(const struct bell *bell, bool *reads);
void hold_stop_reading(bool *reads);

/* For operations that can be posted: a number that grows whenever any object is closed, so that what is known of this one holds
 * as long as the number is the same. 0: nothing can be posted from here. */
uint64_t hold_epoch(void);
/* From now on there may be an epoch. */
void hold_allow_posting(void);
/* Asks for an operation without an answer; mark: the payload's. false: it has to be asked for with hold_ask. */
bool hold_post(const struct hold *hold, uint32_t operation, unsigned mark, const void *data, size_t size);

/* What came with an answer has been taken, or goes back as if it had never been given out. Its payload is freed. */
void hold_settle(const struct hold *hold, struct answer *answer, bool was_taken);

#endif
