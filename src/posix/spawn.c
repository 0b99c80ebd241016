/* SPDX-License-Identifier: MIT */
/* In the child 3 is the program's open file (PROGRAM_CHILD_HANDLE) where it is handed on, and the inherited handles follow
 * from 4 on. */
#include "platform/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/exit.h"
#include "platform/file.h"
#include "posix/program.h"
#include "posix/start.h"
#include "posix/system_error.h"

#define FIRST_INHERITED (PROGRAM_CHILD_HANDLE + 1)

extern char **environ; // NOLINT(readability-redundant-declaration): glibc declares it, macOS does not

/* What becomes 0, 1, 2, ... in the child, and which of them this start has opened or copied. */
struct sources {
    int *list;
    bool *is_own;
    size_t count;
};

handle spawn_child_handle(const handle *inherited, size_t index) {
    (void)inherited;
    return FIRST_INHERITED + (handle)index;
}

static int create_sources(struct sources *sources, size_t count) {
    sources->list = memory_allocate(count * sizeof *sources->list);
    sources->is_own = memory_allocate(count * sizeof *sources->is_own);
    if (sources->list == NULL || sources->is_own == NULL) {
        return MPROC_ENOMEM;
    }
    sources->count = count;
    return 0;
}

static void release_sources(struct sources *sources) {
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->is_own[i]) {
            handle_close(sources->list[i]);
        }
    }
    memory_free(sources->list);
    memory_free(sources->is_own);
}

/* This process's own stream, where it is open. */
static int own_stream(int number) {
    return fcntl(number, F_GETFD) >= 0 ? number : -1;
}

static int add_streams(struct sources *sources, const struct spawn_options *options) {
    handle null_device;
    int status = 0;
    if (options->streams == NULL) {
        status = file_open_null(&null_device);
        if (status == 0) {
            sources->list[0] = (int)null_device;
            sources->is_own[0] = true;
        }
    }
    for (int i = options->streams == NULL ? 1 : 0; i < SPAWN_STREAMS; i++) {
        handle wanted = options->streams != NULL ? options->streams[i] : HANDLE_INVALID;
        sources->list[i] = wanted == HANDLE_INVALID     ? own_stream(i)
                           : wanted == SPAWN_OWN_STDOUT ? own_stream(STDOUT_FILENO)
                                                        : (int)wanted;
    }
    return status;
}

/* A number in the way of another's place is copied to one past them all. */
static int move_out_of_the_way(struct sources *sources, size_t index) {
    int source = sources->list[index];
    if (source < 0 || source == (int)index || source >= (int)sources->count) {
        return 0;
    }
    int copy = fcntl(source, F_DUPFD_CLOEXEC, (int)sources->count);
    if (copy < 0) {
        return system_error(errno, "cannot copy a descriptor");
    }
    if (sources->is_own[index]) {
        handle_close(source);
    }
    sources->list[index] = copy;
    sources->is_own[index] = true;
    return 0;
}

static int gather_sources(struct sources *sources, const struct spawn_options *options) {
    handle program = options->program->file;
    bool has_more = program != HANDLE_INVALID || options->inherited_count > 0;
    int status = create_sources(sources, has_more ? FIRST_INHERITED + options->inherited_count : SPAWN_STREAMS);
    if (status == 0) {
        status = add_streams(sources, options);
    }
    if (status == 0 && has_more) {
        sources->list[PROGRAM_CHILD_HANDLE] = (int)program;
    }
    for (size_t i = 0; i < options->inherited_count && status == 0; i++) {
        sources->list[(size_t)FIRST_INHERITED + i] = (int)options->inherited[i];
    }
    for (size_t i = 0; i < sources->count && status == 0; i++) {
        status = move_out_of_the_way(sources, i);
    }
    return status;
}

/* What the thread does that may have to be another one. */
struct run {
    struct start start;
    pid_t pid;
    enum start_step failed;
    int error;
};

static void run_start(void *context) {
    struct run *run = context;
    run->error = start_run(&run->start, &run->pid, &run->failed);
}

static int run(const struct sources *sources, const struct spawn_options *options, struct spawned *spawned) {
    struct run run;
    const char *const *environment = options->environment;
    memset(&run, 0, sizeof run);
    run.start.path = options->program->path;
    run.start.arguments =
        (char *const *)(uintptr_t)options->arguments; /* only read; the prototypes are older than const */
    run.start.environment = environment != NULL ? (char *const *)(uintptr_t)environment : environ;
    run.start.folder = options->folder;
    run.start.descriptors = sources->list;
    run.start.descriptor_count = sources->count;
    run.start.group = options->group;
    run.start.ends_with_thread = options->runner != NULL;
    if (options->runner != NULL) {
        options->runner(run_start, &run);
    } else {
        run_start(&run);
    }
    if (run.error != 0) {
        return system_error(run.error, run.failed == START_FOLDER ? options->folder : options->program->path);
    }
    spawned->pid = (int)run.pid;
    spawned->watch = HANDLE_INVALID;
    spawned->group = options->group == SPAWN_GROUP_SAME ? HANDLE_INVALID : (handle)run.pid;
    return 0;
}

/* A child that cannot be watched must not go on unwatched. */
static int watch(struct spawned *spawned) {
    int status = exit_watch(spawned->pid, &spawned->watch);
    if (status == MPROC_ENOTFOUND) {
        return 0; /* it has ended, and exit_collect tells what is known */
    }
    if (status != 0) {
        (void)kill(spawned->pid, SIGKILL);    /* not collected yet, so the number is its own */
        (void)waitpid(spawned->pid, NULL, 0); /* fails only where the application has collected it */
    }
    return status;
}

bool spawn_same_variable(const char *a, size_t a_length, const char *b, size_t b_length) {
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

int spawn_process(const struct spawn_options *options, struct spawned *spawned) {
    struct sources sources = {NULL, NULL, 0};
    int status = gather_sources(&sources, options);
    if (status == 0) {
        status = run(&sources, options, spawned);
    }
    if (status == 0) {
        status = watch(spawned);
    }
    release_sources(&sources);
    return status;
}
