/* SPDX-License-Identifier: MIT */
/* macOS and the BSDs cannot choose the signal, and SIGIO belongs to the application. */
#include "platform/lifeline.h"

#include "base/error.h"

int lifeline_tie(handle reader) {
    (void)reader;
    return MPROC_ENOTSUP;
}
