/* SPDX-License-Identifier: MIT */
#include "posix/start.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Signals: an empty mask, and the default disposition for all. */
static int set_attributes(posix_spawnattr_t *attributes, enum spawn_group group) {
    sigset_t none, all;
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigemptyset(&none);
    sigfillset(&all);
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    if (group == SPAWN_GROUP_OWN) {
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    if (group == SPAWN_SESSION_OWN) {
#ifdef POSIX_SPAWN_SETSID
        flags |= POSIX_SPAWN_SETSID;
#else
        flags |= POSIX_SPAWN_SETPGROUP; /* the next best: out of reach of the terminal's signals */
#endif
    }
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) {
        error = posix_spawnattr_setsigdefault(attributes, &all);
    }
    return error == 0 ? posix_spawnattr_setflags(attributes, flags) : error;
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
    (void)actions; /* the attribute closes all but what the actions name */
    (void)first;
    return 0;
#elif defined(MPROC_HAVE_SPAWN_CLOSEFROM)
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
#else
    return close_each(actions, first);
#endif
}

/* One that stands in its place already is named too: by that it stays open. */
static int set_actions(posix_spawn_file_actions_t *actions, const struct start *start) {
    int error = 0;
    for (size_t i = 0; i < start->descriptor_count && error == 0; i++) {
        if (start->descriptors[i] >= 0) {
            error = posix_spawn_file_actions_adddup2(actions, start->descriptors[i], (int)i);
        }
    }
    if (error == 0) {
        error = close_rest(actions, (int)start->descriptor_count);
    }
    if (error == 0 && start->folder != NULL) {
        error = posix_spawn_file_actions_addchdir_np(actions, start->folder);
    }
    return error;
}

static enum start_step failed_step(const struct start *start) {
    struct stat information;
    bool is_folder = start->folder == NULL || (stat(start->folder, &information) == 0 && S_ISDIR(information.st_mode) &&
                                               access(start->folder, X_OK) == 0);
    return is_folder ? START_PROGRAM : START_FOLDER;
}

bool spawn_can_tie(void) {
    return false;
}

int start_run(const struct start *start, pid_t *pid, enum start_step *failed) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    *failed = START_PROGRAM;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return error;
    }
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = set_attributes(&attributes, start->group);
        if (error == 0) {
            error = set_actions(&actions, start);
        }
        if (error == 0) {
            error = posix_spawn(pid, start->path, &actions, &attributes, start->arguments, start->environment);
            *failed = error != 0 ? failed_step(start) : START_PROGRAM;
        }
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}
