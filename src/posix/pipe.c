/* SPDX-License-Identifier: MIT */
/* Pipes block, and a wait with a limit polls first: there is one reader, so what poll saw is still there. Only an end
 * that pipe_write_some has used does not block any more; the loops below wait for it with poll. */
#include "platform/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"
#include "posix/quiet_write.h"
#include "posix/system_error.h"
#include "posix/wait_until.h"

/* Parts of one pipe_write at most: header and payload. */
#define PARTS_MAX 4

/* What a pipe holds: as the system makes it, and what it is given for much (measured: bench/bench_subprocess). */
#define USUAL_CAPACITY 65536
#define WIDE_CAPACITY (4 * USUAL_CAPACITY)

static int open_pipe(int ends[2]) {
#ifdef MPROC_HAVE_PIPE2
    return pipe2(ends, O_CLOEXEC);
#else
    int status = pipe(ends);
    if (status == 0 && (fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0)) {
        int number = errno;
        (void)close(ends[0]);
        (void)close(ends[1]);
        errno = number;
        status = -1;
    }
    return status;
#endif
}

int pipe_create(handle *reader, handle *writer) {
    int ends[2];
    if (open_pipe(ends) != 0) {
        return system_error(errno, "cannot create a pipe");
    }
    *reader = ends[0];
    *writer = ends[1];
    return 0;
}

int pipe_create_for_program(handle *ours, handle *theirs, bool is_read_by_program) {
    return is_read_by_program ? pipe_create(theirs, ours) : pipe_create(ours, theirs);
}

/* Waits until the descriptor is ready for `events`, or broken. 0 or MPROC_ETIMEDOUT (no message) or MPROC_ESYSTEM. */
static int wait_ready(handle waited, short events, deadline until) {
    struct pollfd entry = {(int)waited, events, 0};
    return wait_until(&entry, 1, until, "cannot wait for a pipe");
}

int pipe_read(handle reader, void *data, size_t capacity, deadline until, size_t *size) {
    bool wait_first = until != DEADLINE_NEVER;
    for (;;) {
        if (wait_first) {
            int status = wait_ready(reader, POLLIN, until);
            if (status != 0) {
                return status;
            }
        }
        ssize_t count = read((int)reader, data, capacity < SSIZE_MAX ? capacity : SSIZE_MAX);
        if (count > 0) {
            *size = (size_t)count;
            return 0;
        }
        if (count == 0) {
            return MPROC_ECLOSED;
        }
        if (errno == EAGAIN) {
            wait_first = true;
        } else if (errno != EINTR) {
            return system_error(errno, "cannot read from a pipe");
        }
    }
}

static size_t copy_parts(struct iovec vectors[PARTS_MAX], const struct pipe_bytes *parts, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count && used < PARTS_MAX; i++) {
        if (parts[i].size > 0) {
            vectors[used].iov_base = (void *)(uintptr_t)parts[i].data; /* only read */
            vectors[used].iov_len = parts[i].size;
            used++;
        }
    }
    return used;
}

/* Moves past `written` bytes; returns how many vectors are left, moved to the front. */
static size_t advance(struct iovec *vectors, size_t count, size_t written) {
    size_t first = 0;
    while (first < count && written >= vectors[first].iov_len) {
        written -= vectors[first].iov_len;
        first++;
    }
    for (size_t i = first; i < count; i++) {
        vectors[i - first] = vectors[i];
    }
    if (first < count) {
        vectors[0].iov_base = (char *)vectors[0].iov_base + written;
        vectors[0].iov_len -= written;
    }
    return count - first;
}

int pipe_write(handle writer, const struct pipe_bytes *parts, size_t count) {
    struct iovec vectors[PARTS_MAX];
    size_t left = copy_parts(vectors, parts, count);
    int status = 0;
    while (left > 0 && status == 0) {
        ssize_t written = quiet_write((int)writer, vectors, (int)left);
        if (written >= 0) {
            left = advance(vectors, left, (size_t)written);
        } else if (errno == EPIPE) {
            status = MPROC_ECLOSED;
        } else if (errno == EAGAIN) {
            status = wait_ready(writer, POLLOUT, DEADLINE_NEVER);
        } else if (errno != EINTR) {
            status = system_error(errno, "cannot write to a pipe");
        }
    }
    return status;
}

int pipe_write_some(handle writer, const void *data, size_t size, size_t *written) {
    struct iovec vector = {(void *)(uintptr_t)data, size}; /* only read */
    ssize_t count;
    if (fcntl((int)writer, F_SETFL, O_NONBLOCK) != 0) {
        return system_error(errno, "cannot make a pipe non-blocking");
    }
    do {
        count = quiet_write((int)writer, &vector, 1);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EPIPE) {
        return MPROC_ECLOSED;
    }
    if (count < 0 && errno != EAGAIN) {
        return system_error(errno, "cannot write to a pipe");
    }
    *written = count > 0 ? (size_t)count : 0;
    return 0;
}

/* A pipe that took or gave all that it holds at once has to do with much: with more room, the two sides wait for each other less
 * often. Not from the beginning, since what a user's pipes may hold together is limited. */
static void widen(const struct pipe_transfer *transfer) {
#ifdef F_SETPIPE_SZ
    int descriptor = (int)transfer->pipe;
    if (transfer->done == USUAL_CAPACITY && fcntl(descriptor, F_GETPIPE_SZ) == USUAL_CAPACITY) {
        (void)fcntl(descriptor, F_SETPIPE_SZ, WIDE_CAPACITY); /* where it may not be, it stays as it is */
    }
#else
    (void)transfer;
#endif
}

/* It is ready, or broken. */
static void transfer_some(struct pipe_transfer *transfer) {
    if (transfer->is_write) {
        transfer->status = pipe_write_some(transfer->pipe, transfer->data, transfer->size, &transfer->done);
    } else {
        transfer->status = pipe_read(transfer->pipe, transfer->data, transfer->size, DEADLINE_NEVER, &transfer->done);
    }
    widen(transfer);
}

int pipe_transfer_any(struct pipe_transfer *transfers, size_t count, deadline until) {
    struct pollfd entries[PIPE_TRANSFERS_MAX];
    for (size_t i = 0; i < count; i++) {
        entries[i].fd = (int)transfers[i].pipe;
        entries[i].events = transfers[i].is_write ? POLLOUT : POLLIN;
        transfers[i].done = 0;
        transfers[i].status = 0;
    }
    int status = wait_until(entries, count, until, "cannot wait for pipes");
    for (size_t i = 0; i < count && status == 0; i++) {
        if (entries[i].revents != 0) {
            transfer_some(&transfers[i]);
        }
    }
    return status;
}

void pipe_drop_pending(struct pipe_pending *pending) {
    (void)pending; /* nothing ever is */
}

int pipe_open_in_loop(uv_pipe_t *pipe, handle given) {
    if (uv_pipe_open(pipe, (uv_file)given) != 0) {
        handle_close(given);
        return MPROC_ESYSTEM;
    }
    return 0;
}
