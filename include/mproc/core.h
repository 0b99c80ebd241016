/* SPDX-License-Identifier: MIT */
/** @file
 * Start-up guard, targets, the running task, errors, clock.
 *
 * Rules that hold for every function of mproc, unless its own comment says otherwise:
 *  - it may be called from any thread;
 *  - strings are UTF-8, and a string given to mproc is copied;
 *  - a cJSON value given to mproc is taken, also on failure; a value received is the caller's, to be freed with
 *    cJSON_Delete;
 *  - a call that fails returns a negative MPROC_E* code, leaves its out parameters as they were, and has put a message
 *    for a person into mproc_last_error();
 *  - before mproc_init has run, calls fail with MPROC_EGUARD;
 *  - MPROC_ENOMEM may come from every call that allocates. */
#ifndef MPROC_CORE_H
#define MPROC_CORE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The build defines MPROC_API where a shared library needs a mark on each function (see cmake/mproc.cmake). */
#ifndef MPROC_API
#define MPROC_API
#endif

#if defined(__GNUC__)
#define MPROC_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#else
#define MPROC_PRINTF(format_index, first_index)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define MPROC_VERSION_MAJOR 0
#define MPROC_VERSION_MINOR 1
#define MPROC_VERSION_PATCH 0

/** A timeout_ms that never runs out. 0 never waits; other negative timeouts are MPROC_EINVAL. */
#define MPROC_FOREVER ((int64_t)-1)

/** The largest value or run of bytes that is sent in one piece: 2 GiB. */
#define MPROC_MESSAGE_MAX ((uint64_t)1 << 31)

/* Errors ----------------------------------------------------------------------------------------------------- */

/** Every error: its name, its number and its text. The numbers are the same on every system. */
#define MPROC_ERRORS(X)                                                                                                \
    X(MPROC_EINVAL, -30001, "an argument makes no sense")                                                              \
    X(MPROC_ENOMEM, -30000, "out of memory")                                                                           \
    X(MPROC_ETIMEDOUT, -29999, "the timeout ran out")                                                                  \
    X(MPROC_EFULL, -29998, "the queue is full")                                                                        \
    X(MPROC_EEMPTY, -29997, "the queue is empty")                                                                      \
    X(MPROC_ECLOSED, -29996, "it is closed, or its other end is gone")                                                 \
    X(MPROC_ESTATE, -29995, "it is not in the state that this call needs")                                             \
    X(MPROC_ETARGET, -29994, "the function is not in the table given to mproc_init")                                   \
    X(MPROC_EGUARD, -29993, "mproc_init has not run in this process")                                                  \
    X(MPROC_ETASK, -29992, "the task reported a failure")                                                              \
    X(MPROC_EDIED, -29991, "the process that ran the task ended before it returned")                                   \
    X(MPROC_ECANCELED, -29990, "the task was cancelled before it ran")                                                 \
    X(MPROC_ETYPE, -29989, "a JSON value is not of the kind that was asked for")                                       \
    X(MPROC_ERANGE, -29988, "it is over a limit")                                                                      \
    X(MPROC_ENOTFOUND, -29987, "no such program, file or object")                                                      \
    X(MPROC_EPERM, -29986, "the system, or ownership, forbids it")                                                     \
    X(MPROC_ENOTSUP, -29985, "not on this system")                                                                     \
    X(MPROC_ESYSTEM, -29984, "the system reported an error")

enum {
#define MPROC_ERROR_ENUM(name, number, text) name = (number),
    MPROC_ERRORS(MPROC_ERROR_ENUM)
#undef MPROC_ERROR_ENUM
        MPROC_OK = 0
};

/** What went wrong, for a program and for a person. */
typedef struct mproc_error {
    int code;        /**< MPROC_OK, or one of the above */
    int system_code; /**< errno, or GetLastError(), where the system is the cause; else 0 */
    const char
        *message;       /**< one line: what was tried, on which object, why it failed, what to do where that is known */
    const char *target; /**< the task's function, or NULL */
    int pid;            /**< the process that failed, or 0 */
    int exitcode;       /**< how it ended (as in mproc_process_exitcode), where code is MPROC_EDIED */
} mproc_error;

/** The last failure of a call that the calling thread made.
 * @return never NULL; mproc's own, valid until the thread's next mproc call; `code` is MPROC_OK where none has failed.
 * Python: the exception. */
MPROC_API const mproc_error *mproc_last_error(void);

/** The text of a code, such as "the queue is full".
 * @param code  any number
 * @return never NULL, static; "unknown error" for a number that is no code. Needs no mproc_init. */
MPROC_API const char *mproc_strerror(int code);

/** The name of a code, such as "MPROC_EFULL".
 * @param code  any number
 * @return never NULL, static; "MPROC_E?" for a number that is no code. Needs no mproc_init. */
MPROC_API const char *mproc_err_name(int code);

/** Frees bytes that mproc handed out (mproc_connection_recv_bytes, ...).
 * @param data  NULL is fine */
MPROC_API void mproc_free(void *data);

/* Start-up guard --------------------------------------------------------------------------------------------- */

/** A call being carried out, as its function sees it. */
typedef struct mproc_task mproc_task;

/** A function that may run in another process. It reads its arguments from the task, and returns by returning. */
typedef void (*mproc_fn)(mproc_task *task);

/** One row of the table of functions that other processes may be asked to run. */
typedef struct mproc_target {
    const char *name; /**< how the function is named between processes; unique in the table */
    mproc_fn fn;
} mproc_target;

