/* SPDX-License-Identifier: MIT */
#include "platform/door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/passage.h"
#include "posix/descriptors.h"
#include "posix/system_error.h"

#define VISITOR_HANDLES 3

struct door {
    uv_poll_t poll;
    int receiver;
    void (*on_visitor)(const struct door_visitor *visitor);
};

int door_create(handle *receiver, handle *sender) {
    return descriptors_pair(SOCK_DGRAM, receiver, sender);
}

int door_knock(handle sender, handle reader, handle writer, handle *passage) {
    int pid = (int)getpid();
    handle ours, theirs;
    int status = passage_create(&ours, &theirs);
    if (status == 0) {
        const handle given[VISITOR_HANDLES] = {reader, writer, theirs};
        status = descriptors_send(sender, &pid, sizeof pid, given, VISITOR_HANDLES);
        handle_close(theirs);
        if (status != 0) {
            handle_close(ours);
        }
    }
    handle_close(reader);
    handle_close(writer);
    if (status == 0) {
        *passage = ours;
    }
    return status;
}

static void on_knock(uv_poll_t *poll, int status, int events) {
    struct door *door = poll->data;
    struct door_visitor visitor;
    handle received[VISITOR_HANDLES];
    (void)status; /* receiving tells what is wrong */
    (void)events;
    /* A knock that cannot be received (no descriptors left here) closes the visitor's link, who then has an error. */
    if (descriptors_receive(door->receiver, &visitor.pid, sizeof visitor.pid, received, VISITOR_HANDLES) == 0) {
        visitor.reader = received[0];
        visitor.writer = received[1];
        visitor.passage = received[2];
        door->on_visitor(&visitor);
    }
}

int door_open(struct door **door, uv_loop_t *loop, handle receiver, void (*on_visitor)(const struct door_visitor *)) {
    struct door *opened = memory_allocate(sizeof *opened);
    if (opened == NULL) {
        handle_close(receiver);
        return MPROC_ENOMEM;
    }
    int error = uv_poll_init(loop, &opened->poll, (int)receiver);
    if (error != 0) {
        handle_close(receiver);
        memory_free(opened);
        return error_set(MPROC_ESYSTEM, error, "cannot watch a socket: %s", uv_strerror(error));
    }
    opened->poll.data = opened;
    opened->receiver = (int)receiver;
    opened->on_visitor = on_visitor;
    (void)uv_poll_start(&opened->poll, UV_READABLE, on_knock); /* cannot fail for a new one */
    *door = opened;
    return 0;
}

static void on_closed(uv_handle_t *closed) {
    struct door *door = closed->data;
    handle_close(door->receiver);
    memory_free(door);
}

void door_close(struct door *door) {
    if (door != NULL) {
        uv_close((uv_handle_t *)&door->poll, on_closed);
    }
}
