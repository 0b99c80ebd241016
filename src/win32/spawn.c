/* SPDX-License-Identifier: MIT */
/* CreateProcessW with a list of exactly the handles to be inherited, and a job that ends with this process.
 *
 * Only inheritable handles may stand in the list, and other code of the application may start processes of its own at the
 * same time, which would inherit them too. So they are inheritable for the moment of the call alone, one start at a time. */
#include "platform/spawn.h"

#include <windows.h>

/* After windows.h, whose types it uses. */
#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "win32/program.h"
#include "win32/system_error.h"
#include "win32/wide.h"

#ifndef PROC_THREAD_ATTRIBUTE_JOB_LIST
#define PROC_THREAD_ATTRIBUTE_JOB_LIST 0x0002000D /* Windows 10; not in older headers */
#endif

#define ATTRIBUTES 2

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t spawn_mutex;
static HANDLE children_job; /* NULL: there is none; stays open until the process ends, and with it all that is in it */

/* All that one start needs, released in one place. */
struct start {
    HANDLE streams[SPAWN_STREAMS]; /* this start's own */
    HANDLE *list;                  /* what the child inherits */
    size_t count;
    wchar_t *command_line;
    wchar_t *environment; /* NULL: this process's own */
    wchar_t *folder;      /* NULL: this process's own */
    HANDLE job;           /* NULL: none */
    LPPROC_THREAD_ATTRIBUTE_LIST attributes;
    bool has_attributes;
    bool has_job;
};

handle spawn_child_handle(const handle *inherited, size_t index) {
    return inherited[index];
}

/* Command line ------------------------------------------------------------------------------------------------- */

static int append_character(struct buffer *line, wchar_t character) {
    return buffer_append(line, &character, sizeof character);
}

static int append_backslashes(struct buffer *line, size_t count) {
    int status = 0;
    while (count-- > 0 && status == 0) {
        status = append_character(line, L'\\');
    }
    return status;
}

/* By the rules that CommandLineToArgvW and the C runtime undo: backslashes count for nothing, but before a quote, and
 * then twice. */
static int append_quoted(struct buffer *line, const wchar_t *argument) {
    size_t backslashes = 0;
    int status = append_character(line, L'"');
    for (; *argument != L'\0' && status == 0; argument++) {
        if (*argument == L'\\') {
            backslashes++;
            continue;
        }
        if (*argument == L'"') {
            backslashes = 2 * backslashes + 1;
        }
        status = append_backslashes(line, backslashes);
        backslashes = 0;
        if (status == 0) {
            status = append_character(line, *argument);
        }
    }
    if (status == 0) {
        status = append_backslashes(line, 2 * backslashes);
    }
    return status == 0 ? append_character(line, L'"') : status;
}

/* The first argument is read by rules of its own: up to the next quote, and nothing stands for a quote in it. */
static int append_program_name(struct buffer *line, const char *name) {
    if (strchr(name, '"') != NULL) {
        return error_set(MPROC_EINVAL, 0, "on Windows a program's name cannot have a quote in it: %s", name);
    }
    wchar_t *wide = wide_from_utf8(name);
    int status = wide != NULL ? append_character(line, L'"') : mproc_last_error()->code;
    if (status == 0) {
        status = buffer_append(line, wide, wcslen(wide) * sizeof *wide);
    }
    memory_free(wide);
    return status == 0 ? append_character(line, L'"') : status;
}

/* cmd.exe reads the command line of a batch file once more, by rules that no quoting satisfies: what means something to it
 * cannot be said. */
static int check_for_batch(const char *const *arguments) {
    for (size_t i = 1; arguments[i] != NULL; i++) {
        if (strpbrk(arguments[i], "\"%!^&|<>()\r\n") != NULL) {
            return error_set(MPROC_EINVAL, 0, "%s: argument %llu cannot be handed to a batch file safely: %s",
                             arguments[0], (unsigned long long)i, arguments[i]);
        }
    }
    return 0;
}

