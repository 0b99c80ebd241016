/* SPDX-License-Identifier: MIT */
/* A program by its path: Windows does not let a file that runs be replaced or deleted. */
#include "platform/program.h"

#include <windows.h>

/* After windows.h, whose types it uses. */
#include <string.h>

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

/* Windows takes no notice of dots and spaces at the end of a name. */
static bool has_extension(const wchar_t *path, const wchar_t *extension) {
    size_t length = wcslen(path), wanted = wcslen(extension);
    while (length > 0 && (path[length - 1] == L'.' || path[length - 1] == L' ')) {
        length--;
    }
    return length > wanted && _wcsnicmp(path + length - wanted, extension, wanted) == 0;
}

bool program_is_batch(const wchar_t *path) {
    return has_extension(path, L".bat") || has_extension(path, L".cmd");
}

/* A place where a program may be: "folder\\name.extension". */
struct candidate {
    wchar_t *path; /* room for PATH_MAX_LENGTH */
    size_t length;
};

static bool append(struct candidate *candidate, const wchar_t *text, size_t length) {
    if (length >= PATH_MAX_LENGTH - candidate->length) {
        return false; /* no file has such a path */
    }
    memcpy(candidate->path + candidate->length, text, length * sizeof *text);
    candidate->length += length;
    candidate->path[candidate->length] = L'\0';
    return true;
}

static bool is_file(const wchar_t *path) {
    DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

/* Tries the path with one of these behind it, which are separated by zeros. */
static bool find_extension(struct candidate *candidate, const wchar_t *extensions) {
    size_t length = candidate->length;
    for (; *extensions != L'\0'; extensions += wcslen(extensions) + 1) {
        if (append(candidate, extensions, wcslen(extensions)) && is_file(candidate->path)) {
            return true;
        }
        candidate->length = length;
        candidate->path[length] = L'\0';
    }
    return false;
}

static const wchar_t programs_first_exe[] = L".exe\0.com\0";
static const wchar_t programs_first_com[] = L".com\0.exe\0";
static const wchar_t batches[] = L".bat\0.cmd\0";

/* The order in which PATHEXT has the two; its batch files are left out. */
static const wchar_t *program_extensions(void) {
    wchar_t order[1024];
    DWORD length = GetEnvironmentVariableW(L"PATHEXT", order, 1024);
    if (length == 0 || length >= 1024) {
        return programs_first_com;
    }
    (void)_wcslwr_s(order, 1024);
    const wchar_t *exe = wcsstr(order, L".exe"), *com = wcsstr(order, L".com");
    return com != NULL && (exe == NULL || com < exe) ? programs_first_com : programs_first_exe;
}

/* What stands behind the last separator. */
static const wchar_t *last_part(const wchar_t *path) {
    const wchar_t *separator;
    while ((separator = wcspbrk(path, L"\\/:")) != NULL) {
        path = separator + 1;
    }
    return path;
}

/* The candidate has the name at its end. One with an extension means itself first. */
static bool find_here(struct candidate *candidate) {
    bool has_dot = wcschr(last_part(candidate->path), L'.') != NULL;
    return (has_dot && is_file(candidate->path)) || find_extension(candidate, program_extensions());
}

static bool is_absolute(const wchar_t *folder, size_t length) {
    return (length > 2 && folder[1] == L':') || (length > 1 && folder[0] == L'\\' && folder[1] == L'\\');
}

/* Never in the current folder, whatever PATH says. */
static bool search(struct candidate *candidate, const wchar_t *name, const wchar_t *folders, bool for_batches) {
    while (*folders != L'\0') {
        size_t length = wcscspn(folders, L";");
        candidate->length = 0;
        if (is_absolute(folders, length) && append(candidate, folders, length) && append(candidate, L"\\", 1) &&
            append(candidate, name, wcslen(name)) &&
            (for_batches ? find_extension(candidate, batches) : find_here(candidate))) {
            return true;
        }
        folders += length + (folders[length] == L';');
    }
    return false;
}

static int refuse_batch(const char *name, const wchar_t *path) {
    char *found = wide_to_utf8(path);
    int status =
        error_set(MPROC_EPERM, 0,
                  "%s is a batch file (%s): cmd.exe would read its arguments once more, and no quoting makes that "
                  "safe; name it with its extension to run it all the same",
                  name, found != NULL ? found : "?");
    memory_free(found);
    return status;
}

static int find(struct candidate *candidate, const char *name, const wchar_t *wide, const wchar_t *folders) {
    bool is_path = wcspbrk(wide, L"\\/:") != NULL;
    if (is_path ? append(candidate, wide, wcslen(wide)) && find_here(candidate)
                : search(candidate, wide, folders, false)) {
        return program_is_batch(candidate->path) ? 0 : check_runnable(candidate->path, name);
    }
    if (is_path ? find_extension(candidate, batches) : search(candidate, wide, folders, true)) {
        return refuse_batch(name, candidate->path);
    }
    if (is_path) {
        return GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES
                   ? error_set(MPROC_EPERM, 0, "%s is not a program that can be run", name)
                   : system_error(ERROR_FILE_NOT_FOUND, name);
    }
    return error_set(MPROC_ENOTFOUND, ERROR_FILE_NOT_FOUND, "%s: there is no such program in PATH", name);
}

int program_find(struct program **program, const char *name, const char *search_path, const char *folder) {
    struct candidate candidate = {NULL, 0};
    (void)folder; /* a path is relative to here */
    if (name[0] == '\0') {
        return error_set(MPROC_EINVAL, 0, "the program's name is empty");
    }
    wchar_t *wide = wide_from_utf8(name);
    wchar_t *folders = wide_from_utf8(search_path != NULL ? search_path : "");
    candidate.path = memory_allocate(PATH_MAX_LENGTH * sizeof *candidate.path);
    int status = wide != NULL && folders != NULL && candidate.path != NULL ? find(&candidate, name, wide, folders)
                                                                           : mproc_last_error()->code;
    memory_free(wide);
    memory_free(folders);
    if (status != 0) {
        memory_free(candidate.path);
        return status;
    }
    return create(program, shrink(candidate.path, (DWORD)candidate.length));
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
