/* SPDX-License-Identifier: MIT */
/* Marks the points between the steps of what has to survive a death at any instant. They are nothing in the library; in the
 * build that the tests link, each calls a hook, which may end the process there, or let another thread go first. */
#ifndef MPROC_BASE_STEP_H
#define MPROC_BASE_STEP_H

#include <stdint.h>

#ifdef MPROC_STEPS

/* NULL: nothing happens. */
extern void (*step_hook)(void);
/* A number for all that the thread that runs remembers of what it has read: what it will do depends on that alone. NULL: nobody
 * asks. */
extern uint64_t *step_memory;

uint64_t step_mix(uint64_t hash, uint64_t value);
void step_remember(uint64_t value);
void step_forget_all_but(uint64_t memory, uint64_t value, const char *function, int line);

static inline void step(void) {
    if (step_hook != 0) {
        step_hook();
    }
}

/* What the thread has just read of what others may change. */
static inline uint64_t step_saw(uint64_t value) {
    if (step_memory != 0) {
        step_remember(value);
    }
    return value;
}

/* What the thread remembers now. */
static inline uint64_t step_memory_now(void) {
    return step_memory != 0 ? *step_memory : 0;
}

/* From here on the thread needs no more of what it has read since that memory than this value. */
#define step_learned(memory, value) step_forget_all_but(memory, value, __func__, __LINE__)

#else

static inline void step(void) {
}

static inline uint64_t step_saw(uint64_t value) {
    return value;
}

static inline uint64_t step_memory_now(void) {
    return 0;
}

static inline void step_learned(uint64_t memory, uint64_t value) {
    (void)memory;
    (void)value;
}

#endif

#endif
