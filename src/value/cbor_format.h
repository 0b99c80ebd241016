/* SPDX-License-Identifier: MIT */
/* What cbor_encode.c writes and cbor_decode.c reads: see cbor.h. */
#ifndef MPROC_VALUE_CBOR_FORMAT_H
#define MPROC_VALUE_CBOR_FORMAT_H

enum major_type {
    MAJOR_UNSIGNED = 0,
    MAJOR_NEGATIVE = 1,
    MAJOR_BYTES = 2,
    MAJOR_TEXT = 3,
    MAJOR_ARRAY = 4,
    MAJOR_MAP = 5,
    MAJOR_TAG = 6,
    MAJOR_SIMPLE = 7
};

enum simple_value { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22, SIMPLE_DOUBLE = 27 };

#define REFERENCE_TAG 0x6D70u
#define REFERENCE_ITEMS 5

/* Levels that most values make do with: only deeper ones need an allocation. */
#define USUAL_DEPTH 16

#endif
