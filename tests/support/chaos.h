/* SPDX-License-Identifier: MIT */
/* What the chaos tests share: MPROC_CHAOS_SEED and MPROC_CHAOS_KILLS, and random numbers that are the same on each system. */
#ifndef MPROC_TEST_CHAOS_H
#define MPROC_TEST_CHAOS_H

/* The seed of this run, which is printed; never 0. */
unsigned chaos_seed(void);

/* How many processes to kill; `usual` where the environment does not tell. */
int chaos_kills(int usual);

unsigned chaos_random(unsigned *seed);

#endif
