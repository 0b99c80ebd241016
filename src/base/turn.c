/* SPDX-License-Identifier: MIT */
#include "base/turn.h"

#include "base/error.h"

int turn_create(struct turn *turn) {
    turn->taken = false;
    turn->visitors = NULL;
    if (uv_mutex_init(&turn->mutex) != 0) {
        return error_no_memory(sizeof turn->mutex);
    }
    if (uv_cond_init(&turn->given) != 0) {
        uv_mutex_destroy(&turn->mutex);
        return error_no_memory(sizeof turn->given);
    }
    return 0;
}

void turn_destroy(struct turn *turn) {
    uv_cond_destroy(&turn->given);
    uv_mutex_destroy(&turn->mutex);
}

int turn_take(struct turn *turn, deadline until) {
    int status = 0;
    uv_mutex_lock(&turn->mutex);
    while (turn->taken && status == 0) {
        if (!deadline_wait(&turn->given, &turn->mutex, until)) {
            status = MPROC_ETIMEDOUT;
        }
    }
    if (status == 0) {
        turn->taken = true;
    }
    uv_mutex_unlock(&turn->mutex);
    return status;
}

/* With the mutex. */
static void tell_visitors(struct turn *turn) {
    for (struct turn_visitor *visitor = turn->visitors; visitor != NULL; visitor = visitor->next) {
        if (visitor->was_refused) {
            visitor->was_refused = false;
            visitor->on_given(visitor->context);
        }
    }
}

void turn_give(struct turn *turn) {
    uv_mutex_lock(&turn->mutex);
    turn->taken = false;
    uv_cond_signal(&turn->given);
    tell_visitors(turn);
    uv_mutex_unlock(&turn->mutex);
}

void turn_enter(struct turn *turn, struct turn_visitor *visitor) {
    uv_mutex_lock(&turn->mutex);
    visitor->was_refused = false;
    visitor->next = turn->visitors;
    turn->visitors = visitor;
    uv_mutex_unlock(&turn->mutex);
}

bool turn_try(struct turn *turn, struct turn_visitor *visitor) {
    uv_mutex_lock(&turn->mutex);
    bool is_free = !turn->taken;
    visitor->was_refused = !is_free;
    turn->taken = true;
    uv_mutex_unlock(&turn->mutex);
    return is_free;
}

void turn_leave(struct turn *turn, const struct turn_visitor *visitor) {
    uv_mutex_lock(&turn->mutex);
    struct turn_visitor **place = &turn->visitors;
    while (*place != visitor) {
        place = &(*place)->next;
    }
    *place = visitor->next;
    uv_mutex_unlock(&turn->mutex);
}

bool turn_has_visitors(struct turn *turn) {
    uv_mutex_lock(&turn->mutex);
    bool has_visitors = turn->visitors != NULL;
    uv_mutex_unlock(&turn->mutex);
    return has_visitors;
}
