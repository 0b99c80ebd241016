/* SPDX-License-Identifier: MIT */
/* WaitOnAddress knows the threads of its own process only: the hub does it here. */
#include "platform/wake.h"

#include "mproc/core.h"

bool wake_is_there(void) {
    return false;
}

int wake_sleep(const atomic_number *number, uint32_t seen, deadline until) {
    (void)number;
    (void)seen;
    (void)until;
    return MPROC_ENOTSUP;
}

void wake_all(const atomic_number *number) {
    (void)number;
}
