/* SPDX-License-Identifier: MIT */
#include "platform/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* "folder/name", or the name itself where the folder is NULL or the name absolute. */
static char *join(const char *folder, size_t folder_length, const char *name) {
    if (folder == NULL || name[0] == '/') {
        return memory_copy_text(name);
    }
    size_t size = folder_length + 1 + strlen(name) + 1;
    char *path = memory_allocate(size);
    if (path != NULL) {
        (void)snprintf(path, size, "%.*s/%s", (int)folder_length, folder_length > 0 ? folder : ".", name);
    }
    return path;
}

static int check_from(const char *folder, const char *path) {
    char *seen = join(folder, folder != NULL ? strlen(folder) : 0, path);
    int status = seen != NULL ? check_runnable(seen) : MPROC_ENOMEM;
    memory_free(seen);
    return status;
}

/* The first that may be run; otherwise the error of the first that is there, or MPROC_ENOTFOUND. */
static int search(const char *name, const char *search_path, const char *folder, char **path) {
    mproc_error forbidden = {0, 0, NULL, NULL, 0, 0};
    char text[512] = "";
    for (const char *place = search_path; place != NULL;) {
        size_t length = strcspn(place, ":");
        char *candidate = join(length > 0 ? place : ".", length > 0 ? length : 1, name);
        int status = candidate != NULL ? check_from(folder, candidate) : MPROC_ENOMEM;
        if (status == 0 || status == MPROC_ENOMEM) {
            *path = candidate;
            return status;
        }
        if (status == MPROC_EPERM && forbidden.code == 0) {
            forbidden = *mproc_last_error();
            (void)snprintf(text, sizeof text, "%s", forbidden.message);
        }
        memory_free(candidate);
        place = place[length] == ':' ? place + length + 1 : NULL;
    }
    return forbidden.code != 0 ? error_set(forbidden.code, forbidden.system_code, "%s", text)
                               : error_set(MPROC_ENOTFOUND, ENOENT, "%s: there is no such program in PATH", name);
}

int program_find(struct program **program, const char *name, const char *search_path, const char *folder) {
    static const char usual_path[] = "/usr/local/bin:/usr/bin:/bin";
    char *path = NULL;
    int status;
    if (name[0] == '\0') {
        return error_set(MPROC_EINVAL, 0, "the program's name is empty");
    }
    if (strchr(name, '/') != NULL) {
        status = check_from(folder, name);
        path = status == 0 ? memory_copy_text(name) : NULL;
    } else {
        status = search(name, search_path != NULL ? search_path : usual_path, folder, &path);
    }
    return status == 0 ? program_create(program, HANDLE_INVALID, path) : status;
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
