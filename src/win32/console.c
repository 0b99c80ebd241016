/* SPDX-License-Identifier: MIT */
#include "platform/console.h"

#include <stdbool.h>
#include <string.h>
#include <windows.h>

#include "base/atomic.h"
#include "base/memory.h"

#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 4 /* not in older headers */
#endif

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

void console_write_error(const char *text) {
    DWORD written;
    (void)WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, (DWORD)strlen(text), &written, NULL); /* nowhere to tell */
}

bool console_error_is_terminal(void) {
    HANDLE console = GetStdHandle(STD_ERROR_HANDLE);
    DWORD mode;
    /* Windows 10 understands escape sequences once it is told to. */
    return GetConsoleMode(console, &mode) && SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

/* Ends the line; the next handler, the system's or the application's, ends the program. */
static BOOL WINAPI on_interrupt(DWORD event) {
    (void)event;
    console_write_error("\n");
    return FALSE;
}

static atomic_number guards;

void console_guard_line(void) {
    if (atomic_increase(&guards, 1) == 0) {
        (void)SetConsoleCtrlHandler(on_interrupt, TRUE); /* without it the line stays as it is */
    }
}

void console_release_line(void) {
    if (atomic_increase(&guards, UINT64_MAX) == 1) {
        (void)SetConsoleCtrlHandler(on_interrupt, FALSE);
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
