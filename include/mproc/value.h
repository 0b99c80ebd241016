/* SPDX-License-Identifier: MIT */
/** @file
 * Building and reading cJSON values in one line. Neither call needs mproc_init. */
#ifndef MPROC_VALUE_H
#define MPROC_VALUE_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Builds a value from a format and its arguments.
 *
 *     mproc_pack("[s,i,f,b,n]", "two", 2, 2.0, true)    ->  ["two",2,2.0,true,null]
 *     mproc_pack("{s:i, s:[i,i]}", "m", 20, "xy", 1, 2) ->  {"m":20,"xy":[1,2]}
 *
 * s const char * (NULL is null), i int, I int64_t (exact up to 2^53, else it fails), f double (finite), b bool (as int),
 * n null, o cJSON * (taken, also on failure), [ ] array, { } object with keys as s. Spaces and commas are skipped.
 * @return the caller's; NULL where the format makes no sense (MPROC_EINVAL), a number cannot be kept (MPROC_ERANGE for I,
 *         MPROC_EINVAL for a NaN or an infinity), an o is NULL (MPROC_EINVAL, or the error of the mproc_pack that made
 *         it) or memory ran out. The thread's next mproc call that takes a value and is given NULL then fails with that
 *         error, so that a call in one line never runs with its arguments missing. */
MPROC_API cJSON *mproc_pack(const char *format, ...);

/** The reverse of mproc_pack: s const char ** (the value's own text), i int *, I int64_t *, f double * (any number),
 * b bool *, n nothing, o const cJSON ** (the value's own), keys as const char *. A key followed by ? (`{s?:i}`) may be
 * missing: its target then stays as it was. A whole number in range is demanded where i or I stands; an array must have
 * as many items as the format; an object may have other keys besides.
 * @param value   NULL is no value: MPROC_ETYPE
 * @return 0; MPROC_ETYPE with a message that says where, such as `"xy"[1] should be a whole number, but is true`, and
 *         the targets before that place are set; MPROC_EINVAL: the format makes no sense. */
MPROC_API int mproc_unpack(const cJSON *value, const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
