/* SPDX-License-Identifier: MIT */
/* The one place below the features that knows which of them have processes of their own kind. */
#include "spawn/own_targets.h"

#include "pool/pool.h"

const mproc_target own_targets[] = {{"mproc: a pool's worker", pool_worker_run}, MPROC_TARGETS_END};
