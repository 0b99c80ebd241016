/* SPDX-License-Identifier: MIT */
/* A program by its path: Windows does not let a file that runs be replaced or deleted. */
#include "platform/program.h"

#include <windows.h>

#include "base/error.h"
#include "base/memory.h"
#include "win32/program.h"
#include "win32/system_error.h"
#include "win32/wide.h"

/* The longest path that Windows has. */
#define PATH_MAX_LENGTH 32768

static int create(struct program **program, wchar_t *path) {
    struct program *created = path != NULL ? memory_allocate(sizeof *created) : NULL;
    if (created == NULL) {
        memory_free(path);
        return MPROC_ENOMEM;
    }
    created->path = path;
    *program = created;
    return 0;
}

static wchar_t *shrink(wchar_t *path, DWORD length) {
    wchar_t *shrunk = memory_resize(path, ((size_t)length + 1) * sizeof *path);
    return shrunk != NULL ? shrunk : path;
}

int program_open_self(struct program **program, handle inherited) {
    wchar_t *path = memory_allocate(PATH_MAX_LENGTH * sizeof *path);
    (void)inherited; /* nothing is passed on here */
    if (path == NULL) {
        return MPROC_ENOMEM;
    }
    DWORD length = GetModuleFileNameW(NULL, path, PATH_MAX_LENGTH);
    if (length == 0 || length == PATH_MAX_LENGTH) {
        int status = system_error(GetLastError(), "cannot find this program's own executable");
        memory_free(path);
        return status;
    }
    return create(program, shrink(path, length));
}

static int check_runnable(const wchar_t *wide, const char *path) {
    DWORD type;
    DWORD attributes = GetFileAttributesW(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        return system_error(GetLastError(), path);
    }
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 || !GetBinaryTypeW(wide, &type)) {
        return error_set(MPROC_EPERM, 0, "%s is not a program that can be run", path);
    }
    return 0;
}

int program_open_path(struct program **program, const char *path) {
    wchar_t *wide = wide_from_utf8(path);
    wchar_t *absolute = memory_allocate(PATH_MAX_LENGTH * sizeof *absolute);
    int status = wide != NULL && absolute != NULL ? check_runnable(wide, path) : mproc_last_error()->code;
    if (status == 0) {
        DWORD length = GetFullPathNameW(wide, PATH_MAX_LENGTH, absolute, NULL);
        if (length == 0 || length >= PATH_MAX_LENGTH) {
            status = system_error(GetLastError(), path);
        } else {
            status = create(program, shrink(absolute, length));
            absolute = NULL; /* taken */
        }
    }
    memory_free(wide);
    memory_free(absolute);
    return status;
}

void program_close(struct program *program) {
    if (program != NULL) {
        memory_free(program->path);
        memory_free(program);
    }
}

handle program_child_handle(const struct program *program) {
    (void)program;
    return HANDLE_INVALID;
}
