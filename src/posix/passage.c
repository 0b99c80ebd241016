/* SPDX-License-Identifier: MIT */
/* A pair of stream sockets; the handles of one message go with one byte. The sockets carry nothing else, so that the byte
 * and its descriptors are never apart. */
#include "platform/passage.h"

#include <string.h>
#include <sys/socket.h>

#include "posix/descriptors.h"

_Static_assert(PASSAGE_HANDLES_MAX == DESCRIPTORS_MAX, "what goes together fits one call");

int passage_create(handle *a, handle *b) {
    return descriptors_pair(SOCK_STREAM, a, b);
}

int passage_send(handle passage, int root, const handle *sent, size_t count, uint64_t *tickets) {
    static const char byte = 'h';
    (void)root; /* the system itself keeps what is on its way */
    memset(tickets, 0, count * sizeof *tickets);
    return descriptors_send(passage, &byte, sizeof byte, sent, count);
}

void passage_withdraw(handle passage, int root, const uint64_t *tickets, size_t count) {
    (void)passage;
    (void)root;
    (void)tickets;
    (void)count;
}

bool passage_keeps_tickets(void) {
    return false;
}

int passage_receive(handle passage, int root, const uint64_t *tickets, size_t count, handle *received) {
    char byte;
    (void)root;
    (void)tickets;
    return descriptors_receive(passage, &byte, sizeof byte, received, count);
}