static int append_argument(struct buffer *line, const char *argument) {
    wchar_t *wide = wide_from_utf8(argument);
    int status = wide != NULL ? 0 : mproc_last_error()->code;
    if (status == 0) {
        status = append_character(line, L' ');
    }
    if (status == 0) {
        bool is_plain = *wide != L'\0' && wcspbrk(wide, L" \t\n\v\"") == NULL;
        status = is_plain ? buffer_append(line, wide, wcslen(wide) * sizeof *wide) : append_quoted(line, wide);
    }
    memory_free(wide);
    return status;
}

/* What CreateProcess takes, with the zero at the end. */
#define COMMAND_LINE_MAX 32767

static int write_command_line(struct start *start, const struct spawn_options *options) {
    const char *const *arguments = options->arguments;
    struct buffer line = {0};
    int status = program_is_batch(options->program->path) ? check_for_batch(arguments) : 0;
    if (status == 0) {
        status = append_program_name(&line, arguments[0]);
    }
    for (size_t i = 1; arguments[i] != NULL && status == 0; i++) {
        status = append_argument(&line, arguments[i]);
    }
    if (status == 0) {
        status = append_character(&line, L'\0');
    }
    start->command_line = (wchar_t *)(void *)line.data; /* from an allocator, so it is aligned */
    if (status == 0 && line.size / sizeof(wchar_t) > COMMAND_LINE_MAX) {
        status = error_set(MPROC_ERANGE, 0, "%s: the arguments take more than the %d characters that Windows allows",
                           arguments[0], COMMAND_LINE_MAX - 1);
    }
    return status;
}

/* Handles ------------------------------------------------------------------------------------------------------ */

static HANDLE open_null(DWORD access) {
    return CreateFileW(L"NUL", access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
}

/* A program without a console has no standard handles, or ones that mean nothing: the child then has the null device. */
static HANDLE copy_stream(HANDLE original, bool is_read) {
    HANDLE copy = NULL;
    if (original != NULL && original != INVALID_HANDLE_VALUE &&
        DuplicateHandle(GetCurrentProcess(), original, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        return copy;
    }
    return open_null(is_read ? GENERIC_READ : GENERIC_WRITE);
}

/* Copies of what the options name: one thing may stand in two places, but not twice in the list. */
static int gather_streams(struct start *start, const struct spawn_options *options) {
    static const DWORD own[SPAWN_STREAMS] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    for (size_t i = 0; i < SPAWN_STREAMS; i++) {
        handle wanted = options->streams != NULL ? options->streams[i] : HANDLE_INVALID;
        bool is_null = options->streams == NULL && i == 0;
        HANDLE original = is_null                      ? NULL
                          : wanted == HANDLE_INVALID   ? GetStdHandle(own[i])
                          : wanted == SPAWN_OWN_STDOUT ? GetStdHandle(STD_OUTPUT_HANDLE)
                                                       : (HANDLE)wanted;
        start->streams[i] = copy_stream(original, i == 0);
        if (start->streams[i] == INVALID_HANDLE_VALUE) {
            return system_error(GetLastError(), "cannot open the null device");
        }
    }
    return 0;
}

static int gather_handles(struct start *start, const struct spawn_options *options) {
    int status = gather_streams(start, options);
    if (status != 0) {
        return status;
    }
    start->count = SPAWN_STREAMS + options->inherited_count;
    start->list = memory_allocate(start->count * sizeof *start->list);
    if (start->list == NULL) {
        return MPROC_ENOMEM;
    }
    memcpy(start->list, start->streams, sizeof start->streams);
    for (size_t i = 0; i < options->inherited_count; i++) {
        start->list[SPAWN_STREAMS + i] = (HANDLE)options->inherited[i];
    }
    return 0;
}

static int make_inheritable(const struct start *start, bool inheritable) {
    DWORD flag = inheritable ? HANDLE_FLAG_INHERIT : 0;
    for (size_t i = 0; i < start->count; i++) {
        if (!SetHandleInformation(start->list[i], HANDLE_FLAG_INHERIT, flag)) {
            return system_error(GetLastError(), "cannot let a handle be inherited");
        }
    }
    return 0;
}

/* Starting ----------------------------------------------------------------------------------------------------- */

/* A job that ends all that is in it when its last handle is closed, and lets go whoever asks for that. NULL: there is none. */
static HANDLE create_job(void) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    memset(&limits, 0, sizeof limits);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    HANDLE job = CreateJobObjectW(NULL, NULL);
    if (job != NULL && !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits)) {
        (void)CloseHandle(job);
        job = NULL;
    }
    return job;
}

