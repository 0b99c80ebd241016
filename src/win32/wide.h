/* SPDX-License-Identifier: MIT */
/* UTF-8, which the library speaks, and UTF-16, which Windows speaks. Results are from memory.h. */
#ifndef MPROC_WIN32_WIDE_H
#define MPROC_WIN32_WIDE_H

#include <wchar.h>

/* NULL, with the error set, where the text is not UTF-8 or memory ran out. */
wchar_t *wide_from_utf8(const char *text);

/* What is not well-formed becomes U+FFFD. NULL, with the error set, where memory ran out. */
char *wide_to_utf8(const wchar_t *text);

#endif
