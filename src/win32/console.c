/* SPDX-License-Identifier: MIT */
#include "platform/console.h"

#include <stdbool.h>
#include <string.h>
#include <windows.h>

#include "base/memory.h"

static UINT code_page_before; /* 0: not changed */

static bool is_console(DWORD which) {
    DWORD mode;
    return GetConsoleMode(GetStdHandle(which), &mode) != 0;
}

void console_use_utf8(void) {
    if (code_page_before == 0 && (is_console(STD_OUTPUT_HANDLE) || is_console(STD_ERROR_HANDLE))) {
        UINT before = GetConsoleOutputCP();
        if (before != CP_UTF8 && SetConsoleOutputCP(CP_UTF8)) {
            code_page_before = before;
        }
    }
}

void console_restore(void) {
    if (code_page_before != 0) {
        (void)SetConsoleOutputCP(code_page_before); /* if it fails, the console stays as it is */
        code_page_before = 0;
    }
}

void console_write_error_line(const char *line) {
    size_t length = strlen(line);
    char *text = memory_allocate(length + 2);
    DWORD written;
    if (text != NULL) {
        memcpy(text, line, length);
        text[length] = '\n';
        (void)WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, (DWORD)(length + 1), &written,
                        NULL); /* nowhere to tell */
        memory_free(text);
    }
}