static void create_once(void) {
    (void)uv_mutex_init(&spawn_mutex); /* never fails on Windows */
    children_job = create_job();       /* NULL: the children's own watch on their links has to do */
}

static void choose_job(struct start *start, const struct spawn_options *options) {
    if (options->is_ours) {
        start->job = children_job;
    } else if (options->runner != NULL) {
        start->job = create_job();
    }
}

/* One text after the other, each with its end, and one end more. Windows finds them in any order. */
static int write_environment(struct start *start, const char *const *environment) {
    struct buffer block = {NULL, 0, 0};
    int status = 0;
    for (; *environment != NULL && status == 0; environment++) {
        wchar_t *wide = wide_from_utf8(*environment);
        status =
            wide != NULL ? buffer_append(&block, wide, (wcslen(wide) + 1) * sizeof *wide) : mproc_last_error()->code;
        memory_free(wide);
    }
    if (status == 0 && block.size == 0) {
        status = append_character(&block, L'\0'); /* an empty one ends with two, too */
    }
    if (status == 0) {
        status = append_character(&block, L'\0');
    }
    if (status != 0) {
        buffer_clear(&block);
        return status;
    }
    start->environment = (wchar_t *)(void *)block.data;
    return 0;
}

/* The lists' arrays are read when the process is made, so they stay where they are until then. */
static int set_attributes(struct start *start) {
    SIZE_T size = 0;
    (void)InitializeProcThreadAttributeList(NULL, ATTRIBUTES, 0, &size); /* only tells the size */
    start->attributes = memory_allocate(size);
    if (start->attributes == NULL) {
        return MPROC_ENOMEM;
    }
    if (!InitializeProcThreadAttributeList(start->attributes, ATTRIBUTES, 0, &size)) {
        return system_error(GetLastError(), "cannot prepare a process");
    }
    start->has_attributes = true;
    if (!UpdateProcThreadAttribute(start->attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, start->list,
                                   start->count * sizeof *start->list, NULL, NULL)) {
        return system_error(GetLastError(), "cannot name the handles to be inherited");
    }
    start->has_job =
        start->job != NULL && UpdateProcThreadAttribute(start->attributes, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST,
                                                        &start->job, sizeof start->job, NULL, NULL);
    return 0;
}

/* Before Windows 10 a process can enter a job only once it exists; until then it does not run. */
static int enter_job(const struct start *start, const PROCESS_INFORMATION *process) {
    if (start->has_job) {
        return 0;
    }
    if (start->job != NULL) {
        (void)AssignProcessToJobObject(start->job,
                                       process->hProcess); /* else a child's own watch on its link has to do */
    }
    if (ResumeThread(process->hThread) == (DWORD)-1) {
        int status = system_error(GetLastError(), "cannot let a process run");
        (void)TerminateProcess(process->hProcess, 1); /* nothing of it has run */
        return status;
    }
    return 0;
}

/* A child of a program without a console has none either. CREATE_NO_WINDOW would give it one that nobody sees: a process more,
 * whose start takes longer than the child's own, and which (in Wine) inherits the child's handles. Another program gets it
 * all the same: what it starts would otherwise get a console of its own, with a window. */
static DWORD console_flags(const struct spawn_options *options) {
    bool has_console = GetConsoleWindow() != NULL || GetConsoleCP() != 0;
    if (options->group == SPAWN_SESSION_OWN) {
        return CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP;
    }
    return has_console ? 0 : options->is_ours ? DETACHED_PROCESS : CREATE_NO_WINDOW;
}

