/* SPDX-License-Identifier: MIT */
/** @file
 * Locks and signals between processes. Python: multiprocessing.Lock, RLock, Semaphore, BoundedSemaphore, Event, Condition,
 * Barrier.
 *
 *     mproc_lock *lock;
 *     if (mproc_lock_create(&lock, false) == 0 && mproc_lock_acquire(lock, MPROC_FOREVER) == 0) {
 *         ...
 *         mproc_lock_release(lock);
 *     }
 *
 * Each is made anywhere, and handed to other processes inside args, kwargs, messages, items and results, as often as is wanted.
 * Their state is in memory that these processes share: what need not wait is a few atomic operations, without a system
 * call.
 *
 * **No death blocks anybody.** What a process held that has ended, in whatever way, is released at once, and its next holder is
 * told (MPROC_EDIED), since what the lock guards may be in disorder. A waiter that dies is forgotten; what it had been
 * notified of goes to another one; a barrier in which a party dies is broken.
 *
 * Waiters are served in the order of their arrival. A newcomer may be quicker than one that is being woken, but not once that has
 * waited for a millisecond: none starves.
 *
 * Any number of threads of any processes may use one at the same time. Besides the errors that are named, each call can return
 * MPROC_EINVAL (NULL where it is not fine, a negative timeout), MPROC_ESTATE (a handle that was destroyed, which is noticed as
 * long as its memory has not become another's), MPROC_ENOMEM and MPROC_ESYSTEM. Timeouts are milliseconds; MPROC_FOREVER; 0
 * never waits. */
#ifndef MPROC_SYNC_H
#define MPROC_SYNC_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_lock mproc_lock;
typedef struct mproc_semaphore mproc_semaphore;
typedef struct mproc_event mproc_event;
typedef struct mproc_condition mproc_condition;
typedef struct mproc_barrier mproc_barrier;

/* Locks ------------------------------------------------------------------------------------------------------ */

/** Makes a lock. It belongs to the thread that has acquired it, and only that one can release it; to signal, use a semaphore or
 * an event.
 * @param lock       receives a handle, the caller's: see mproc_lock_destroy
 * @param recursive  whether its holder may acquire it again, and then has to release it as often
 * @return 0; MPROC_EGUARD. Python: Lock(), RLock(). */
MPROC_API int mproc_lock_create(mproc_lock **lock, bool recursive);

/** Gives this process's handle up; the lock lasts until nobody has one.
 * @param lock  NULL is fine. No other thread may be using it. Held, it stays so until this process ends. */
MPROC_API void mproc_lock_destroy(mproc_lock *lock);

/** What hands it to another process: as mproc_queue_ref.
 * @return the caller's; NULL (see mproc_last_error): MPROC_EINVAL, MPROC_ESTATE, MPROC_ESYSTEM. */
MPROC_API cJSON *mproc_lock_ref(const mproc_lock *lock);

/** The lock that a received reference stands for. In a task whose argument it is, mproc_task_lock is shorter.
 * @param lock  receives a handle of its own, the caller's: see mproc_lock_destroy
 * @param ref  as it stood in args, kwargs, a message or an item; stays the caller's
 * @return 0; MPROC_EGUARD; MPROC_ETYPE, MPROC_ESTATE, MPROC_ENOTFOUND as of mproc_queue_from. */
MPROC_API int mproc_lock_from(mproc_lock **lock, const cJSON *ref);

/** The lock that was given as argument `index`; as mproc_task_connection. */
MPROC_API struct mproc_lock *mproc_task_lock(mproc_task *task, int index);

/** Acquires the lock, waiting while another thread has it.
 * @return 0; MPROC_EDIED: it is acquired, but its last holder ended without releasing it; MPROC_ETIMEDOUT; MPROC_ESTATE: this
 *         thread has it, it is not recursive, and the wait would be for ever. Python: Lock.acquire. */
MPROC_API int mproc_lock_acquire(mproc_lock *lock, int64_t timeout_ms);

/** Releases it.
 * @return 0; MPROC_EPERM: this thread does not hold it. Python: Lock.release. */
MPROC_API int mproc_lock_release(mproc_lock *lock);

/* Semaphores ------------------------------------------------------------------------------------------------- */

/** Makes a semaphore: a count that acquiring lowers, and does not lower below 0. Any thread may release it.
 *
 * A bounded one that is full at first (value == max <= 192) hands out permits: they come back when the process ends that has
 * acquired them, as a lock does. Every other one only counts signals: what was acquired is gone, with or without its
 * process.
 * @param semaphore  receives a handle, the caller's: see mproc_semaphore_destroy
 * @param value      the count at first
 * @param max        the most that it can be; 0: no limit
 * @return 0; MPROC_EGUARD; MPROC_EINVAL: value is more than max, or more than INT_MAX. Python: Semaphore(value),
 *         BoundedSemaphore(value). */
