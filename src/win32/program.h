/* SPDX-License-Identifier: MIT */
/* What spawn.c needs to know of a program. */
#ifndef MPROC_WIN32_PROGRAM_H
#define MPROC_WIN32_PROGRAM_H

#include <wchar.h>

struct program {
    wchar_t *path;
};

#endif
