/* SPDX-License-Identifier: MIT */
/* Descriptors sent over Unix sockets, for passage and door. */
#ifndef MPROC_POSIX_DESCRIPTORS_H
#define MPROC_POSIX_DESCRIPTORS_H

#include <stddef.h>

#include "platform/handle.h"

#define DESCRIPTORS_MAX 250

/* A pair of connected sockets that are not inherited and raise no SIGPIPE. type: SOCK_STREAM, ... */
int descriptors_pair(int type, handle *a, handle *b);

/* Sends `size` bytes with copies of the descriptors, all or nothing. MPROC_ECLOSED (no message); MPROC_ESYSTEM. */
int descriptors_send(handle socket, const void *data, size_t size, const handle *sent, size_t count);

/* Receives what was sent in one call: as many bytes and descriptors. On failure none is left open. MPROC_ECLOSED (no
 * message); MPROC_ESYSTEM. */
int descriptors_receive(handle socket, void *data, size_t size, handle *received, size_t count);

#endif