MPROC_API int mproc_semaphore_create(mproc_semaphore **semaphore, unsigned value, unsigned max);

/** Gives this process's handle up; the semaphore lasts until nobody has one.
 * @param semaphore  NULL is fine. No other thread may be using it. */
MPROC_API void mproc_semaphore_destroy(mproc_semaphore *semaphore);

/** What hands it to another process: as mproc_queue_ref.
 * @return the caller's; NULL (see mproc_last_error): MPROC_EINVAL, MPROC_ESTATE, MPROC_ESYSTEM. */
MPROC_API cJSON *mproc_semaphore_ref(const mproc_semaphore *semaphore);

/** The semaphore that a received reference stands for. In a task whose argument it is, mproc_task_semaphore is shorter.
 * @param semaphore  receives a handle of its own, the caller's: see mproc_semaphore_destroy
 * @param ref  as it stood in args, kwargs, a message or an item; stays the caller's
 * @return 0; MPROC_EGUARD; MPROC_ETYPE, MPROC_ESTATE, MPROC_ENOTFOUND as of mproc_queue_from. */
MPROC_API int mproc_semaphore_from(mproc_semaphore **semaphore, const cJSON *ref);

/** The semaphore that was given as argument `index`; as mproc_task_connection. */
MPROC_API struct mproc_semaphore *mproc_task_semaphore(mproc_task *task, int index);

/** Lowers the count by one, waiting while it is 0.
 * @return 0; MPROC_EDIED: acquired, but a process that had a permit ended without releasing it; MPROC_ETIMEDOUT. Python:
 *         Semaphore.acquire. */
MPROC_API int mproc_semaphore_acquire(mproc_semaphore *semaphore, int64_t timeout_ms);

/** Raises the count by one.
 * @return 0; MPROC_ERANGE: it is at its maximum. Python: Semaphore.release. */
MPROC_API int mproc_semaphore_release(mproc_semaphore *semaphore);

/** @return the count, which may be another one by now; or an error. Python: Semaphore.get_value. */
MPROC_API int mproc_semaphore_value(const mproc_semaphore *semaphore);

/* Events ----------------------------------------------------------------------------------------------------- */

/** Makes an event, which is not set.
 * @param event  receives a handle, the caller's: see mproc_event_destroy
 * @return 0; MPROC_EGUARD. Python: Event(). */
MPROC_API int mproc_event_create(mproc_event **event);

/** Gives this process's handle up; the event lasts until nobody has one.
 * @param event  NULL is fine. No other thread may be using it. */
MPROC_API void mproc_event_destroy(mproc_event *event);

/** What hands it to another process: as mproc_queue_ref.
 * @return the caller's; NULL (see mproc_last_error): MPROC_EINVAL, MPROC_ESTATE, MPROC_ESYSTEM. */
MPROC_API cJSON *mproc_event_ref(const mproc_event *event);

/** The event that a received reference stands for. In a task whose argument it is, mproc_task_event is shorter.
 * @param event  receives a handle of its own, the caller's: see mproc_event_destroy
 * @param ref  as it stood in args, kwargs, a message or an item; stays the caller's
 * @return 0; MPROC_EGUARD; MPROC_ETYPE, MPROC_ESTATE, MPROC_ENOTFOUND as of mproc_queue_from. */
MPROC_API int mproc_event_from(mproc_event **event, const cJSON *ref);

/** The event that was given as argument `index`; as mproc_task_connection. */
MPROC_API struct mproc_event *mproc_task_event(mproc_task *task, int index);

/** Sets it, and wakes all who wait for it. One that is set stays so. Python: Event.set.
 * @return 0. */
MPROC_API int mproc_event_set(mproc_event *event);

/** Python: Event.clear.
 * @return 0. */
MPROC_API int mproc_event_clear(mproc_event *event);

/** @return whether it is set; false on an error. Python: Event.is_set. */
MPROC_API bool mproc_event_is_set(const mproc_event *event);

/** Waits until it is set. Who waits when it is set is woken, also where it is cleared again at once.
 * @return 0; MPROC_ETIMEDOUT. Python: Event.wait. */
MPROC_API int mproc_event_wait(mproc_event *event, int64_t timeout_ms);

/* Conditions ------------------------------------------------------------------------------------------------- */

/** Makes a condition of a lock.
 * @param condition  receives a handle, the caller's: see mproc_condition_destroy
 * @param lock       stays the caller's; the condition keeps it alive. To be acquired before each of the calls below, in
 *                   other processes by a handle of its own
 * @return 0; MPROC_EGUARD. Python: Condition(lock). */
MPROC_API int mproc_condition_create(mproc_condition **condition, mproc_lock *lock);

