/* SPDX-License-Identifier: MIT */
/* exit.h with pidfds: Linux 5.4 and later. The calls are made by number because glibc has them since 2.36 only. */
#include "platform/exit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "posix/exit_status.h"
#include "posix/system_error.h"

#define WAIT_BY_PIDFD ((idtype_t)3) /* P_PIDFD: not in the headers of older systems */

int exit_watch(int pid, handle *watch) {
    long descriptor = syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
    if (descriptor < 0) {
        return system_error(errno, "cannot watch a process (pidfd_open)");
    }
    *watch = descriptor;
    return 0;
}

int exit_wait(handle watch, deadline until) {
    return exit_status_wait_readable(watch, until);
}

int exit_collect(handle watch, int pid, int *exitcode) {
    siginfo_t info;
    int status;
    do {
        info.si_pid = 0;
        status = watch != HANDLE_INVALID ? waitid(WAIT_BY_PIDFD, (id_t)watch, &info, WEXITED | WNOHANG)
                                         : waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
    } while (status < 0 && errno == EINTR);
    return exit_status_read(status, errno, &info, pid, exitcode);
}

int exit_send(handle watch, int pid, int signal) {
    (void)pid; /* the watch cannot be mistaken for another process */
    if (watch != HANDLE_INVALID && syscall(SYS_pidfd_send_signal, (int)watch, signal, NULL, 0) != 0 && errno != ESRCH) {
        return system_error(errno, "cannot send a signal");
    }
    return 0;
}
