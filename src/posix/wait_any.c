/* SPDX-License-Identifier: MIT */
/* All of them are descriptors that poll knows: pidfds, kqueues, pipes. */
#include "platform/wait_any.h"

#include "base/error.h"
#include "base/memory.h"
#include "posix/wait_until.h"

int wait_any(struct wait_source *sources, size_t count, deadline until) {
    struct pollfd *entries = memory_allocate(count * sizeof *entries);
    if (entries == NULL) {
        return MPROC_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i].fd = sources[i].kind != WAIT_FOR_NOTHING ? (int)sources[i].waited : -1; /* poll passes over -1 */
        entries[i].events = POLLIN;
    }
    int status = wait_until(entries, count, until, "cannot wait for several things");
    for (size_t i = 0; i < count; i++) {
        sources[i].is_ready = status == 0 && entries[i].revents != 0;
    }
    memory_free(entries);
    return status;
}
