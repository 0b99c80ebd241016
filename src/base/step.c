/* SPDX-License-Identifier: MIT */
/* In the tests' build only. */
#include "base/step.h"

void (*step_hook)(void);
uint64_t *step_memory;

uint64_t step_mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

void step_remember(uint64_t value) {
    *step_memory = step_mix(*step_memory, value);
}

/* The place is part of it: the same value means something else elsewhere. */
void step_forget_all_but(uint64_t memory, uint64_t value, const char *function, int line) {
    if (step_memory != 0) {
        *step_memory = step_mix(step_mix(step_mix(memory, (uint64_t)(uintptr_t)function), (uint64_t)line), value);
    }
}
