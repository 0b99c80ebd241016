/* SPDX-License-Identifier: MIT */
/* exit.h with kqueues, for macOS and the BSDs: a queue a process, with one event in it that is never taken out, so that
 * any number of threads can poll the queue itself. */
#include "platform/exit.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "posix/exit_status.h"
#include "posix/system_error.h"

int exit_watch(int pid, handle *watch) {
    struct kevent event;
    int queue = kqueue();
    int status = 0;
    if (queue < 0) {
        return system_error(errno, "cannot watch a process (kqueue)");
    }
    EV_SET(&event, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
    if (fcntl(queue, F_SETFD, FD_CLOEXEC) != 0 || kevent(queue, &event, 1, NULL, 0, NULL) != 0) {
        status = system_error(errno, "cannot watch a process (kevent)"); /* ESRCH: gone, or waiting to be collected */
        (void)close(queue);
        return status;
    }
    *watch = queue;
    return 0;
}

int exit_wait(handle watch, deadline until) {
    return exit_status_wait_readable(watch, until);
}

int exit_collect(handle watch, int pid, int *exitcode) {
    siginfo_t info;
    int status;
    (void)watch;
    do {
        info.si_pid = 0;
        status = waitid(P_PID, (id_t)pid, &info, WEXITED); /* the event comes a moment before waitid sees the end */
    } while (status < 0 && errno == EINTR);
    return exit_status_read(status, errno, &info, pid, exitcode);
}

int exit_send(handle watch, int pid, int signal) {
    (void)watch; /* whoever calls knows that the child has not been collected, so the number is still its own */
    if (kill(pid, signal) != 0 && errno != ESRCH) {
        return system_error(errno, "cannot send a signal");
    }
    return 0;
}
