/* SPDX-License-Identifier: MIT */
/* The words of a cell, each access to which is a step: tests try every order of them, with a death between any two. */
#ifndef MPROC_SYNC_WORD_H
#define MPROC_SYNC_WORD_H

#include "base/atomic.h"
#include "base/step.h"

static inline uint64_t word_load(const atomic_number *word) {
    step();
    return step_saw(atomic_load(word));
}

static inline bool word_is(const atomic_number *word, uint64_t value) {
    step();
    return step_saw(atomic_load(word) == value) != 0;
}

/* Whether any of these bits is set. */
static inline bool word_has(const atomic_number *word, uint64_t bits) {
    step();
    return step_saw((atomic_load(word) & bits) != 0) != 0;
}

static inline void word_store(atomic_number *word, uint64_t value) {
    step();
    (void)atomic_replace(word, value);
}

/* The value before. */
static inline uint64_t word_swap(atomic_number *word, uint64_t value) {
    step();
    return step_saw(atomic_replace(word, value));
}

static inline void word_set(atomic_number *word, uint64_t bits) {
    step();
    (void)atomic_set_bits(word, bits);
}

/* Whether any of them was set. */
static inline bool word_clear(atomic_number *word, uint64_t bits) {
    step();
    return step_saw((atomic_clear_bits(word, bits) & bits) != 0) != 0;
}

/* The value before. */
static inline uint64_t word_add(atomic_number *word, uint64_t amount) {
    step();
    return step_saw(atomic_increase(word, amount));
}

/* Whether it was as expected, and has the new value now. Looks before it tries, which is quicker where it is not. */
static inline bool word_change(atomic_number *word, uint64_t expected, uint64_t value) {
    step();
    return step_saw(atomic_load(word) == expected && atomic_compare_replace(word, expected, value)) != 0;
}

#endif
