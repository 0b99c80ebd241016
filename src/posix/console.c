/* SPDX-License-Identifier: MIT */
/* Terminals here show UTF-8 by themselves. */
#include "platform/console.h"

#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void console_use_utf8(void) {
}

void console_restore(void) {
}

void console_write_error_line(const char *line) {
    char end = '\n';
    struct iovec parts[2] = {{(void *)(uintptr_t)line, strlen(line)}, {&end, 1}};
    if (writev(STDERR_FILENO, parts, 2) < 0) {
        return; /* there is nowhere to tell it */
    }
}
