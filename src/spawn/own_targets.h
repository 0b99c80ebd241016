/* SPDX-License-Identifier: MIT */
/* The library's own targets, which every program has besides those of its table. */
#ifndef MPROC_SPAWN_OWN_TARGETS_H
#define MPROC_SPAWN_OWN_TARGETS_H

#include "mproc/core.h"

/* Ended by MPROC_TARGETS_END. */
extern const mproc_target own_targets[];

#endif
