/* SPDX-License-Identifier: MIT */
/* poll until a deadline, whatever signals come meanwhile. */
#ifndef MPROC_POSIX_WAIT_UNTIL_H
#define MPROC_POSIX_WAIT_UNTIL_H

#include <poll.h>
#include <stddef.h>

#include "base/clock.h"

/* Waits until at least one of the entries is ready, or broken. what: cannot be done, for the message. 0; MPROC_ETIMEDOUT (no
 * message); MPROC_ESYSTEM. */
int wait_until(struct pollfd *entries, size_t count, deadline until, const char *what);

#endif
