/* SPDX-License-Identifier: MIT */
#include "posix/nameless_file.h"

#include <sys/mman.h>

int nameless_file_open(void) {
    return memfd_create("mproc", MFD_CLOEXEC);
}
