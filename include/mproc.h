/* SPDX-License-Identifier: MIT */
/* mproc: multiprocessing for C. One include for the whole library. */
#ifndef MPROC_H
#define MPROC_H

#include "mproc/connection.h"
#include "mproc/core.h"
#include "mproc/pool.h"
#include "mproc/process.h"
#include "mproc/queue.h"
#include "mproc/shared.h"
#include "mproc/subprocess.h"
#include "mproc/sync.h"
#include "mproc/value.h"
#include "mproc/wait.h"

#endif
