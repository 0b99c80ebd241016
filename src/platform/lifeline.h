/* SPDX-License-Identifier: MIT */
/* Letting the system itself end this process when its parent is gone. */
#ifndef MPROC_PLATFORM_LIFELINE_H
#define MPROC_PLATFORM_LIFELINE_H

#include "platform/handle.h"

/* From now on this process ends at once, whatever it is doing, when nobody can write to the pipe any more; and also when
 * somebody does write, so nothing may be sent through it meanwhile. Returns 0; MPROC_ENOTSUP (no message): the system cannot
 * do that, and a thread has to read the pipe. */
int lifeline_tie(handle reader);

#endif
