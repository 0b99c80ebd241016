/* SPDX-License-Identifier: MIT */
/* What the system knows an open thing by: a descriptor on POSIX, a HANDLE on Windows. */
#ifndef MPROC_PLATFORM_HANDLE_H
#define MPROC_PLATFORM_HANDLE_H

#include <stdint.h>

typedef intptr_t handle;

#define HANDLE_INVALID ((handle)-1)

/* Closes it. HANDLE_INVALID is fine. */
void handle_close(handle closed);

/* A second handle to the same thing, not to be inherited. 0 or MPROC_ESYSTEM. */
int handle_duplicate(handle original, handle *copy);

/* For a handle that this process was started with: checks that it is open (MPROC_EINVAL: it is not), and keeps it from
 * being inherited any further. */
int handle_adopt(handle inherited);

#endif
