/* SPDX-License-Identifier: MIT */
/* A pipe: what it holds says that it was rung. */
#include "platform/bell.h"

#include <stddef.h>

#include "platform/pipe.h"

int bell_create(struct bell *bell) {
    return pipe_create(&bell->heard, &bell->rung);
}

void bell_destroy(struct bell *bell) {
    handle_close(bell->heard);
    handle_close(bell->rung);
}

void bell_ring(const struct bell *bell) {
    size_t written;
    (void)pipe_write_some(bell->rung, "!", 1, &written); /* a pipe that is full has been rung */
}

void bell_clear(const struct bell *bell) {
    char rings[64];
    size_t size;
    (void)pipe_read(bell->heard, rings, sizeof rings, DEADLINE_NOW, &size); /* what is left is heard once more */
}
