/* SPDX-License-Identifier: MIT */
/* Linux 6.18 and later can be asked for silence in the call itself. Elsewhere the signal is blocked for the thread while it
 * writes, and taken back where the write raised it, which costs two more system calls. */
#include "posix/quiet_write.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/thread_local.h"

struct sigpipe {
    sigset_t saved;
    bool was_pending;
};

static bool is_pending(void) {
    sigset_t pending;
    sigemptyset(&pending);
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE);
}

static void block(struct sigpipe *sigpipe) {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, &sigpipe->saved); /* fails for a bad first argument only */
    sigpipe->was_pending = sigismember(&sigpipe->saved, SIGPIPE) && is_pending();
}

static void restore(const struct sigpipe *sigpipe, bool raised) {
    if (raised && !sigpipe->was_pending && is_pending()) {
        sigset_t taken;
        int signal_number;
        sigemptyset(&taken);
        sigaddset(&taken, SIGPIPE);
        (void)sigwait(&taken, &signal_number); /* it is pending, so this returns at once */
    }
    (void)pthread_sigmask(SIG_SETMASK, &sigpipe->saved, NULL);
}

static ssize_t write_with_signal_blocked(int descriptor, const struct iovec *vectors, int count) {
    struct sigpipe sigpipe;
    block(&sigpipe);
    ssize_t written = writev(descriptor, vectors, count);
    int number = errno;
    restore(&sigpipe, written < 0 && number == EPIPE);
    errno = number;
    return written;
}

#ifdef MPROC_HAVE_PWRITEV2
#define WRITE_WITHOUT_SIGNAL 0x100 /* RWF_NOSIGNAL: not in the headers of older systems */

static THREAD_LOCAL bool kernel_is_older;

ssize_t quiet_write(int descriptor, const struct iovec *vectors, int count) {
    if (!kernel_is_older) {
        ssize_t written = pwritev2(descriptor, vectors, count, -1, WRITE_WITHOUT_SIGNAL);
        if (written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) {
            return written;
        }
        kernel_is_older = true;
    }
    return write_with_signal_blocked(descriptor, vectors, count);
}
#else
ssize_t quiet_write(int descriptor, const struct iovec *vectors, int count) {
    return write_with_signal_blocked(descriptor, vectors, count);
}
#endif
