/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdint.h>

static bool is_continuation(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

/* Bytes of the well-formed character at `place`, of which `left` bytes may be read; 0: it is not well-formed. The second
 * byte's limits keep out overlong forms, surrogates and what is past U+10FFFF (Unicode, table 3-7). */
static size_t character_size(const unsigned char *place, size_t left) {
    unsigned char first = place[0];
    size_t size = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : 4;
    unsigned char lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || size > left) {
        return 0;
    }
    if (size > 1 && (place[1] < lowest || place[1] > highest)) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if (!is_continuation(place[i])) {
            return 0;
        }
    }
    return size;
}

bool text_is_utf8(const char *text, size_t size) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t place = 0;
    while (place < size) {
        size_t step = bytes[place] < 0x80 ? 1 : character_size(bytes + place, size - place);
        if (step == 0) {
            return false;
        }
        place += step;
    }
    return true;
}

size_t text_cut(const char *text, size_t limit) {
    size_t size = 0;
    while (size < limit && text[size] != '\0') {
        size++;
    }
    if (size == limit) { /* there is more, maybe: step back to a character's first byte */
        while (size > 0 && is_continuation((unsigned char)text[size])) {
            size--;
        }
    }
    return size;
}
