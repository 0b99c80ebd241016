/* SPDX-License-Identifier: MIT */
/* Waiting for objects until a deadline, which may be further away than one wait can be. */
#ifndef MPROC_WIN32_WAIT_UNTIL_H
#define MPROC_WIN32_WAIT_UNTIL_H

#include <windows.h>

#include "base/clock.h"

/* Waits until at least one of 1 to MAXIMUM_WAIT_OBJECTS objects is signaled. what: cannot be done, for the message. 0;
 * MPROC_ETIMEDOUT (no message); MPROC_ESYSTEM. */
int wait_until(const HANDLE *objects, size_t count, deadline until, const char *what);

#endif
