/* SPDX-License-Identifier: MIT */
/* errno as an error of the library. */
#ifndef MPROC_POSIX_SYSTEM_ERROR_H
#define MPROC_POSIX_SYSTEM_ERROR_H

/* Sets the thread's error to "<what>: <the system's text>" and returns the code that fits the number. */
int system_error(int number, const char *what);

#endif
