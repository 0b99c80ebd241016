/* SPDX-License-Identifier: MIT */
/* mproc: multiprocessing for C. One include for the whole library. */
#ifndef MPROC_H
#define MPROC_H

#include "mproc/core.h"
#include "mproc/value.h"
#include "mproc/process.h"
#include "mproc/connection.h"

#endif
