/* SPDX-License-Identifier: MIT */
/* Moments on the monotonic clock, so that a wait in several steps ends when the whole of it should. */
#ifndef MPROC_BASE_CLOCK_H
#define MPROC_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* Nanoseconds on libuv's clock. */
typedef uint64_t deadline;

#define DEADLINE_NEVER ((deadline)UINT64_MAX)
#define DEADLINE_NOW ((deadline)0)

/* timeout_ms as in the public interface: MPROC_FOREVER or 0 and more. */
deadline deadline_after(int64_t timeout_ms);

/* Milliseconds left, rounded up so that a wait is never short; -1 for DEADLINE_NEVER; 0 where it is past. Never more
 * than INT32_MAX - 1, so that it fits poll's and WaitForSingleObject's parameter: those who wait ask again. */
int deadline_remaining_ms(deadline moment);

/* Waits for the condition with the mutex held, as uv_cond_wait; false: the moment is past. It may return early, without
 * a signal: whoever waits looks again. */
bool deadline_wait(uv_cond_t *condition, uv_mutex_t *mutex, deadline moment);

#endif
