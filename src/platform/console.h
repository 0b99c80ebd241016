/* SPDX-License-Identifier: MIT */
/* The terminal or window that people read. */
#ifndef MPROC_PLATFORM_CONSOLE_H
#define MPROC_PLATFORM_CONSOLE_H

/* Makes a console show UTF-8 where it does not by itself (Windows), and puts it back as it was. */
void console_use_utf8(void);
void console_restore(void);

/* Writes one line to standard error in one go, so that lines of several processes do not mix. '\n' is added. Nothing is
 * reported: there is nowhere to report it to. */
void console_write_error_line(const char *line);

#endif