/* A process that is to outlive this one leaves the job that this one is in. That may be forbidden, and then it stays. */
static BOOL create(const struct start *start, const struct spawn_options *options, DWORD flags,
                   STARTUPINFOEXW *information, PROCESS_INFORMATION *process) {
    DWORD leaves = options->group == SPAWN_SESSION_OWN ? CREATE_BREAKAWAY_FROM_JOB : 0;
    BOOL done = CreateProcessW(options->program->path, start->command_line, NULL, NULL, TRUE, flags | leaves,
                               start->environment, start->folder, &information->StartupInfo, process);
    if (!done && leaves != 0 && GetLastError() == ERROR_ACCESS_DENIED) {
        done = CreateProcessW(options->program->path, start->command_line, NULL, NULL, TRUE, flags, start->environment,
                              start->folder, &information->StartupInfo, process);
    }
    return done;
}

static int explain(DWORD number, const struct start *start, const struct spawn_options *options) {
    DWORD attributes = start->folder != NULL ? GetFileAttributesW(start->folder) : FILE_ATTRIBUTE_DIRECTORY;
    if (attributes == INVALID_FILE_ATTRIBUTES || (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
        return system_error(ERROR_DIRECTORY, options->folder);
    }
    return system_error(number, options->arguments[0]);
}

static int run(const struct start *start, const struct spawn_options *options, struct spawned *spawned) {
    STARTUPINFOEXW information;
    PROCESS_INFORMATION process;
    DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT | (start->has_job ? 0 : CREATE_SUSPENDED) |
                  console_flags(options);
    memset(&information, 0, sizeof information);
    information.StartupInfo.cb = sizeof information;
    information.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    information.StartupInfo.hStdInput = start->streams[0];
    information.StartupInfo.hStdOutput = start->streams[1];
    information.StartupInfo.hStdError = start->streams[2];
    information.lpAttributeList = start->attributes;

    uv_mutex_lock(&spawn_mutex);
    int status = make_inheritable(start, true);
    if (status == 0 && !create(start, options, flags, &information, &process)) {
        status = explain(GetLastError(), start, options);
    }
    (void)make_inheritable(start, false); /* they were made so above, or are closed soon */
    uv_mutex_unlock(&spawn_mutex);
    if (status != 0) {
        return status;
    }
    status = enter_job(start, &process);
    (void)CloseHandle(process.hThread);
    if (status != 0) {
        (void)CloseHandle(process.hProcess);
        return status;
    }
    spawned->pid = (int)process.dwProcessId;
    spawned->watch = (handle)process.hProcess;
    spawned->group = options->is_ours || start->job == NULL ? HANDLE_INVALID : (handle)start->job;
    return 0;
}

static void release(struct start *start) {
    for (size_t i = 0; i < SPAWN_STREAMS; i++) {
        if (start->streams[i] != NULL && start->streams[i] != INVALID_HANDLE_VALUE) {
            (void)CloseHandle(start->streams[i]);
        }
    }
    if (start->has_attributes) {
        DeleteProcThreadAttributeList(start->attributes);
    }
    memory_free(start->attributes);
    memory_free(start->list);
    memory_free(start->command_line);
    memory_free(start->environment);
    memory_free(start->folder);
}

bool spawn_same_variable(const char *a, size_t a_length, const char *b, size_t b_length) {
    return a_length == b_length && _strnicmp(a, b, a_length) == 0;
}

bool spawn_can_tie(void) {
    return true;
}

int spawn_process(const struct spawn_options *options, struct spawned *spawned) {
    struct start start;
    memset(&start, 0, sizeof start);
    uv_once(&once, create_once);
    int status = gather_handles(&start, options);
    if (status == 0) {
        status = write_command_line(&start, options);
    }
    if (status == 0 && options->environment != NULL) {
        status = write_environment(&start, options->environment);
    }
    if (status == 0 && options->folder != NULL) {
        start.folder = wide_from_utf8(options->folder);
        status = start.folder != NULL ? 0 : mproc_last_error()->code;
    }
    if (status == 0) {
        choose_job(&start, options);
        status = set_attributes(&start);
    }
    if (status == 0) {
        status = run(&start, options, spawned);
    }
    if (status != 0 && !options->is_ours && start.job != NULL) {
        (void)CloseHandle(start.job);
    }
    release(&start);
    return status;
}
