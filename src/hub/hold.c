/* SPDX-License-Identifier: MIT */
#include "hub/hold.h"

#include <string.h>

#include "base/error.h"
#include "hub/client.h"
#include "spawn/runtime.h"

static void ask(struct request *request, deadline until, struct answer *answer) {
    error_forget();
    if (runtime.is_child) {
        client_call(request, until, answer);
    } else {
        object_call_here(request, until, answer);
    }
}

int hold_create(struct hold *hold, enum reference_kind kind, int64_t argument) {
    struct request request;
    struct answer answer;
    memset(&answer, 0, sizeof answer);
    memset(&request, 0, sizeof request);
    request.kind = kind;
    request.operation = OBJECT_CREATE;
    request.argument = argument;
    ask(&request, DEADLINE_NEVER, &answer);
    if (answer.status == 0) {
        struct message *message = &answer.payload.message;
        hold->kind = kind;
        hold->object = (uint64_t)answer.value;
        hold->token = HANDLE_INVALID;
        if (message->handle_count > 0) {
            hold->token = message->handles[0];
            message->handles[0] = HANDLE_INVALID;
        }
    }
    payload_clear(&answer.payload);
    return answer.status;
}

/* In the first process: the token that came along counts as a hold from now on. It is taken. */
static int count_hold(const struct hold *hold, handle token) {
    objects_lock();
    struct object *object = object_find(hold->object);
    if (object != NULL) {
        object_use(object);
        if (object->token == HANDLE_INVALID) {
            object->token = token;
            token = HANDLE_INVALID;
        }
    }
    objects_unlock();
    handle_close(token);
    return object != NULL
               ? 0
               : error_set(MPROC_ENOTFOUND, 0, "the %s does not exist any more", reference_kind_name(hold->kind));
}

int hold_open(struct hold *hold, enum reference_kind kind, const cJSON *ref) {
    struct parcel parcel;
    memset(&parcel, 0, sizeof parcel);
    int status = reference_take(ref, kind, &parcel);
    if (status != 0) {
        return status;
    }
    if (parcel.bytes.size != sizeof hold->object || parcel.handle_count != 1) {
        parcel_clear(&parcel);
        return error_set(MPROC_EINVAL, 0, "this is not a reference that mproc has made");
    }
    memcpy(&hold->object, parcel.bytes.data, sizeof hold->object);
    hold->kind = kind;
    hold->token = parcel.handles[0];
    parcel.handles[0] = HANDLE_INVALID;
    parcel_clear(&parcel);
    if (!runtime.is_child) {
        status = count_hold(hold, hold->token);
        hold->token = HANDLE_INVALID;
    }
    return status;
}

static int copy_token(const struct hold *hold, handle *copy) {
    if (hold->token != HANDLE_INVALID) {
        return handle_duplicate(hold->token, copy);
    }
    objects_lock();
    int status = object_copy_token(object_find(hold->object), copy); /* it is there as long as it is held */
    objects_unlock();
    return status;
}

cJSON *hold_reference(const struct hold *hold) {
    struct parcel parcel;
    memset(&parcel, 0, sizeof parcel);
    parcel.kind = hold->kind;
    int status = copy_token(hold, &parcel.handles[0]);
    if (status == 0) {
        parcel.handle_count = 1;
        status = buffer_append(&parcel.bytes, &hold->object, sizeof hold->object);
    }
    if (status != 0) {
        parcel_clear(&parcel);
        return NULL;
    }
    return reference_create(&parcel);
}

void hold_close(struct hold *hold) {
    if (hold->token != HANDLE_INVALID) {
        handle_close(hold->token);
        return;
    }
    objects_lock();
    struct object *object = object_find(hold->object);
    if (object != NULL) { /* NULL: the library was shut down meanwhile */
        object_unuse(object);
    }
    objects_unlock();
}

int hold_ask(const struct hold *hold, struct request *request, deadline until, struct answer *answer) {
    request->kind = hold->kind;
    request->object = hold->object;
    ask(request, until, answer);
    return answer->status;
}

/* With others ---------------------------------------------------------------------------------------------------- */

int hold_begin(const struct hold *hold, uint32_t operation, bool may_wait, const struct bell *bell,
               struct hold_question *question) {
    struct request *request = &question->call.request;
    error_forget();
    request->kind = hold->kind;
    request->object = hold->object;
    request->operation = operation;
    if (runtime.is_child) {
        question->client.answer = &question->answer;
        question->client.bell = bell;
        return client_begin(request, may_wait, &question->client);
    }
    question->call.may_wait = may_wait;
    question->call.bell = bell;
    object_begin_here(&question->call);
    return 0;
}

bool hold_is_answered(const struct hold_question *question) {
    return runtime.is_child ? client_is_done(&question->client) : object_is_done_here(&question->call);
}

void hold_call_off(struct hold_question *question) {
    if (runtime.is_child) {
        client_call_off(&question->client);
    } else {
        object_call_off_here(&question->call);
    }
}

void hold_conclude(struct hold_question *question) {
    if (runtime.is_child) {
        client_conclude(&question->client);
    } else {
        question->answer = question->call.answer;
    }
}

handle hold_read_answers(const struct bell *bell, bool *reads) {
    return runtime.is_child ? client_read(bell, reads) : HANDLE_INVALID;
}

void hold_stop_reading(bool *reads) {
    if (runtime.is_child) {
        client_stop_reading(reads);
    }
}

/* Posting ---------------------------------------------------------------------------------------------------------- */

uint64_t hold_epoch(void) {
    return runtime.is_child ? client_epoch() : 0;
}

void hold_allow_posting(void) {
    if (runtime.is_child) {
        client_open_ring();
    }
}

bool hold_post(const struct hold *hold, uint32_t operation, unsigned mark, const void *data, size_t size) {
    struct posting posting = {hold->object, hold->kind, operation, mark, data, size};
    return client_post(&posting);
}

void hold_settle(const struct hold *hold, struct answer *answer, bool was_taken) {
    if (runtime.is_child) {
        client_settle(answer->tag, was_taken);
        payload_clear(&answer->payload);
    } else if (was_taken) {
        payload_clear(&answer->payload);
    } else {
        objects_lock();
        object_give_back(hold->object, &answer->payload);
        objects_unlock();
    }
}
