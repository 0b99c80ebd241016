/* SPDX-License-Identifier: MIT */
/** @file
 * The two ends of a pipe between two processes. Python: multiprocessing.Pipe and Connection.
 *
 * One thread may send and another receive at the same time; further threads wait for their turn. Messages are never
 * merged, split or torn: a process that is killed in the middle of a send leaves no part of it to be received. */
#ifndef MPROC_CONNECTION_H
#define MPROC_CONNECTION_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_connection mproc_connection;

/** Makes the two ends, both in this process.
 * @param a, b    receive the ends, the caller's: see mproc_connection_close
 * @param duplex  true: both ends send and receive; false: `a` only receives and `b` only sends
 * @return 0; MPROC_EINVAL; MPROC_EGUARD; MPROC_ESYSTEM (no descriptors left, ...). Python: Pipe(duplex). */
MPROC_API int mproc_pipe(mproc_connection **a, mproc_connection **b, bool duplex);

/** Closes this end: the other one then receives what was sent before, and MPROC_ECLOSED after that.
 * @param connection  NULL is fine. No other thread may be using it. Python: Connection.close. */
MPROC_API void mproc_connection_close(mproc_connection *connection);

/** What hands the end to another process: put it inside args, kwargs or a message. The end moves to whoever receives
 * it: from now on this handle is only good for mproc_connection_close (do so or not). A reference that was sent and is
 * never received closes the end when its message is dropped. One that is not sent after all keeps the end open, also when
 * it has been freed, since cJSON tells nobody: take it back with mproc_connection_from.
 * @return the caller's; NULL (see mproc_last_error): MPROC_ESTATE where the end has moved already or a thread is using
 *         it, MPROC_EINVAL for NULL. */
MPROC_API cJSON *mproc_connection_ref(mproc_connection *connection);

/** The end that a received reference stands for. In a task whose argument it is, mproc_task_connection is shorter.
 * @param connection  receives the end, the caller's: see mproc_connection_close
 * @param ref         as it stood in args, kwargs or a message; stays the caller's
 * @return 0; MPROC_EINVAL; MPROC_ETYPE (no reference to a connection); MPROC_ESTATE (taken up already, sent on, or made
 *         in another process and not received here). */
MPROC_API int mproc_connection_from(mproc_connection **connection, const cJSON *ref);

/** Sends a value; waits while the pipe is full.
 * @param value  taken
 * @return 0; MPROC_EINVAL; MPROC_ECLOSED (the peer is gone); MPROC_EPERM (this end only receives); MPROC_ESTATE (this end
 *         has moved to another process, or a reference in the value was sent before); MPROC_ETYPE, MPROC_EINVAL,
 *         MPROC_ERANGE (no value that can be sent: nothing is sent then). Python: Connection.send. */
MPROC_API int mproc_connection_send(mproc_connection *connection, cJSON *value);

/** Receives a value.
 * @param value       receives it, the caller's
 * @param timeout_ms  milliseconds; MPROC_FOREVER; 0 does not wait
 * @return 0; MPROC_ETIMEDOUT (nothing is lost: ask again); MPROC_ECLOSED (end of data); MPROC_EINVAL; MPROC_EPERM (this
 *         end only sends); MPROC_ESTATE (this end has moved); MPROC_ETYPE (the next message is raw bytes, and is kept for
 *         mproc_connection_recv_bytes). Python: Connection.recv. */
MPROC_API int mproc_connection_recv(mproc_connection *connection, cJSON **value, int64_t timeout_ms);

/** Sends raw bytes; waits while the pipe is full.
 * @param data  stays the caller's; NULL is fine where size is 0
 * @param size  bytes, 0 to MPROC_MESSAGE_MAX. An empty message is a message
 * @return as mproc_connection_send; MPROC_ERANGE above the limit. Python: Connection.send_bytes. */
MPROC_API int mproc_connection_send_bytes(mproc_connection *connection, const void *data, size_t size);

/** Receives raw bytes.
 * @param data  receives them, the caller's, to be freed with mproc_free; not NULL even where size is 0
 * @param size  receives how many
 * @return as mproc_connection_recv; MPROC_ETYPE: the next message is a value, and is kept for mproc_connection_recv.
 * Python: Connection.recv_bytes. */
MPROC_API int mproc_connection_recv_bytes(mproc_connection *connection, void **data, size_t *size, int64_t timeout_ms);

/** Waits until there is something to receive, and leaves it there.
 * @param timeout_ms  milliseconds; MPROC_FOREVER; 0 only asks
 * @return true: a receive will not wait, because a whole message or the end of data is there; false: nothing within the
 *         timeout, or the call makes no sense (mproc_last_error tells MPROC_ETIMEDOUT from the errors of
 *         mproc_connection_recv). Python: Connection.poll. */
MPROC_API bool mproc_connection_poll(mproc_connection *connection, int64_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
