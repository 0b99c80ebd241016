/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#define NANOSECONDS_PER_MS ((uint64_t)1000000)

deadline deadline_after(int64_t timeout_ms) {
    if (timeout_ms < 0) {
        return DEADLINE_NEVER;
    }
    if (timeout_ms == 0) {
        return DEADLINE_NOW;
    }
    uint64_t now = uv_hrtime();
    uint64_t room = (DEADLINE_NEVER - 1 - now) / NANOSECONDS_PER_MS;
    return (uint64_t)timeout_ms < room ? now + (uint64_t)timeout_ms * NANOSECONDS_PER_MS : DEADLINE_NEVER;
}

int deadline_remaining_ms(deadline moment) {
    if (moment == DEADLINE_NEVER) {
        return -1;
    }
    uint64_t now = moment != DEADLINE_NOW ? uv_hrtime() : 0;
    if (moment <= now) {
        return 0;
    }
    uint64_t left = (moment - now - 1) / NANOSECONDS_PER_MS + 1;
    return left < INT32_MAX ? (int)left : INT32_MAX - 1;
}

bool deadline_wait(uv_cond_t *condition, uv_mutex_t *mutex, deadline moment) {
    if (moment == DEADLINE_NEVER) {
        uv_cond_wait(condition, mutex);
        return true;
    }
    int left = deadline_remaining_ms(moment);
    if (left > 0) {
        (void)uv_cond_timedwait(condition, mutex, (uint64_t)left * NANOSECONDS_PER_MS); /* the clock is asked again */
    }
    return left > 0;
}
