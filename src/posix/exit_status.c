/* SPDX-License-Identifier: MIT */
#include "posix/exit_status.h"

#include <errno.h>
#include <sys/wait.h>

#include "base/error.h"
#include "platform/exit.h"
#include "posix/system_error.h"
#include "posix/wait_until.h"

int exit_status_wait_readable(handle watch, deadline until) {
    struct pollfd entry = {(int)watch, POLLIN, 0};
    if (watch == HANDLE_INVALID) {
        return 0; /* the process had ended before it could be watched */
    }
    return wait_until(&entry, 1, until, "cannot wait for a process");
}

void exit_kill_group(handle group) {
    if (group != HANDLE_INVALID) {
        (void)killpg((pid_t)group, SIGKILL); /* fails where nobody is left in it */
    }
}

void exit_forget_group(handle group) {
    (void)group; /* a number only */
}

int exit_status_read(int status, int number, const siginfo_t *info, int pid, int *exitcode) {
    if (status != 0 && number != ECHILD) {
        return system_error(number, "cannot ask how a process ended");
    }
    if (status != 0 || info->si_pid == 0) {
        return error_set(
            MPROC_ENOTFOUND, status != 0 ? number : 0,
            "how process %d ended is unknown: the application has collected it (waitpid(-1), or SIGCHLD is "
            "ignored)",
            pid);
    }
    *exitcode = info->si_code == CLD_EXITED ? info->si_status : -info->si_status;
    return 0;
}
