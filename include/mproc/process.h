/* SPDX-License-Identifier: MIT */
/** @file
 * A process that runs one of this program's functions. Python: multiprocessing.Process.
 *
 *     mproc_process *process;
 *     mproc_process_options options = {0};
 *     options.args = mproc_pack("[s,i]", "test", 18);
 *     mproc_process_create(&process, run_proc, &options);    1. it exists, no process runs yet
 *     mproc_process_start(process);                          2. run_proc runs in a new process
 *     mproc_process_join(process, MPROC_FOREVER);            3. it has ended
 *     mproc_process_destroy(process);                        4. the handle is gone
 */
#ifndef MPROC_PROCESS_H
#define MPROC_PROCESS_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_process mproc_process;

/** All of it means the default where it is zero. */
typedef struct mproc_process_options {
    const char *name; /**< at most 255 bytes of UTF-8, copied. NULL: "Process-N", N from 1; in a child's child
                           "Process-N:M" */
    cJSON *args;      /**< a JSON array, or NULL: none; taken */
    cJSON *kwargs;    /**< a JSON object, or NULL: none; taken */
    const void *data; /**< a raw payload, copied; NULL: none */
    size_t size;      /**< its bytes */
    bool daemon;      /**< terminated, not joined, when this process ends */
} mproc_process_options;

/** Makes a process that can be started. Its arguments are encoded here, so that they may be changed afterwards and
 * what cannot be sent is told now.
 * @param process  receives the handle, the caller's: see mproc_process_destroy
 * @param target   a function of the table given to mproc_init
 * @param options  NULL: the defaults. args and kwargs are taken, also on failure
 * @return 0; MPROC_EINVAL (process or target is NULL, an empty name, or one that is not UTF-8; data is NULL but size is
 *         not 0; a number that is not finite); MPROC_EGUARD; MPROC_ETARGET; MPROC_ETYPE (args is not an array, kwargs
 *         not an object, or something in them is no value); MPROC_ERANGE (name too long, or values too deep or too
 *         large); MPROC_ESTATE (a reference in args that was sent before); or the error of a mproc_pack that gave NULL.
 * Python: Process(target=.., name=.., args=.., kwargs=.., daemon=..). */
MPROC_API int mproc_process_create(mproc_process **process, mproc_fn target, const mproc_process_options *options);

/** Starts the process. It inherits stdout, stderr and the working directory; its standard input is the null device.
 * @return 0; MPROC_EINVAL; MPROC_ESTATE (started before, or the current process); MPROC_ENOTFOUND or MPROC_EPERM (the
 *         executable is gone, or may not be run); MPROC_ESYSTEM (the system has no room for more processes or
 *         descriptors, ...). After any failure no process runs, and start may be tried again. Python: Process.start. */
MPROC_API int mproc_process_start(mproc_process *process);

/** Carries out the target in the calling process and thread, as if it had been called.
 * @return 0; MPROC_EINVAL; MPROC_ETASK with the task's text; MPROC_ESTATE (started before, the current or the parent
 *         process, or one whose arguments hold references and were used already). Python: Process.run. */
MPROC_API int mproc_process_run(mproc_process *process);

/** Waits for the process to end. Several threads may wait at once.
 * @param timeout_ms  milliseconds; MPROC_FOREVER; 0 only asks
 * @return 0 it has ended; MPROC_ETIMEDOUT it still runs; MPROC_EINVAL; MPROC_ESTATE (not started, or the current
 *         process); MPROC_EGUARD: it has ended, and never called mproc_init (only after mproc_set_executable).
 * Python: Process.join. */
MPROC_API int mproc_process_join(mproc_process *process, int64_t timeout_ms);

/** Ends the process: SIGTERM, TerminateProcess on Windows; its exit code then reads -15. No exit handlers run in it, and
 * its own children end too.
 * @return 0, also when it has ended already; MPROC_EINVAL; MPROC_ESTATE (not started, or not a child of this one);
 *         MPROC_EPERM; MPROC_ESYSTEM. Python: Process.terminate. */
MPROC_API int mproc_process_terminate(mproc_process *process);

/** The same with SIGKILL, which cannot be caught; its exit code then reads -9. Python: Process.kill. */
MPROC_API int mproc_process_kill(mproc_process *process);

/** Forgets the handle. The process goes on, and is still joined (or, a daemon, terminated) when this one ends.
 * @param process  NULL is fine, and so are the current and the parent process: nothing happens. No other thread may be
 *                 using it. Python: dropping the last reference. */
MPROC_API void mproc_process_destroy(mproc_process *process);

/** @param process  NULL is not alive
 * @return true from start until the process has ended. The current process is alive. Python: Process.is_alive. */
MPROC_API bool mproc_process_is_alive(const mproc_process *process);

/** How the process ended: 0 its target returned, n it called exit(n), 1 its task failed, -N signal N killed it (a
 * terminated one reads -15 and a killed one -9 on Windows too), on Windows after a crash its NTSTATUS.
 * @param exitcode  receives it
 * @return 0; MPROC_EINVAL; MPROC_ESTATE before the end; MPROC_ENOTFOUND where the application itself has collected it
 *         (waitpid(-1), or SIGCHLD ignored), so that nobody knows any more. Python: Process.exitcode. */
MPROC_API int mproc_process_exitcode(const mproc_process *process, int *exitcode);

/** @return the process's id; 0 before start, and for NULL. It stays after the end. Python: Process.pid. */
MPROC_API int mproc_process_pid(const mproc_process *process);

/** @return the name, valid until mproc_process_set_name or mproc_process_destroy; "" for NULL. Python: Process.name. */
MPROC_API const char *mproc_process_name(const mproc_process *process);

/** @return whether it is a daemon; false for NULL. Python: Process.daemon. */
MPROC_API bool mproc_process_daemon(const mproc_process *process);

/** Renames the process, as this process sees it: a child that runs already keeps the name it was started with. No other
 * thread may be using the old name.
 * @return 0; MPROC_EINVAL (NULL, empty, not UTF-8); MPROC_ERANGE (longer than 255 bytes). Python: Process.name = .. */
MPROC_API int mproc_process_set_name(mproc_process *process, const char *name);

/** @return 0; MPROC_EINVAL; MPROC_ESTATE after start. Python: Process.daemon = .. */
MPROC_API int mproc_process_set_daemon(mproc_process *process, bool daemon);

/** mproc_process_create and mproc_process_start in one.
 * @param process  receives the handle; untouched on failure
 * @param args     a JSON array or NULL; taken
 * @return as those two. */
MPROC_API int mproc_spawn(mproc_process **process, mproc_fn target, cJSON *args);

/** @return the process that calls: "MainProcess" in the first one; mproc's own, never NULL after mproc_init, NULL before.
 * Python: current_process. */
MPROC_API const mproc_process *mproc_current_process(void);

/** The process that started this one. It can be asked for its name, its pid and whether it is alive; it cannot be
 * ended from here.
 * @return mproc's own; NULL in the first process, and before mproc_init. Python: parent_process. */
MPROC_API const mproc_process *mproc_parent_process(void);

/** The children of this process that are alive and whose handles have not been destroyed.
 * @param children  receives their handles, still owned by whoever made them; NULL where capacity is 0
 * @param capacity  how many fit
 * @return how many there are, maybe more than capacity. Python: active_children. */
MPROC_API size_t mproc_active_children(mproc_process **children, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
