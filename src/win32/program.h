/* SPDX-License-Identifier: MIT */
/* What spawn.c needs to know of a program. */
#ifndef MPROC_WIN32_PROGRAM_H
#define MPROC_WIN32_PROGRAM_H

#include <stdbool.h>
#include <wchar.h>

struct program {
    wchar_t *path;
};

/* Whether cmd.exe would run it, and read its command line by rules of its own. */
bool program_is_batch(const wchar_t *path);

#endif
