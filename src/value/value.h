/* SPDX-License-Identifier: MIT */
/* What the library does with cJSON values besides sending them. */
#ifndef MPROC_VALUE_VALUE_H
#define MPROC_VALUE_VALUE_H

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stddef.h>

/* As cJSON_Delete, for trees of any depth (cJSON's own recursion ends a program whose tree is too deep); and what the
 * references in it stand for is closed, where it was neither sent nor taken up. NULL is fine. */
void value_delete(cJSON *value);

/* For a call that takes a value and was given NULL: the error of the mproc_pack that this thread called before it, set
 * and forgotten; 0 where there was none. */
int value_pending_error(void);

/* The value for a message to a person: `the string "x"`, `the number 3.5`, `true`, `null`, `an array`, `an object`,
 * `missing` for NULL. At most size bytes, always ended; returns text. */
const char *value_describe(const cJSON *value, char *text, size_t size);

/* mproc_task_unpack without the task: format as there. function: for the messages. */
int value_unpack_arguments(const char *function, const cJSON *args, const cJSON *kwargs, const char *format,
                           va_list targets);

#endif
