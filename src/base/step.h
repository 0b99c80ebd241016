/* SPDX-License-Identifier: MIT */
/* Marks the points between the steps of what has to survive a death at any instant. They are nothing in the library; in the
 * build that the tests link, each calls a hook, which may end the process there, or let another thread go first. */
#ifndef MPROC_BASE_STEP_H
#define MPROC_BASE_STEP_H

#ifdef MPROC_STEPS

/* NULL: nothing happens. */
extern void (*step_hook)(void);

static inline void step(void) {
    if (step_hook != 0) {
        step_hook();
    }
}

#else

static inline void step(void) {
}

#endif

#endif
