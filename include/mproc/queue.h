/* SPDX-License-Identifier: MIT */
/** @file
 * A queue between any processes of one program: many producers, many consumers, first in first out. Python:
 * multiprocessing.Queue and JoinableQueue.
 *
 * Each call may be made by any number of threads and processes at the same time. Items live in the program's first
 * process: what a put has accepted is safe, whoever is killed afterwards, and a process that puts and ends at once has
 * delivered. An item whose receiver is killed before its get has returned goes back to the front. Nobody ever has to
 * read a queue before another process can end.
 *
 * Large items stand in shared memory that their queue uses again and again: up to 64 MiB, which it keeps until it is freed;
 * a large one beyond that has memory of its own until it has been taken.
 *
 * Besides the errors that are named, each call can return MPROC_EINVAL (NULL where it is not fine, a negative timeout),
 * MPROC_ENOMEM and MPROC_ESYSTEM (no descriptors left, ...). */
#ifndef MPROC_QUEUE_H
#define MPROC_QUEUE_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_queue mproc_queue;

/** Makes a queue.
 * @param queue    receives it, the caller's: see mproc_queue_destroy
 * @param maxsize  items that it holds at most; 0: no limit
 * @return 0; MPROC_EGUARD. Python: Queue(maxsize). */
MPROC_API int mproc_queue_create(mproc_queue **queue, size_t maxsize);

/** Gives this process's handle up. The queue and what is in it last until nobody has one: see mproc_queue_ref.
 * @param queue  NULL is fine. No other thread may be using it. */
MPROC_API void mproc_queue_destroy(mproc_queue *queue);

/** What hands the queue to another process: put it inside args, kwargs, a message or an item. Each is good for one
 * receiver; make as many as are needed. The queue lives as long as any process has a handle of it, or a message that
 * mentions it is on its way or was received and its reference not yet taken up. A reference that is not sent after all
 * counts until mproc_queue_from takes it back.
 * @return the caller's; NULL (see mproc_last_error): MPROC_EINVAL for NULL, MPROC_ESYSTEM. */
MPROC_API cJSON *mproc_queue_ref(const mproc_queue *queue);

/** The queue that a received reference stands for. In a task whose argument it is, mproc_task_queue is shorter.
 * @param queue  receives a handle of its own, the caller's: see mproc_queue_destroy
 * @param ref    as it stood in args, kwargs, a message or an item; stays the caller's
 * @return 0; MPROC_EGUARD; MPROC_ETYPE (no reference to a queue); MPROC_ESTATE (taken up already, sent on, or made in
 *         another process and not received here); MPROC_ENOTFOUND (the queue does not exist any more). */
MPROC_API int mproc_queue_from(mproc_queue **queue, const cJSON *ref);

/** Puts an item at the end, waiting while the queue is full; those who wait are served in the order of their arrival.
 * @param item        is taken, also on failure; NULL where mproc_pack failed: its error is returned
 * @param timeout_ms  milliseconds to wait at most; 0: not at all; MPROC_FOREVER
 * @return 0: no death of this process can lose it any more; MPROC_EFULL: it stayed full; MPROC_ECLOSED: see
 *         mproc_queue_close; MPROC_EINVAL, MPROC_ETYPE, MPROC_ERANGE, MPROC_ESTATE: the value cannot be sent, the
 *         message says why. Python: Queue.put. */
MPROC_API int mproc_queue_put(mproc_queue *queue, cJSON *item, int64_t timeout_ms);

/** Takes the first item, waiting while there is none; those who wait are served in the order of their arrival.
 * @param item        receives it, the caller's, to be freed with cJSON_Delete
 * @param timeout_ms  as in mproc_queue_put
 * @return 0; MPROC_EEMPTY: it stayed empty; MPROC_ECLOSED: it is closed and empty; MPROC_ETYPE: the first item is raw
 *         bytes, and stays. Python: Queue.get. */
MPROC_API int mproc_queue_get(mproc_queue *queue, cJSON **item, int64_t timeout_ms);

/** As mproc_queue_put, with raw bytes, which are copied.
 * @param data  may be NULL where size is 0
 * @param size  bytes, 0 to MPROC_MESSAGE_MAX, otherwise MPROC_ERANGE */
MPROC_API int mproc_queue_put_bytes(mproc_queue *queue, const void *data, size_t size, int64_t timeout_ms);

/** As mproc_queue_get, for raw bytes. MPROC_ETYPE: the first item is a value, and stays.
 * @param data  receives them, the caller's, to be freed with mproc_free; not NULL even where size is 0
 * @param size  receives their number */
MPROC_API int mproc_queue_get_bytes(mproc_queue *queue, void **data, size_t *size, int64_t timeout_ms);

/** mproc_queue_put with a timeout of 0. Python: Queue.put_nowait. */
MPROC_API int mproc_queue_put_nowait(mproc_queue *queue, cJSON *item);

/** mproc_queue_get with a timeout of 0. Python: Queue.get_nowait. */
MPROC_API int mproc_queue_get_nowait(mproc_queue *queue, cJSON **item);

/** @return how many items are in it at this moment, or an error. What this process has put and nobody has taken counts.
 * Python: Queue.qsize. */
MPROC_API int64_t mproc_queue_qsize(mproc_queue *queue);

/** @return whether it has no item at this moment; false on an error too. Python: Queue.empty. */
MPROC_API bool mproc_queue_empty(mproc_queue *queue);

/** @return whether it has as many items as it can hold at this moment; false on an error too. Python: Queue.full. */
MPROC_API bool mproc_queue_full(mproc_queue *queue);

/** Marks one item that was taken as worked on.
 * @return 0; MPROC_ERANGE: called more often than items were put. Python: JoinableQueue.task_done. */
MPROC_API int mproc_queue_task_done(mproc_queue *queue);

/** Waits until all items that were put have been marked done.
 * @param timeout_ms  as in mproc_queue_put. A consumer that dies never marks its item.
 * @return 0; MPROC_ETIMEDOUT. Python: JoinableQueue.join. */
MPROC_API int mproc_queue_join(mproc_queue *queue, int64_t timeout_ms);

/** Lets no process put any more: puts get MPROC_ECLOSED, also those that wait, and gets do once the queue is empty.
 * @return 0, also where it was closed before. Python: Queue.close, but for all processes, and what is in it can still be
 *         taken. */
MPROC_API int mproc_queue_close(mproc_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
