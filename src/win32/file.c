/* SPDX-License-Identifier: MIT */
#include "platform/file.h"

#include <windows.h>

#include "base/error.h"
#include "base/memory.h"
#include "win32/system_error.h"
#include "win32/wide.h"

static int open_file(const char *path, DWORD access, DWORD disposition, handle *file) {
    wchar_t *wide = wide_from_utf8(path);
    if (wide == NULL) {
        return mproc_last_error()->code;
    }
    HANDLE opened =
        CreateFileW(wide, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, disposition, FILE_ATTRIBUTE_NORMAL, NULL);
    DWORD number = GetLastError();
    memory_free(wide);
    if (opened == INVALID_HANDLE_VALUE) {
        return system_error(number, path);
    }
    *file = (handle)opened;
    return 0;
}

int file_open_null(handle *file) {
    return open_file("NUL", GENERIC_READ | GENERIC_WRITE, OPEN_EXISTING, file);
}

int file_open_for_reading(const char *path, handle *file) {
    return open_file(path, GENERIC_READ, OPEN_EXISTING, file);
}

int file_open_for_writing(const char *path, handle *file) {
    return open_file(path, GENERIC_WRITE, CREATE_ALWAYS, file);
}
