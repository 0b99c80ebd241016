/* SPDX-License-Identifier: MIT */
/** @file
 * Memory that several processes see. Python: multiprocessing.shared_memory, Value and Array.
 *
 *     mproc_shared *shared;
 *     if (mproc_shared_create(&shared, 4 * sizeof(double)) == 0) {
 *         double *numbers = mproc_shared_data(shared);
 *         numbers[0] = 0.5;
 *     }
 *
 * mproc_shared_create_copy, mproc_shared_read and mproc_shared_write are what Python's Value and Array do: memory that begins with
 * something, and single elements under its lock.
 *
 * It has no name: nobody else can open it, and nothing is left behind. It is freed when no process has a handle of it any more,
 * in whatever way they ended. What is written there is there for all at once; who writes when is for its users to agree on,
 * with the lock that each piece of shared memory has, or with any other.
 *
 * Data in it has to make sense in every process: numbers, not pointers.
 *
 * Besides the errors that are named, each call can return MPROC_EINVAL (NULL where it is not fine), MPROC_ENOMEM and
 * MPROC_ESYSTEM (no descriptors left, ...). */
#ifndef MPROC_SHARED_H
#define MPROC_SHARED_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_shared mproc_shared;
struct mproc_lock;

/** Makes shared memory, all zeros.
 *
 * On Linux and macOS it is provided as it is written to: where many share a machine's memory, it can be gone by then.
 * @param shared  receives a handle, the caller's: see mproc_shared_destroy
 * @param size    bytes, from 1
 * @return 0; MPROC_EGUARD; MPROC_EINVAL: size is 0; MPROC_ENOMEM: the machine, or the container, does not have so much; then
 *         the message tells what there is. Python: SharedMemory(create=True, size=), Value, Array. */
MPROC_API int mproc_shared_create(mproc_shared **shared, size_t size);

/** Makes shared memory with these bytes in it.
 * @param shared  receives a handle, the caller's: see mproc_shared_destroy
 * @param data    what is copied; not NULL
 * @param size    bytes, from 1
 * @return as mproc_shared_create. Python: Value('i', 7), Array('i', [1, 2, 3]). */
MPROC_API int mproc_shared_create_copy(mproc_shared **shared, const void *data, size_t size);

/** Gives this process's handle and view up: pointers into it are not valid any more.
 * @param shared  NULL is fine. No other thread may be using it, and this process must not hold its lock. Python:
 *                SharedMemory.close; unlink is not needed. */
MPROC_API void mproc_shared_destroy(mproc_shared *shared);

/** What hands it to another process: as mproc_queue_ref.
 * @return the caller's; NULL (see mproc_last_error): MPROC_EINVAL for NULL, MPROC_ESYSTEM. */
MPROC_API cJSON *mproc_shared_ref(const mproc_shared *shared);

/** The memory that a received reference stands for. In a task whose argument it is, mproc_task_shared is shorter.
 * @param shared  receives a handle of its own, the caller's: see mproc_shared_destroy
 * @param ref     as it stood in args, kwargs, a message or an item; stays the caller's
 * @return 0; MPROC_EGUARD; MPROC_ETYPE, MPROC_ESTATE, MPROC_ENOTFOUND as of mproc_queue_from. Python: SharedMemory(name). */
MPROC_API int mproc_shared_from(mproc_shared **shared, const cJSON *ref);

/** The shared memory that was given as argument `index`; as mproc_task_connection. */
MPROC_API struct mproc_shared *mproc_task_shared(mproc_task *task, int index);

/** Where it begins in this process, aligned to a page; elsewhere in every other.
 * @return valid until mproc_shared_destroy; NULL for NULL. Python: SharedMemory.buf. */
MPROC_API void *mproc_shared_data(mproc_shared *shared);

/** @return the bytes that were asked for, in every process; 0 for NULL. Python: SharedMemory.size. */
MPROC_API size_t mproc_shared_size(const mproc_shared *shared);

/** Copies out of the memory, with its lock held: an element, or several.
 *
 *     double number;
 *     mproc_shared_read(shared, 3 * sizeof number, &number, sizeof number);
 *
 * What is read and written anew in one go, as in `number += 1`, wants the lock around both: mproc_shared_lock.
 * @param offset  bytes from the memory's beginning
 * @param data    receives them; NULL is fine where size is 0
 * @param size    bytes
 * @return 0; MPROC_EDIED: it was copied, but the last holder of the lock ended without releasing it, maybe while it was writing;
 *         MPROC_ERANGE: not all of it lies in the memory, and nothing was copied. Python: Value.value, Array[i], Array[i:j]. */
MPROC_API int mproc_shared_read(mproc_shared *shared, size_t offset, void *data, size_t size);

/** Copies into the memory, with its lock held; as mproc_shared_read.
 * @param data  NULL is fine where size is 0 */
MPROC_API int mproc_shared_write(mproc_shared *shared, size_t offset, const void *data, size_t size);

/** A recursive lock of its own; see mproc/sync.h.
 * @return the shared memory's: valid until mproc_shared_destroy, not to be destroyed, and handed over with the memory; NULL for
 *         NULL. Python: Value.get_lock, Array.get_lock. */
MPROC_API struct mproc_lock *mproc_shared_lock(mproc_shared *shared);

#ifdef __cplusplus
}
#endif

#endif
