/* SPDX-License-Identifier: MIT */
/* A file in memory that has no name. */
#ifndef MPROC_POSIX_NAMELESS_FILE_H
#define MPROC_POSIX_NAMELESS_FILE_H

/* An empty one, not inherited; -1 and errno. */
int nameless_file_open(void);

#endif