#define MPROC_TARGET(function)                                                                                         \
    { #function, function }
#define MPROC_TARGETS_END                                                                                              \
    { NULL, NULL }

/** The first statement of main. In a process that mproc started it carries out the work and never returns; in any other
 * it returns 0 and mproc is ready. It starts no thread and no process.
 * @param argc, argv  main's own
 * @param targets     every function that may run in another process, ended by MPROC_TARGETS_END; must stay as it is
 *                    until mproc_shutdown. NULL: none
 * @return 0; MPROC_EINVAL (argv is NULL, a row without a name or function, a name twice, or a command line that only
 *         mproc may write); MPROC_ESTATE (it has run before); MPROC_ESYSTEM (the program's executable cannot be opened).
 * Call it from the main thread. Python: `if __name__ == '__main__':`. */
MPROC_API int mproc_init(int argc, char **argv, const mproc_target *targets);

/** Starts children from another program than this process's own executable; it must call mproc_init too, and know the
 * targets by the same names. No other thread may be starting a process meanwhile.
 * @param path  the program's file; relative paths count from the present working directory. NULL: this program again
 * @return 0; MPROC_EGUARD; MPROC_ENOTFOUND; MPROC_EPERM (it is not a file that may be run).
 * Python: multiprocessing.set_executable. */
MPROC_API int mproc_set_executable(const char *path);

/** Terminates the children that are daemons, joins the others, and frees everything. Runs by itself at exit and when
 * main returns. Afterwards mproc_init may be called again. Handles of processes that were not destroyed stay readable
 * and still want mproc_process_destroy. Does nothing before mproc_init. */
MPROC_API void mproc_shutdown(void);

/* Inside a task ---------------------------------------------------------------------------------------------- */

/** @return the arguments: a JSON array, maybe empty; never NULL; the task's. Python: args. */
MPROC_API const cJSON *mproc_task_args(const mproc_task *task);

/** @return the named arguments: a JSON object, maybe empty; never NULL; the task's. Python: kwargs. */
MPROC_API const cJSON *mproc_task_kwargs(const mproc_task *task);

/** The raw payload.
 * @param size  receives its bytes; NULL is fine
 * @return aligned to 16 bytes; NULL where there is none; the task's. */
MPROC_API const void *mproc_task_bytes(const mproc_task *task, size_t *size);

/** mproc_unpack (value.h) on the task's arguments: positional ones in ( ), named ones in { }.
 *
 *     const char *name; int age, m = 0;
 *     if (mproc_task_unpack(task, "(s=name, i=age){s?:i}", &name, &age, "m", &m)) return;
 *
 * A positional letter may be followed by `=name`, which only serves the message, and by `?` when it may be missing (as
 * all that follow it then must be). A call with more positional arguments than the format has fails.
 * @param format  at most one ( ) group and one { } group, in this order
 * @return 0; MPROC_ETYPE: the task has failed (as by mproc_task_fail) with a message such as
 *         `run_proc: argument 1 (age) should be a whole number, but is the string "x"`: just return; MPROC_EINVAL: the
 *         format makes no sense, the task has failed with that. */
MPROC_API int mproc_task_unpack(mproc_task *task, const char *format, ...);

/** Sets the task's result; the last call counts.
 * @param value  taken; NULL is null. Only for tasks whose caller waits for a result; a Process drops it */
MPROC_API void mproc_task_return(mproc_task *task, cJSON *value);

/** Sets the task's result to raw bytes; the last call counts.
 * @param data  copied; NULL is fine where size is 0
 * @param size  bytes
 * @return 0; MPROC_EINVAL; MPROC_ENOMEM. */
MPROC_API int mproc_task_return_bytes(mproc_task *task, const void *data, size_t size);

/** Makes the task a failed one once its function returns: the caller gets MPROC_ETASK with this text; a Process ends
 * with exit code 1 and the text on stderr. The first failure of a task counts.
 * @param format  as for printf; text past 1,000 bytes is cut. Python: raise. */
MPROC_API void mproc_task_fail(mproc_task *task, const char *format, ...) MPROC_PRINTF(2, 3);

/** @return true where somebody asked this running task to give up. Never true in a Process. */
MPROC_API bool mproc_task_cancelled(const mproc_task *task);

struct mproc_connection;

/** The connection that was given as argument `index`.
 * @param index  from 0
 * @return the task's: usable until its function returns, not to be closed; the same one at every call; NULL, and the
 *         task fails, where the argument is missing or is something else. */
MPROC_API struct mproc_connection *mproc_task_connection(mproc_task *task, int index);

/** The queue that was given as argument `index`; as mproc_task_connection. */
MPROC_API struct mproc_queue *mproc_task_queue(mproc_task *task, int index);

/* Little helpers that are the same on every system ------------------------------------------------------------- */

/** @return this process's id. Needs no mproc_init. Python: os.getpid. */
MPROC_API int mproc_getpid(void);

/** @return the id of the process that started this one. Needs no mproc_init. Python: os.getppid. */
MPROC_API int mproc_getppid(void);

/** @return how many CPUs this process may use, at least 1: affinity and a container's limit count. Needs no mproc_init.
 * Python: len(os.sched_getaffinity(0)), and the cgroup's quota. */
MPROC_API int mproc_cpu_count(void);

/** Sleeps for at least `ms` milliseconds; not at all where it is 0 or less. Needs no mproc_init. Python: time.sleep. */
MPROC_API void mproc_sleep(int64_t ms);

/** @return seconds since some moment in the past, monotonic. Needs no mproc_init. Python: time.monotonic. */
MPROC_API double mproc_time(void);

#ifdef __cplusplus
}
#endif

#endif
