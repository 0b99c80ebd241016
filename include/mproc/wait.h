/* SPDX-License-Identifier: MIT */
/** @file
 * Waiting for the first of several things. Python: multiprocessing.connection.wait.
 *
 *     mproc_waitable things[2] = {{.connection = answers}, {.process = worker}};
 *     if (mproc_wait(things, 2, MPROC_FOREVER) > 0) {
 *         if (things[0].ready) { ... mproc_connection_recv(answers, &value, 0) ... }
 *         if (things[1].ready) { ... mproc_process_exitcode(worker, &exitcode) ... }
 *     }
 */
#ifndef MPROC_WAIT_H
#define MPROC_WAIT_H

#include "connection.h"
#include "core.h"
#include "pool.h"
#include "process.h"
#include "queue.h"
#include "subprocess.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Something that can be waited for: one of the pointers is set, all others are NULL. */
typedef struct mproc_waitable {
    const mproc_process *process; /**< ready: it has ended, so that a join does not wait. Also mproc_parent_process() */
    mproc_connection *connection; /**< ready: a whole message or the end of data is there: a receive does not wait */
    mproc_queue *queue;           /**< ready: an item is there, or it is closed and empty: a get does not wait */
    mproc_async_result *result;   /**< ready: as mproc_async_result_ready */
    mproc_popen *program;         /**< ready: the program has ended, so that mproc_popen_wait does not wait */
    bool ready;                   /**< receives whether it is */
} mproc_waitable;

/** Waits until at least one of the things is ready, and tells of each whether it is. There may be any number of them, on
 * Windows too.
 *
 * Nothing is taken out of any: what is ready stays so until it is received, and where several threads or processes take from
 * the same thing, another one can be faster. A thing is ready also where the call that takes from it would fail at once.
 * Several threads may wait for the same things; a connection cannot be handed over meanwhile.
 * @param things      stay the caller's; `ready` of each is set, to false after a failure
 * @param count       how many, from 1
 * @param timeout_ms  milliseconds; MPROC_FOREVER; 0 only asks
 * @return how many are ready, from 1; MPROC_ETIMEDOUT: none is; MPROC_EGUARD; MPROC_EINVAL (no things, or one with no pointer
 *         or with several); MPROC_ESTATE (a process that has not been started, or the current one; a connection that has moved to
 *         another process; in a callback of a pool, a result that is not ready); MPROC_EPERM (a connection that only sends);
 *         MPROC_ENOMEM; MPROC_ESYSTEM (no descriptors left, ...). The message names the thing.
 * Python: multiprocessing.connection.wait(things, timeout). */
MPROC_API int mproc_wait(mproc_waitable *things, size_t count, int64_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
