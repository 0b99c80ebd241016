/* SPDX-License-Identifier: MIT */
#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>

#include "posix/system_error.h"

/* What a shell gives a new file; the process's umask takes from it. */
#define NEW_FILE_MODE 0666

static int open_file(const char *path, int flags, handle *file) {
    int descriptor;
    do {
        descriptor = open(path, flags | O_CLOEXEC, NEW_FILE_MODE);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        return system_error(errno, path);
    }
    *file = descriptor;
    return 0;
}

int file_open_null(handle *file) {
    return open_file("/dev/null", O_RDWR, file);
}

int file_open_for_reading(const char *path, handle *file) {
    return open_file(path, O_RDONLY, file);
}

int file_open_for_writing(const char *path, handle *file) {
    return open_file(path, O_WRONLY | O_CREAT | O_TRUNC, file);
}
