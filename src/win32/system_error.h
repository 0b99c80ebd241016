/* SPDX-License-Identifier: MIT */
/* GetLastError as an error of the library. */
#ifndef MPROC_WIN32_SYSTEM_ERROR_H
#define MPROC_WIN32_SYSTEM_ERROR_H

#include <windows.h>

/* Sets the thread's error to "<what>: <the system's text>" and returns the code that fits the number. */
int system_error(DWORD number, const char *what);

#endif
