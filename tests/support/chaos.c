/* SPDX-License-Identifier: MIT */
#include "support/chaos.h"

#include <stdlib.h>

#include "mproc.h"
#include "support/test.h"

static unsigned number_from_environment(const char *name, unsigned otherwise) {
    const char *text = getenv(name);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

unsigned chaos_seed(void) {
    unsigned seed = number_from_environment("MPROC_CHAOS_SEED", (unsigned)(uint64_t)(mproc_time() * 1e6) | 1);
    print_message("MPROC_CHAOS_SEED=%u\n", seed);
    return seed;
}

int chaos_kills(int usual) {
    return (int)number_from_environment("MPROC_CHAOS_KILLS", (unsigned)usual);
}

unsigned chaos_random(unsigned *seed) { /* xorshift */
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}
