/* SPDX-License-Identifier: MIT */
/* UTF-8. */
#ifndef MPROC_BASE_TEXT_H
#define MPROC_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates). */
bool text_is_utf8(const char *text, size_t size);

/* The largest length of at most `limit` bytes at which `text` can be cut without cutting a character. */
size_t text_cut(const char *text, size_t limit);

#endif
