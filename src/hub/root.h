/* SPDX-License-Identifier: MIT */
/* What the program's first process does for all others: it keeps the shared objects, behind a door. */
#ifndef MPROC_HUB_ROOT_H
#define MPROC_HUB_ROOT_H

/* Before a child is started: in the first process, makes the door and starts the hub behind it, where that has not happened
 * yet; in all others there is nothing to do. MPROC_ENOMEM; MPROC_ESYSTEM. */
int root_open_door(void);

/* When the first process ends: closes the door, ends the sessions and frees the objects. */
void root_close(void);

#endif
