/* SPDX-License-Identifier: MIT */
/* A program for the tests of subprocess, the same on all systems: the test program itself, started with this option. */
#ifndef MPROC_TEST_HELPER_H
#define MPROC_TEST_HELPER_H

#include <stdbool.h>

#define HELPER_OPTION "--helper"

/* In main, before all else: runs as the helper where that is wanted, and gives its exit code. */
bool helper_is_wanted(int argc, char **argv);
int helper_main(int argc, char **argv);

/* This executable. */
const char *helper_path(void);

#endif
