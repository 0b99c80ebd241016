/* SPDX-License-Identifier: MIT */
/* A pair of stream sockets; each handle goes with one byte. The sockets carry nothing else, so that the byte and its
 * descriptor are never apart. */
#include "platform/passage.h"

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

/* Room for one descriptor, aligned as the system wants it. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
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

int passage_create(handle *a, handle *b) {
    int ends[2];
#ifdef SOCK_CLOEXEC
    int type = SOCK_STREAM | SOCK_CLOEXEC;
#else
    int type = SOCK_STREAM;
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

static void wait_until(int descriptor, short events) {
    struct pollfd entry = {descriptor, events, 0};
    (void)poll(&entry, 1, -1); /* whatever it says, the call that had to wait is made again and tells */
}

int passage_send(handle passage, int root, handle sent, uint64_t *ticket) {
    char byte = 'h';
    struct iovec vector = {&byte, 1};
    union control control;
    struct msghdr message;
    int descriptor = (int)sent;
    (void)root; /* the system itself keeps what is on its way */

    memset(&control, 0, sizeof control);
    memset(&message, 0, sizeof message);
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);

    while (sendmsg((int)passage, &message, MSG_NOSIGNAL) < 0) {
        if (errno == EPIPE || errno == ECONNRESET) {
            return MPROC_ECLOSED;
        }
        if (errno == EAGAIN) {
            wait_until((int)passage, POLLOUT);
        } else if (errno != EINTR) {
            return system_error(errno, "cannot hand a descriptor over");
        }
    }
    *ticket = 0;
    return 0;
}

void passage_withdraw(int root, uint64_t ticket) {
    (void)root;
    (void)ticket;
}

bool passage_keeps_tickets(void) {
    return false;
}

int passage_receive(handle passage, int root, uint64_t ticket, handle *received) {
    char byte;
    struct iovec vector = {&byte, 1};
    union control control;
    struct msghdr message;
    ssize_t count;
    int descriptor;
    (void)root;
    (void)ticket;

    memset(&message, 0, sizeof message);
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    while ((count = recvmsg((int)passage, &message, MSG_CMSG_CLOEXEC)) < 0 && (errno == EINTR || errno == EAGAIN)) {
        if (errno == EAGAIN) {
            wait_until((int)passage, POLLIN);
        }
    }
    if (count < 0) {
        return system_error(errno, "cannot receive a descriptor");
    }
    if (count == 0) {
        return MPROC_ECLOSED;
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_type != SCM_RIGHTS || (message.msg_flags & MSG_CTRUNC) != 0) {
        return error_set(MPROC_ESYSTEM, 0,
                         "a descriptor was sent but did not arrive: this process has no descriptors left");
    }
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC); /* it is open, so this cannot fail */
    *received = descriptor;
    return 0;
}
