/* SPDX-License-Identifier: MIT */
#include "platform/program.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "posix/program.h"
#include "posix/system_error.h"

int program_create(struct program **program, handle file, char *path) {
    struct program *created = path != NULL ? memory_allocate(sizeof *created) : NULL;
    if (created == NULL) {
        memory_free(path);
        return MPROC_ENOMEM;
    }
    created->file = file;
    created->path = path;
    *program = created;
    return 0;
}

static int check_runnable(const char *path) {
    struct stat information;
    if (stat(path, &information) != 0) {
        return system_error(errno, path);
    }
    if (!S_ISREG(information.st_mode)) {
        return error_set(MPROC_EPERM, 0, "%s is not a file that can be run", path);
    }
    if (access(path, X_OK) != 0) {
        return system_error(errno, path);
    }
    return 0;
}

int program_open_path(struct program **program, const char *path) {
    int status = check_runnable(path);
    if (status != 0) {
        return status;
    }
    char *absolute = realpath(path, NULL);
    if (absolute == NULL) {
        return system_error(errno, path);
    }
    status = program_create(program, HANDLE_INVALID, memory_copy_text(absolute));
    free(absolute); /* realpath's, not memory.h's */
    return status;
}

void program_close(struct program *program) {
    if (program != NULL) {
        handle_close(program->file);
        memory_free(program->path);
        memory_free(program);
    }
}

handle program_child_handle(const struct program *program) {
    return program->file != HANDLE_INVALID ? PROGRAM_CHILD_HANDLE : HANDLE_INVALID;
}
