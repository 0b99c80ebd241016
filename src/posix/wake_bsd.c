/* SPDX-License-Identifier: MIT */
/* macOS has it between processes since 14.4 only, and the BSDs each in a way of their own: the hub does it there. */
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
