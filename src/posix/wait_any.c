/* SPDX-License-Identifier: MIT */
/* All of them are descriptors that poll knows: pidfds, kqueues, pipes. */
#include "platform/wait_any.h"

#include <errno.h>
#include <poll.h>

#include "base/error.h"
#include "base/memory.h"
#include "posix/system_error.h"

static int poll_until(struct pollfd *entries, size_t count, deadline until) {
    for (;;) {
        int ready = poll(entries, (nfds_t)count, deadline_remaining_ms(until));
        if (ready > 0) {
            return 0;
        }
        if (ready < 0 && errno != EINTR && errno != EAGAIN) {
            return system_error(errno, "cannot wait for several things");
        }
        if (ready == 0 && deadline_remaining_ms(until) == 0) {
            return MPROC_ETIMEDOUT;
        }
    }
}

int wait_any(struct wait_source *sources, size_t count, deadline until) {
    struct pollfd *entries = memory_allocate(count * sizeof *entries);
    if (entries == NULL) {
        return MPROC_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i].fd = sources[i].kind != WAIT_FOR_NOTHING ? (int)sources[i].waited : -1; /* poll passes over -1 */
        entries[i].events = POLLIN;
    }
    int status = poll_until(entries, count, until);
    for (size_t i = 0; i < count; i++) {
        sources[i].is_ready = status == 0 && entries[i].revents != 0;
    }
    memory_free(entries);
    return status;
}
