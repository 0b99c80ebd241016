/* SPDX-License-Identifier: MIT */
#include "posix/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "posix/system_error.h"

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0 /* then set_cloexec does it, a moment later */
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* then SO_NOSIGPIPE does it, when the socket is made */
#endif

/* Bytes and their descriptors, for sendmsg and recvmsg. */
struct post {
    struct iovec vector;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    struct msghdr message;
};

static bool prepare_socket(int descriptor) {
#ifdef SO_NOSIGPIPE
    int on = 1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) != 0) {
        return false;
    }
#endif
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
}

int descriptors_pair(int type, handle *a, handle *b) {
    int ends[2];
#ifdef SOCK_CLOEXEC
    type |= SOCK_CLOEXEC;
#endif
    if (socketpair(AF_UNIX, type, 0, ends) != 0) {
        return system_error(errno, "cannot create a pair of sockets");
    }
    if (!prepare_socket(ends[0]) || !prepare_socket(ends[1])) {
        int status = system_error(errno, "cannot prepare a socket");
        (void)close(ends[0]);
        (void)close(ends[1]);
        return status;
    }
    *a = ends[0];
    *b = ends[1];
    return 0;
}

static void wait_until(handle socket, short events) {
    struct pollfd entry = {(int)socket, events, 0};
    (void)poll(&entry, 1, -1); /* whatever it says, the call that had to wait is made again and tells */
}

static void prepare_post(struct post *post, void *data, size_t size, size_t count) {
    memset(post, 0, sizeof *post);
    post->vector.iov_base = data;
    post->vector.iov_len = size;
    post->message.msg_iov = &post->vector;
    post->message.msg_iovlen = 1;
    post->message.msg_control = post->control;
    post->message.msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int)); /* its type is not the same everywhere */
}

static void put_descriptors(struct post *post, const handle *sent, size_t count) {
    struct cmsghdr *header = CMSG_FIRSTHDR(&post->message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int));
    for (size_t i = 0; i < count; i++) {
        int descriptor = (int)sent[i];
        memcpy(CMSG_DATA(header) + i * sizeof descriptor, &descriptor, sizeof descriptor);
    }
}

int descriptors_send(handle socket, const void *data, size_t size, const handle *sent, size_t count) {
    struct post post;
    prepare_post(&post, (void *)(uintptr_t)data, size, count); /* sendmsg only reads it */
    put_descriptors(&post, sent, count);
    while (sendmsg((int)socket, &post.message, MSG_NOSIGNAL) < 0) {
        if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN || errno == ECONNREFUSED) {
            return MPROC_ECLOSED;
        }
        if (errno == EAGAIN) {
            wait_until(socket, POLLOUT);
        } else if (errno != EINTR) {
            return system_error(errno, "cannot hand descriptors over");
        }
    }
    return 0;
}

/* How many descriptors came along, each kept from being inherited. */
static size_t take_descriptors(struct post *post, handle *received) {
    struct cmsghdr *header = CMSG_FIRSTHDR(&post->message);
    size_t count = 0;
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    }
    for (size_t i = 0; i < count; i++) {
        int descriptor;
        memcpy(&descriptor, CMSG_DATA(header) + i * sizeof descriptor, sizeof descriptor);
        (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC); /* it is open, so this cannot fail */
        received[i] = descriptor;
    }
    return count;
}

int descriptors_receive(handle socket, void *data, size_t size, handle *received, size_t count) {
    struct post post;
    handle arrived[DESCRIPTORS_MAX];
    ssize_t read;
    prepare_post(&post, data, size, DESCRIPTORS_MAX);
    while ((read = recvmsg((int)socket, &post.message, MSG_CMSG_CLOEXEC)) < 0 && (errno == EINTR || errno == EAGAIN)) {
        if (errno == EAGAIN) {
            wait_until(socket, POLLIN);
        }
    }
    if (read < 0) {
        return system_error(errno, "cannot receive descriptors");
    }
    if (read == 0) {
        return MPROC_ECLOSED;
    }
    size_t arrived_count = take_descriptors(&post, arrived);
    if (arrived_count != count || (size_t)read != size) {
        for (size_t i = 0; i < arrived_count; i++) {
            handle_close(arrived[i]);
        }
        return error_set(MPROC_ESYSTEM, 0,
                         "%llu descriptors were sent but %llu arrived: this process may have none left",
                         (unsigned long long)count, (unsigned long long)arrived_count);
    }
    memcpy(received, arrived, count * sizeof *received);
    return 0;
}
