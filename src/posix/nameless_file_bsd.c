/* SPDX-License-Identifier: MIT */
/* macOS knows shared memory by name only; the name is gone again before anybody could guess it. */
#include "posix/nameless_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/self.h"

int nameless_file_open(void) {
    char name[32]; /* macOS takes 31 bytes at most */
    int descriptor;
    do {
        (void)snprintf(name, sizeof name, "/mproc-%llx", (unsigned long long)self_unique());
        descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    } while (descriptor < 0 && errno == EEXIST);
    if (descriptor >= 0) {
        (void)shm_unlink(name);
        (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }
    return descriptor;
}
