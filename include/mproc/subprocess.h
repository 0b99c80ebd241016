/* SPDX-License-Identifier: MIT */
/** @file
 * Other programs: start them, feed them, read them. Python: subprocess.
 *
 *     const char *const argv[] = {"git", "status", "--short", NULL};
 *     mproc_completed completed;
 *     if (mproc_check_output(argv, &completed) == 0) {
 *         fputs(completed.out, stdout);
 *     }
 *     mproc_completed_clear(&completed);
 *
 * No shell is involved: each argument arrives as it was given, on Windows too. A program gets its three standard streams and no
 * other descriptor or handle. Unless it is `detached`, it ends with this process, in whatever way that ends; on POSIX that
 * is a promise for the program itself, and where it has a process group of its own, mproc_run and mproc_popen_destroy end
 * what it has started, too. It has one unless it inherits a terminal: so it can read from that, and get its Ctrl-C, as from
 * a shell. On Windows each program has a job of its own.
 *
 * Returncodes are exit codes; -N: ended by signal N. On Windows, where there are no signals, -15 and -9 tell of
 * mproc_popen_terminate and mproc_popen_kill.
 *
 * What goes through pipes is bytes, which nobody translates: a Windows program may end its lines with \r\n. (Python: without
 * text=True.) All strings are UTF-8. A popen may be used by several threads, but each of its streams by one at a time. Besides the errors
 * that are named, each call can return MPROC_EINVAL (NULL where it is not fine, a negative timeout), MPROC_ENOMEM and
 * MPROC_ESYSTEM. */
#ifndef MPROC_SUBPROCESS_H
#define MPROC_SUBPROCESS_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_popen mproc_popen;

/** Where a standard stream goes. */
typedef enum mproc_redirect {
    MPROC_INHERIT = 0, /**< this process's own */
    MPROC_PIPE,        /**< read or written by this process */
    MPROC_DEVNULL,     /**< reads nothing, keeps nothing */
    MPROC_STDOUT,      /**< for err: wherever out goes */
    MPROC_FILE         /**< the path: in reads it, out and err write it from its beginning */
} mproc_redirect;

/** One standard stream. */
typedef struct mproc_stdio {
    mproc_redirect kind;
    const char *path; /**< of MPROC_FILE, relative to this process's folder; NULL otherwise */
} mproc_stdio;

/** Zeroed but for argv: a program that runs where this one does, with its environment and its streams. */
typedef struct mproc_popen_options {
    const char *const *argv; /**< NULL-terminated; argv[0] is looked up in PATH, where it has no folder in it */
    const char *cwd;         /**< where it runs; NULL: where this process does */
    const char *const *env;  /**< "NAME=value", NULL-terminated, the whole of it; NULL: this process's. Windows programs
                                * hardly start without SYSTEMROOT */
    mproc_stdio in, out, err;
    bool detached; /**< it outlives this process, in a session of its own without a terminal */
} mproc_popen_options;

/** Starts a program.
 *
 * argv[0] without a folder in it is looked up in the PATH of `env`, or of this process. On Windows .exe or .com is added where
 * it is missing, in the order of PATHEXT, and nothing is ever found in the current folder. A batch file (.bat, .cmd) is run
 * only if it is named with its extension, and only with arguments that cmd.exe cannot take for something else: it reads
 * them once more, and no quoting makes that safe. A path is relative to `cwd` on POSIX, and to this process's folder on
 * Windows, as in Python.
 * @param process  receives it, the caller's: see mproc_popen_destroy
 * @param options  all of it is copied
 * @return 0; MPROC_EGUARD; MPROC_EINVAL (no program is named, a variable without '=', MPROC_STDOUT for another stream than err,
 *         MPROC_FILE without a path, an argument that a batch file cannot get); MPROC_ENOTFOUND (no such program, folder
 *         `cwd`, or file); MPROC_EPERM (it is a folder, or may not be run, or is no program); MPROC_ERANGE (the command line
 *         is too long for Windows). The message names the path. Nothing has been started then.
 * Python: Popen(args, cwd=, env=, stdin=, stdout=, stderr=, start_new_session=). */
MPROC_API int mproc_popen_create(mproc_popen **process, const mproc_popen_options *options);

/** The process's number, also after its end.
 * @return MPROC_EINVAL for NULL. Python: Popen.pid. */
MPROC_API int mproc_popen_pid(const mproc_popen *process);

/** How it ended, if it has.
 * @param returncode  receives it; NULL: not wanted
 * @return 0; MPROC_ESTATE: it runs; MPROC_ENOTFOUND: it has ended, and the application has collected it (waitpid(-1), SIGCHLD
 *         ignored), so that nobody knows how. Python: Popen.poll. */
MPROC_API int mproc_popen_poll(mproc_popen *process, int *returncode);

/** Waits for its end. A program that waits for its pipe to be read does not end: mproc_popen_communicate reads meanwhile.
 * @param returncode  receives it; NULL: not wanted
 * @param timeout_ms  milliseconds; MPROC_FOREVER; 0 only asks
 * @return 0; MPROC_ETIMEDOUT: it goes on; MPROC_ENOTFOUND as above. Python: Popen.wait. */
MPROC_API int mproc_popen_wait(mproc_popen *process, int *returncode, int64_t timeout_ms);

/** Writes all of it to the program's standard input, waiting while its pipe is full.
 * @param data  NULL is fine where size is 0
 * @return 0; MPROC_ESTATE: its input is no pipe of this process's, was closed, or is fed by
 *         mproc_popen_communicate; MPROC_ECLOSED: the program does not read it
 *         any more. Python: Popen.stdin.write and flush. */
