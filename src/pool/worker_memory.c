/* SPDX-License-Identifier: MIT */
#include "pool/worker_memory.h"

void sleepers_add(struct pool_memory *memory, unsigned index) {
    (void)atomic_increase(&memory->sleepers[index / 64], UINT64_C(1) << index % 64); /* it was not set */
    (void)atomic_increase(&memory->sleeper_count, 1);
}

bool sleepers_remove(struct pool_memory *memory, unsigned index) {
    atomic_number *word = &memory->sleepers[index / 64];
    uint64_t bit = UINT64_C(1) << index % 64, bits = atomic_load(word);
    while ((bits & bit) != 0) {
        if (atomic_compare_replace(word, bits, bits & ~bit)) {
            (void)atomic_increase(&memory->sleeper_count, UINT64_MAX);
            return true;
        }
        bits = atomic_load(word);
    }
    return false;
}
