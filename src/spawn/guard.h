/* SPDX-License-Identifier: MIT */
/* mproc_init's own: see core.h. */
#ifndef MPROC_SPAWN_GUARD_H
#define MPROC_SPAWN_GUARD_H

/* Opens the library for calls: the runtime has been filled, and mproc_shutdown is to run at exit. */
void guard_ready(void);

#endif
