/* SPDX-License-Identifier: MIT */
/* Asking the program's first process, from any other. Many threads may; the one that waits reads the link for all. */
#ifndef MPROC_HUB_CLIENT_H
#define MPROC_HUB_CLIENT_H

#include "hub/object.h"
#include "platform/bell.h"

/* Asks and waits. The request is taken. The answer's payload is the caller's, and where there is one, client_settle follows.
 * Besides what the object says, the status can be MPROC_ENOMEM, MPROC_ERANGE or MPROC_ESYSTEM, with their
 * messages. */
void client_call(struct request *request, deadline until, struct answer *answer);

/* The text of an error is set by the thread that waits. */
enum client_outcome { CLIENT_ARRIVED, CLIENT_LOST_HANDLES, CLIENT_LINK_ENDED };

/* A call that waits for its answer. */
struct client_call {
    uint64_t tag;
    bool may_wait, is_done;
    enum client_outcome how;
    struct answer *answer;
    const struct bell *bell; /* of a thread that waits for other things too; NULL: it waits for the answer alone */
    struct client_call *next;
};

/* The same without waiting, for a request without a payload. answer and bell of the call are set. 0, and then client_conclude
 * follows; MPROC_ENOMEM; MPROC_ESYSTEM. */
int client_begin(struct request *request, bool may_wait, struct client_call *call);
bool client_is_done(const struct client_call *call);
/* Its answer is not waited for any longer: it comes soon. Does nothing where it is there. */
void client_call_off(const struct client_call *call);
/* Waits for the answer. */
void client_conclude(struct client_call *call);

/* For a thread that waits for answers together with other things, by this bell: reads what has come, for whomever it is, where
 * no other thread does. Returns what is to be watched for more; HANDLE_INVALID: nothing, the bell rings when there is
 * anything to do. reads: false at first; whether the thread reads from now on, until client_stop_reading. */
handle client_read(const struct bell *bell, bool *reads);
void client_stop_reading(bool *reads);

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
