/* SPDX-License-Identifier: MIT */
/* Files that a program is to read or write as its standard streams. */
#ifndef MPROC_PLATFORM_FILE_H
#define MPROC_PLATFORM_FILE_H

#include "platform/handle.h"

/* The null device, for reading and writing. MPROC_ESYSTEM. */
int file_open_null(handle *file);

/* A file to be read. path: UTF-8. MPROC_ENOTFOUND; MPROC_EPERM; MPROC_ESYSTEM. */
int file_open_for_reading(const char *path, handle *file);

/* A file to be written from its beginning, made where there is none. Errors as above. */
int file_open_for_writing(const char *path, handle *file);

#endif
