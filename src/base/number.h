/* SPDX-License-Identifier: MIT */
/* What is asked of doubles. Functions, because mingw's macros of math.h convert to float on the way and warn of it. */
#ifndef MPROC_BASE_NUMBER_H
#define MPROC_BASE_NUMBER_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* 2^53: up to here each whole number is a double of its own. */
#define NUMBER_EXACT_MAX 9007199254740992.0

static inline bool number_is_finite(double number) {
    return fabs(number) <= DBL_MAX; /* false for a NaN too */
}

static inline bool number_is_nan(double number) {
    return number != number;
}

static inline bool number_is_negative(double number) {
    return copysign(1.0, number) < 0; /* true for -0.0 too */
}

static inline bool number_is_whole(double number) {
    return number_is_finite(number) && floor(number) >= number;
}

#endif
