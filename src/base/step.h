/* SPDX-License-Identifier: MIT */
/* Marks the points between the steps of what has to survive a death at any instant. They are nothing in the library; in the
 * build that the tests link, each calls a hook, which may end the process there, or let another thread go first. */
#ifndef MPROC_BASE_STEP_H
#define MPROC_BASE_STEP_H

#include <stdint.h>

#ifdef MPROC_STEPS

/* NULL: nothing happens. */
extern void (*step_hook)(void);
extern void (*step_saw_hook)(uint64_t value);

static inline void step(void) {
    if (step_hook != 0) {
        step_hook();
    }
}

/* What the thread has just read of what others may change: with all of it so far, what the thread will do is known. */
static inline uint64_t step_saw(uint64_t value) {
    if (step_saw_hook != 0) {
        step_saw_hook(value);
    }
    return value;
}

#else

static inline void step(void) {
}

static inline uint64_t step_saw(uint64_t value) {
    return value;
}

#endif

#endif
