/* SPDX-License-Identifier: MIT */
/* Writing to a pipe that nobody reads raises SIGPIPE, which would end the application. This way of writing does not, and
 * leaves the application's own disposition and mask as they are. */
#ifndef MPROC_POSIX_QUIET_WRITE_H
#define MPROC_POSIX_QUIET_WRITE_H

#include <sys/types.h>
#include <sys/uio.h>

/* As writev. */
ssize_t quiet_write(int descriptor, const struct iovec *vectors, int count);

#endif
