/* SPDX-License-Identifier: MIT */
#include "win32/wide.h"

#include <windows.h>

#include "base/error.h"
#include "base/memory.h"

wchar_t *wide_from_utf8(const char *text) {
    int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    if (length <= 0) {
        (void)error_set(MPROC_EINVAL, (int)GetLastError(), "a text that Windows is to be given is not UTF-8");
        return NULL;
    }
    wchar_t *wide = memory_allocate((size_t)length * sizeof *wide);
    if (wide != NULL) {
        (void)MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, length); /* it was measured above */
    }
    return wide;
}

char *wide_to_utf8(const wchar_t *text) {
    int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *utf8 = memory_allocate(length > 0 ? (size_t)length : 1);
    if (utf8 != NULL && length > 0) {
        (void)WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, length, NULL, NULL); /* it was measured above */
    }
    return utf8;
}
