/* SPDX-License-Identifier: MIT */
/* The terminal or window that people read. */
#ifndef MPROC_PLATFORM_CONSOLE_H
#define MPROC_PLATFORM_CONSOLE_H

#include <stdbool.h>

/* Makes a console show UTF-8 where it does not by itself (Windows), and puts it back as it was. */
void console_use_utf8(void);
void console_restore(void);

/* Writes one line to standard error in one go, so that lines of several processes do not mix. '\n' is added. Nothing is
 * reported: there is nowhere to report it to. */
void console_write_error_line(const char *line);

/* The same without the '\n', for a line that is drawn again and again. */
void console_write_error(const char *text);

/* Whether standard error is a terminal, which understands the usual escape sequences. */
bool console_error_is_terminal(void);

/* While a line is being drawn: where Ctrl-C ends the program, it ends the line first. As often released as guarded. */
void console_guard_line(void);
void console_release_line(void);

#endif
