/* SPDX-License-Identifier: MIT */
#include "posix/wait_until.h"

#include <errno.h>

#include "base/error.h"
#include "posix/system_error.h"

int wait_until(struct pollfd *entries, size_t count, deadline until, const char *what) {
    for (;;) {
        int ready = poll(entries, (nfds_t)count, deadline_remaining_ms(until));
        if (ready > 0) {
            return 0;
        }
        if (ready < 0 && errno != EINTR && errno != EAGAIN) {
            return system_error(errno, what);
        }
        if (ready == 0 && deadline_remaining_ms(until) == 0) {
            return MPROC_ETIMEDOUT;
        }
    }
}
