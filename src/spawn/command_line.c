/* SPDX-License-Identifier: MIT */
#include "spawn/command_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void command_line_write(struct command_line *line, const char *argument0, const char *option, const handle *handles,
                        size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(line->numbers + used, sizeof line->numbers - used, "%s%lld", i > 0 ? "," : "",
                                 (long long)handles[i]);
    }
    line->list[0] = argument0;
    line->list[1] = option;
    line->list[2] = line->numbers;
    line->list[3] = NULL;
}

bool command_line_has(int argc, char **argv, const char *option) {
    return argc == COMMAND_LINE_ARGUMENTS && strcmp(argv[1], option) == 0;
}

static int read_number(const char **place, char separator, handle *number) {
    char *end;
    *number = (handle)strtoll(*place, &end, 10);
    if (end == *place || *end != separator) {
        return error_set(MPROC_EINVAL, 0, "%s is no list of handles", *place);
    }
    *place = end + 1;
    return 0;
}

int command_line_read(char **argv, handle *handles, size_t count, size_t required) {
    const char *place = argv[2];
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++) {
        status = read_number(&place, i + 1 < count ? ',' : '\0', &handles[i]);
        if (status == 0 && (i < required || handles[i] != HANDLE_INVALID)) {
            status = handle_adopt(handles[i]);
        }
    }
    return status == 0 ? 0 : error_prefix("mproc_init: %s is an option that only mproc itself may use: ", argv[1]);
}
