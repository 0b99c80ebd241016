/* SPDX-License-Identifier: MIT */
/* A program by its path: macOS and the BSDs cannot run an open file. */
#include "platform/program.h"

#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "posix/program.h"
#include "posix/system_error.h"

#define PATH_CAPACITY 4096

int program_open_self(struct program **program, handle inherited) {
    char *path = memory_allocate(PATH_CAPACITY);
    size_t size = PATH_CAPACITY;
    (void)inherited; /* nothing is passed on here */
    if (path == NULL) {
        return MPROC_ENOMEM;
    }
    int error = uv_exepath(path, &size);
    if (error != 0) {
        memory_free(path);
        return system_error(-error, "cannot find this program's own executable");
    }
    return program_create(program, HANDLE_INVALID, path);
}
