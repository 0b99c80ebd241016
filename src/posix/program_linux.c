/* SPDX-License-Identifier: MIT */
/* A program by its descriptor: a file deleted or replaced on disk does not matter, and valgrind, under which
 * /proc/self/exe cannot be run, follows it. */
#include "platform/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "posix/program.h"
#include "posix/system_error.h"

/* Past the numbers that children's handles take, so that starting one does not have to move it out of the way. */
#define PROGRAM_FILE_MIN 64

int program_open_self(struct program **program, handle inherited) {
    char path[64];
    int file = inherited != HANDLE_INVALID ? (int)inherited : open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return system_error(errno, "cannot open this program's own executable, /proc/self/exe");
    }
    if (file < PROGRAM_FILE_MIN) {
        int moved = fcntl(file, F_DUPFD_CLOEXEC, PROGRAM_FILE_MIN);
        if (moved >= 0) { /* else there are few descriptors, and it stays where it is */
            handle_close(file);
            file = moved;
        }
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", (int)PROGRAM_CHILD_HANDLE);
    int status = program_create(program, file, memory_copy_text(path));
    if (status != 0) {
        handle_close(file);
    }
    return status;
}