MPROC_API int mproc_popen_write(mproc_popen *process, const void *data, size_t size);

/** Lets the program see the end of its input. A second call does nothing.
 * @return 0; MPROC_ESTATE: its input is no pipe of this process's. Python: Popen.stdin.close. */
MPROC_API int mproc_popen_close_stdin(mproc_popen *process);

/** Reads what the program has written, at least one byte, and not more than there is.
 * @param stream      1: its standard output; 2: its standard error
 * @param buffer      receives it
 * @param size        how much has room there; not 0
 * @param timeout_ms  milliseconds; MPROC_FOREVER; 0 never waits
 * @return how many bytes; 0: the end, nobody can write any more; MPROC_ETIMEDOUT; MPROC_ESTATE: it is no pipe.
 * Python: Popen.stdout.read1. */
MPROC_API int64_t mproc_popen_read(mproc_popen *process, int stream, void *buffer, size_t size, int64_t timeout_ms);

/** Sends a signal; does nothing once the program has ended.
 * @param signal  as signal.h has it; on Windows SIGTERM or 9 (kill) only
 * @return 0; MPROC_ENOTSUP; MPROC_EPERM: the program has become another user's. Python: Popen.send_signal. */
MPROC_API int mproc_popen_send_signal(mproc_popen *process, int signal);

/** Asks the program to end (SIGTERM); on Windows it ends at once. Does nothing once it has.
 * @return 0; MPROC_EPERM. Python: Popen.terminate. */
MPROC_API int mproc_popen_terminate(mproc_popen *process);

/** Ends the program at once. Does nothing once it has ended.
 * @return 0; MPROC_EPERM. Python: Popen.kill. */
MPROC_API int mproc_popen_kill(mproc_popen *process);

/** Frees it. A program that still runs is killed, with what it started, and waited for, unless it is detached.
 * @param process  NULL is fine. No other thread may be using it. Python: leaving `with Popen(..)`, which waits instead. */
MPROC_API void mproc_popen_destroy(mproc_popen *process);

/** What became of a program. */
typedef struct mproc_completed {
    int returncode;
    char *out; /**< what it wrote to its standard output, and '\0'; NULL where that was no pipe */
    char *err; /**< the same of its standard error */
    size_t out_size, err_size;
} mproc_completed;

/** Feeds the program and reads both its outputs at once, so that neither side can block the other for good; then waits for its
 * end. That the program does not read all of its input is no error.
 *
 * After MPROC_ETIMEDOUT it may be called again: nothing is lost, of the input neither. After the end it gives the same once more.
 * @param input       for its standard input; NULL where size is 0. In further calls it may be left away
 * @param completed   receives what it wrote, to be freed by mproc_completed_clear; untouched on failure
 * @param timeout_ms  milliseconds; MPROC_FOREVER
 * @return 0; MPROC_ETIMEDOUT: it goes on; MPROC_ESTATE: there is input, but its standard input is no pipe or was closed, or
 *         other input was given before; MPROC_ENOTFOUND as of mproc_popen_poll: `completed` has all but the returncode. Python: Popen.communicate. */
MPROC_API int mproc_popen_communicate(mproc_popen *process, const void *input, size_t size, mproc_completed *completed,
                                      int64_t timeout_ms);

/** Frees what is in it, and zeroes it.
 * @param completed  NULL is fine, and a zeroed one */
MPROC_API void mproc_completed_clear(mproc_completed *completed);

/** Starts a program, feeds it, reads it, waits for its end.
 *
 * When the timeout runs out, the program and what it has started are killed, and `completed` has what was read until then,
 * also where something that has left the program's group still holds its pipes.
 * @param options    as of mproc_popen_create; where there is input, options->in may be MPROC_INHERIT and is a pipe then
 * @param input      for its standard input; NULL where size is 0
 * @param completed  receives what it wrote; zeroed on other failures than MPROC_ETIMEDOUT and MPROC_ENOTFOUND (as of mproc_popen_poll). To be cleared in any case. NULL: not
 *                   wanted
 * @param timeout_ms milliseconds; MPROC_FOREVER
 * @return 0, whatever the returncode is; MPROC_ETIMEDOUT; as mproc_popen_create; MPROC_EINVAL: there is input, and options->in is
 *         something else; MPROC_ENOTFOUND, with output, as of mproc_popen_communicate. Python: run(args, input=, timeout=). */
MPROC_API int mproc_run(const mproc_popen_options *options, const void *input, size_t size, mproc_completed *completed,
                        int64_t timeout_ms);

/** Runs a program on this process's own streams and waits for it.
 * @param argv        as in mproc_popen_options
 * @param returncode  receives it; NULL: not wanted
 * @return 0, whatever the returncode is; as mproc_popen_create. Python: call. */
MPROC_API int mproc_call(const char *const *argv, int *returncode);

/** The same for a program that has to succeed.
 * @return 0; MPROC_ETASK: its returncode is not 0: mproc_last_error() has it, and the program's name. As
 *         mproc_popen_create. Python: check_call. */
MPROC_API int mproc_check_call(const char *const *argv);

/** Runs a program that has to succeed, and gives what it writes to its standard output.
 * @param completed  receives it, also with MPROC_ETASK; zeroed on other failures. To be cleared in any case
 * @return as mproc_check_call. Python: check_output. */
MPROC_API int mproc_check_output(const char *const *argv, mproc_completed *completed);

#ifdef __cplusplus
}
#endif

#endif
