/* SPDX-License-Identifier: MIT */
/* Python's print, flushed: one line, all of it at once, so that lines of several processes do not mix and none is lost
 * when a process is terminated. */
#ifndef PRINT_H
#define PRINT_H

#include <stdarg.h>
#include <stdio.h>

static inline void print(const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(stdout, "%s\n", line);
    fflush(stdout);
}

#endif
