/* SPDX-License-Identifier: MIT */
#include "base/turn.h"

#include "base/error.h"

int turn_create(struct turn *turn) {
    turn->taken = false;
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

void turn_give(struct turn *turn) {
    uv_mutex_lock(&turn->mutex);
    turn->taken = false;
    uv_cond_signal(&turn->given);
    uv_mutex_unlock(&turn->mutex);
}
