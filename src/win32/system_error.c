/* SPDX-License-Identifier: MIT */
#include "win32/system_error.h"

#include <stdio.h>

#include "base/error.h"

#define TEXT_CAPACITY 256

static int code_of(DWORD number) {
    switch (number) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
    case ERROR_DIRECTORY:
        return MPROC_ENOTFOUND;
    case ERROR_ACCESS_DENIED:
    case ERROR_BAD_EXE_FORMAT:
        return MPROC_EPERM;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
        return MPROC_ENOMEM;
    default:
        return MPROC_ESYSTEM;
    }
}

/* The system's texts end in a full stop and a line break, which have no place in the middle of a message. */
static void trim(wchar_t *text) {
    size_t length = wcslen(text);
    while (length > 0 && (text[length - 1] == L'\n' || text[length - 1] == L'\r' || text[length - 1] == L'.' ||
                          text[length - 1] == L' ')) {
        text[--length] = L'\0';
    }
}

int system_error(DWORD number, const char *what) {
    wchar_t wide[TEXT_CAPACITY];
    char text[3 * TEXT_CAPACITY];
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, number, 0, wide,
                                  TEXT_CAPACITY, NULL);
    wide[length < TEXT_CAPACITY ? length : TEXT_CAPACITY - 1] = L'\0';
    trim(wide);
    if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, sizeof text, NULL, NULL) <= 1) {
        (void)snprintf(text, sizeof text, "Windows error %lu", (unsigned long)number);
    }
    return error_set(code_of(number), (int)number, "%s: %s", what, text);
}
