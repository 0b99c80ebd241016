/* SPDX-License-Identifier: MIT */
/* posix_spawn: the parent's memory is neither copied nor marked for copying, and no code of the application runs in
 * between.
 *
 * In the child 0 is the null device, 1 and 2 are this process's, 3 is the program's open file (PROGRAM_CHILD_HANDLE), and
 * the inherited handles follow from 4 on. */
#include "platform/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/exit.h"
#include "posix/program.h"
#include "posix/system_error.h"

#define FIRST_INHERITED (PROGRAM_CHILD_HANDLE + 1)

extern char **environ; // NOLINT(readability-redundant-declaration): glibc declares it, macOS does not

/* All that one start needs, released in one place. */
struct start {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    bool has_actions, has_attributes;
    int *sources; /* what becomes 3, 4, ... in the child; -1: nothing */
    bool *moved;  /* which of them are copies that this start made */
    size_t count;
};

handle spawn_child_handle(const handle *inherited, size_t index) {
    (void)inherited;
    return FIRST_INHERITED + (handle)index;
}

/* A number in the way of another's place is copied to one past them all. */
static int move_out_of_the_way(struct start *start, size_t index) {
    int target = (int)PROGRAM_CHILD_HANDLE + (int)index;
    int last = (int)PROGRAM_CHILD_HANDLE + (int)start->count;
    int source = start->sources[index];
    if (source < 0 || source == target || source >= last) {
        return 0;
    }
    int copy = fcntl(source, F_DUPFD_CLOEXEC, last);
    if (copy < 0) {
        return system_error(errno, "cannot copy a descriptor");
    }
    start->sources[index] = copy;
    start->moved[index] = true;
    return 0;
}

static int gather_sources(struct start *start, const struct spawn_options *options) {
    int status = 0;
    start->count = options->inherited_count + 1;
    start->sources = memory_allocate(start->count * sizeof *start->sources);
    start->moved = memory_allocate(start->count * sizeof *start->moved);
    if (start->sources == NULL || start->moved == NULL) {
        return MPROC_ENOMEM;
    }
    start->sources[0] = (int)options->program->file;
    for (size_t i = 1; i < start->count; i++) {
        start->sources[i] = (int)options->inherited[i - 1];
    }
    for (size_t i = 0; i < start->count && status == 0; i++) {
        status = move_out_of_the_way(start, i);
    }
    return status;
}

/* Signals: an empty mask, and the default disposition for all. */
static int set_attributes(struct start *start) {
    sigset_t none, all;
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    int error = posix_spawnattr_init(&start->attributes);
    if (error != 0) {
        return system_error(error, "cannot prepare a process");
    }
    start->has_attributes = true;
    sigemptyset(&none);
    sigfillset(&all);
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    error = posix_spawnattr_setsigmask(&start->attributes, &none);
    if (error == 0) {
        error = posix_spawnattr_setsigdefault(&start->attributes, &all);
    }
    if (error == 0) {
        error = posix_spawnattr_setflags(&start->attributes, flags);
    }
    return error != 0 ? system_error(error, "cannot prepare a process") : 0;
}

#if !defined(POSIX_SPAWN_CLOEXEC_DEFAULT) && !defined(MPROC_HAVE_SPAWN_CLOSEFROM)
/* Where neither way exists, each descriptor that would be inherited is closed by its number. One that another thread
 * opens meanwhile, without close-on-exec, can still get through. */
static int close_each(posix_spawn_file_actions_t *actions, int first) {
    DIR *directory = opendir("/dev/fd");
    struct dirent *entry;
    int error = 0;
    if (directory == NULL) {
        return errno;
    }
    while (error == 0 && (entry = readdir(directory)) != NULL) {
        int descriptor = atoi(entry->d_name); /* "." and ".." give 0, which is below first */
        if (descriptor >= first && descriptor != dirfd(directory)) {
            int flags = fcntl(descriptor, F_GETFD);
            if (flags >= 0 && (flags & FD_CLOEXEC) == 0) {
                error = posix_spawn_file_actions_addclose(actions, descriptor);
            }
        }
    }
    (void)closedir(directory);
    return error;
}
#endif

/* Closes in the child whatever else is open, from `first` on. */
static int close_rest(posix_spawn_file_actions_t *actions, int first) {
#if defined(POSIX_SPAWN_CLOEXEC_DEFAULT)
    (void)first; /* the attribute closes all but what the actions name */
    int error = posix_spawn_file_actions_addinherit_np(actions, STDOUT_FILENO);
    return error != 0 ? error : posix_spawn_file_actions_addinherit_np(actions, STDERR_FILENO);
#elif defined(MPROC_HAVE_SPAWN_CLOSEFROM)
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
#else
    return close_each(actions, first);
#endif
}

static int set_actions(struct start *start) {
    int error = posix_spawn_file_actions_init(&start->actions);
    if (error != 0) {
        return system_error(error, "cannot prepare a process");
    }
    start->has_actions = true;
    error = posix_spawn_file_actions_addopen(&start->actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (size_t i = 0; i < start->count && error == 0; i++) {
        if (start->sources[i] >= 0) {
            error = posix_spawn_file_actions_adddup2(&start->actions, start->sources[i],
                                                     (int)PROGRAM_CHILD_HANDLE + (int)i);
        }
    }
    if (error == 0) {
        error = close_rest(&start->actions, (int)PROGRAM_CHILD_HANDLE + (int)start->count);
    }
    return error != 0 ? system_error(error, "cannot prepare a process") : 0;
}

static void release(struct start *start) {
    if (start->has_actions) {
        (void)posix_spawn_file_actions_destroy(&start->actions);
    }
    if (start->has_attributes) {
        (void)posix_spawnattr_destroy(&start->attributes);
    }
    for (size_t i = 0; start->sources != NULL && start->moved != NULL && i < start->count; i++) {
        if (start->moved[i]) {
            handle_close(start->sources[i]);
        }
    }
    memory_free(start->sources);
    memory_free(start->moved);
}

static int run(const struct start *start, const struct spawn_options *options, struct spawned *spawned) {
    pid_t pid;
    char *const *environment = options->environment != NULL ? (char *const *)(uintptr_t)options->environment : environ;
    /* posix_spawn does not write to the arguments; its prototype is older than const. */
    int error = posix_spawn(&pid, options->program->path, &start->actions, &start->attributes,
                            (char *const *)(uintptr_t)options->arguments, environment);
    if (error != 0) {
        return system_error(error, "cannot start a process");
    }
    spawned->pid = (int)pid;
    spawned->watch = HANDLE_INVALID;
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
    struct start start;
    memset(&start, 0, sizeof start);
    int status = gather_sources(&start, options);
    if (status == 0) {
        status = set_attributes(&start);
    }
    if (status == 0) {
        status = set_actions(&start);
    }
    if (status == 0) {
        status = run(&start, options, spawned);
    }
    if (status == 0) {
        status = watch(spawned);
    }
    release(&start);
    return status;
}
