/* SPDX-License-Identifier: MIT */
/* What the formats of mproc_pack and mproc_unpack have in common. */
#ifndef MPROC_VALUE_FORMAT_H
#define MPROC_VALUE_FORMAT_H

#define FORMAT_DEPTH_MAX 32

/* The next character that means something: spaces, commas and colons between items are passed over. */
static inline char format_peek(const char **place) {
    while (**place == ' ' || **place == ',' || **place == ':') {
        (*place)++;
    }
    return **place;
}

static inline char format_next(const char **place) {
    char letter = format_peek(place);
    if (letter != '\0') {
        (*place)++;
    }
    return letter;
}

#endif
