/* SPDX-License-Identifier: MIT */
/* Sleeping on a number in shared memory until another process wakes who sleeps on it. */
#ifndef MPROC_PLATFORM_WAKE_H
#define MPROC_PLATFORM_WAKE_H

#include <stdbool.h>

#include "base/atomic.h"
#include "base/clock.h"

/* Whether this system has it; where it has not, the other two are never called. */
bool wake_is_there(void);

/* Sleeps while the low half of the number is `seen`, or for a shorter time. 0; MPROC_ETIMEDOUT (no message); MPROC_ESYSTEM. */
int wake_sleep(const atomic_number *number, uint32_t seen, deadline until);

/* Wakes all who sleep on the number. */
void wake_all(const atomic_number *number);

#endif
