/* SPDX-License-Identifier: MIT */
/* Asking the program's first process, from any other. Many threads may; the one that waits reads the link for all. */
#ifndef MPROC_HUB_CLIENT_H
#define MPROC_HUB_CLIENT_H

#include "hub/object.h"

/* Asks and waits. The request is taken. The answer's payload is the caller's, and where there is one, client_settle follows.
 * Besides what the object says, the status can be MPROC_ENOMEM, MPROC_ERANGE or MPROC_ESYSTEM, with their
 * messages. */
void client_call(struct request *request, deadline until, struct answer *answer);

/* What came with the answer was taken, or goes back. */
void client_settle(uint64_t tag, bool was_taken);

/* Posting: requests without an answer, through a ring in shared memory. ------------------------------------------ */

/* What grows whenever any object is closed; from 1. 0: there is no ring. */
uint64_t client_epoch(void);
/* Makes the ring, where there is none yet. It does no harm where it cannot. */
void client_open_ring(void);
/* Posts, and then no kill of this process can undo it; false: there is no room, or no ring, so that the first process has to
 * be asked. */
bool client_post(const struct posting *posting);

/* When the process ends. */
void client_close(void);

#endif