/** Gives this process's handle up; the condition lasts until nobody has one.
 * @param condition  NULL is fine. No other thread may be using it. */
MPROC_API void mproc_condition_destroy(mproc_condition *condition);

/** What hands it to another process: as mproc_queue_ref.
 * @return the caller's; NULL (see mproc_last_error): MPROC_EINVAL, MPROC_ESTATE, MPROC_ESYSTEM. */
MPROC_API cJSON *mproc_condition_ref(const mproc_condition *condition);

/** The condition that a received reference stands for. In a task whose argument it is, mproc_task_condition is shorter.
 * @param condition  receives a handle of its own, the caller's: see mproc_condition_destroy
 * @param ref  as it stood in args, kwargs, a message or an item; stays the caller's
 * @return 0; MPROC_EGUARD; MPROC_ETYPE, MPROC_ESTATE, MPROC_ENOTFOUND as of mproc_queue_from. */
MPROC_API int mproc_condition_from(mproc_condition **condition, const cJSON *ref);

/** The condition that was given as argument `index`; as mproc_task_connection. */
MPROC_API struct mproc_condition *mproc_task_condition(mproc_task *task, int index);

/** Releases the lock, waits to be notified, and acquires the lock again, as often as it was. Nobody is woken who was not
 * notified.
 * @return with the lock held: 0; MPROC_ETIMEDOUT (the timeout is for the notification, not for the lock); MPROC_EDIED: notified or
 *         not, and the lock's last holder ended without releasing it. As before the call: MPROC_EPERM: this thread does
 *         not hold the lock; MPROC_ERANGE: 300 threads wait already. Python: Condition.wait. */
MPROC_API int mproc_condition_wait(mproc_condition *condition, int64_t timeout_ms);

/** Wakes those who have waited longest.
 * @param n  how many at most
 * @return 0; MPROC_EPERM: this thread does not hold the lock. Python: Condition.notify. */
MPROC_API int mproc_condition_notify(mproc_condition *condition, unsigned n);

/** Wakes all who wait.
 * @return as mproc_condition_notify. Python: Condition.notify_all. */
MPROC_API int mproc_condition_notify_all(mproc_condition *condition);

/* Barriers --------------------------------------------------------------------------------------------------- */

/** Makes a barrier, at which so many threads wait for each other.
 * @param barrier  receives a handle, the caller's: see mproc_barrier_destroy
 * @param parties  from 1 to 300
 * @return 0; MPROC_EGUARD; MPROC_EINVAL: no parties; MPROC_ERANGE: too many. Python: Barrier(parties). */
MPROC_API int mproc_barrier_create(mproc_barrier **barrier, unsigned parties);

/** Gives this process's handle up; the barrier lasts until nobody has one.
 * @param barrier  NULL is fine. No other thread may be using it. */
MPROC_API void mproc_barrier_destroy(mproc_barrier *barrier);

/** What hands it to another process: as mproc_queue_ref.
 * @return the caller's; NULL (see mproc_last_error): MPROC_EINVAL, MPROC_ESTATE, MPROC_ESYSTEM. */
MPROC_API cJSON *mproc_barrier_ref(const mproc_barrier *barrier);

/** The barrier that a received reference stands for. In a task whose argument it is, mproc_task_barrier is shorter.
 * @param barrier  receives a handle of its own, the caller's: see mproc_barrier_destroy
 * @param ref  as it stood in args, kwargs, a message or an item; stays the caller's
 * @return 0; MPROC_EGUARD; MPROC_ETYPE, MPROC_ESTATE, MPROC_ENOTFOUND as of mproc_queue_from. */
MPROC_API int mproc_barrier_from(mproc_barrier **barrier, const cJSON *ref);

/** The barrier that was given as argument `index`; as mproc_task_connection. */
MPROC_API struct mproc_barrier *mproc_task_barrier(mproc_task *task, int index);

/** Waits until all parties have come; then the barrier is as new. A timeout that runs out breaks it, and so does the death of a
 * process that waits.
 * @return the order of arrival, 0 to parties - 1; MPROC_ECLOSED: it is broken, or was while this thread waited. Python:
 *         Barrier.wait. */
MPROC_API int mproc_barrier_wait(mproc_barrier *barrier, int64_t timeout_ms);

/** Breaks it: all who wait, and all who come until it is reset, get MPROC_ECLOSED. Python: Barrier.abort.
 * @return 0. */
MPROC_API int mproc_barrier_abort(mproc_barrier *barrier);

/** Makes it as new; who waits gets MPROC_ECLOSED. Python: Barrier.reset.
 * @return 0. */
MPROC_API int mproc_barrier_reset(mproc_barrier *barrier);

#ifdef __cplusplus
}
#endif

#endif
