/* SPDX-License-Identifier: MIT */
/* The child shares this process's memory until it runs the program, and this thread waits for that: as in vfork, but on a
 * stack of its own. It makes bare system calls only: a sanitizer must not take its descriptors for this process's. */
#include "posix/start.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE 32768
#define SIGNAL_MAX 64
#define SIGNAL_SET_SIZE 8 /* as the kernel has it */

#ifndef SYS_close_range
#define SYS_close_range 436 /* Linux 5.9; not in older headers */
#endif

#if defined(__has_feature) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__
#endif
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif

/* The child never returns from the functions that it has entered, for which a sanitizer would wait. */
#if defined(__SANITIZE_THREAD__)
#define NOT_TRACED __attribute__((no_sanitize_thread))
#elif defined(__SANITIZE_ADDRESS__)
#define NOT_TRACED __attribute__((no_sanitize_address))
#else
#define NOT_TRACED
#endif

#if defined(__SANITIZE_THREAD__)
/* It takes clone for fork, and would begin anew in the memory that is this process's; by its other name it does not. */
extern int __clone(int (*run)(void *), void *stack, int flags, void *context, ...);
#define clone __clone
#endif

struct child {
    const struct start *start;
    long parent;
    unsigned long descriptor_limit;
    int error;
    enum start_step step;
};

/* 0 or errno. */
NOT_TRACED static int put_in_place(const struct start *start) {
    for (size_t i = 0; i < start->descriptor_count; i++) {
        int source = start->descriptors[i], target = (int)i;
        long result = 0;
        if (source == target) {
            result = syscall(SYS_fcntl, target, F_SETFD, 0);
        } else if (source >= 0) {
            result = syscall(SYS_dup3, source, target, 0);
        } else {
            (void)syscall(SYS_close, target); /* it need not be open */
        }
        if (result < 0) {
            return errno;
        }
    }
    return 0;
}

NOT_TRACED static void close_from(unsigned long first, unsigned long limit) {
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) {
        return;
    }
    for (unsigned long descriptor = first; descriptor < limit; descriptor++) {
        (void)syscall(SYS_close, descriptor);
    }
}

/* All signals as they are by default. */
NOT_TRACED static void reset_signals(void) {
    static const unsigned long by_default[8]; /* what the kernel calls struct sigaction, all zeros */
    for (int number = 1; number <= SIGNAL_MAX; number++) {
        (void)syscall(SYS_rt_sigaction, number, by_default, NULL, SIGNAL_SET_SIZE); /* not for SIGKILL and SIGSTOP */
    }
}

NOT_TRACED static int enter_group(const struct start *start) {
    long result = 0;
    if (start->group == SPAWN_GROUP_OWN) {
        result = syscall(SYS_setpgid, 0, 0);
    } else if (start->group == SPAWN_SESSION_OWN) {
        result = syscall(SYS_setsid);
    }
    return result < 0 ? errno : 0;
}

/* 0 or errno. */
NOT_TRACED static int tie(const struct child *child) {
    if (!child->start->ends_with_thread) {
        return 0;
    }
    if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return errno;
    }
    return syscall(SYS_getppid) == child->parent ? 0 : ESRCH; /* it has ended before */
}

NOT_TRACED static int become_program(struct child *child) {
    const struct start *start = child->start;
    unsigned long none = 0;
    child->step = START_PROGRAM;
    reset_signals();
    int error = enter_group(start);
    if (error == 0) {
        error = tie(child);
    }
    if (error == 0) {
        error = put_in_place(start);
    }
    if (error == 0 && start->folder != NULL && syscall(SYS_chdir, start->folder) != 0) {
        child->step = START_FOLDER;
        error = errno;
    }
    if (error == 0) {
        close_from(start->descriptor_count, child->descriptor_limit);
        (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, SIGNAL_SET_SIZE);
        (void)syscall(SYS_execve, start->path, start->arguments, start->environment);
        error = errno;
    }
    return error;
}

NOT_TRACED static int run_child(void *context) {
    struct child *child = context;
    child->error = become_program(child);
    (void)syscall(SYS_exit_group, 127);
    return 0;
}

bool spawn_can_tie(void) {
    return true;
}

int start_run(const struct start *start, pid_t *pid, enum start_step *failed) {
    _Alignas(16) char stack[STACK_SIZE];
    struct child child = {start, (long)getpid(), 0, 0, START_PROGRAM};
    struct rlimit limit;
    sigset_t all, saved;
    int saved_error = errno;
    child.descriptor_limit = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (unsigned long)limit.rlim_cur : 1024;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &saved); /* no handler of the application's runs in the child */
    int started = clone(run_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &child);
    int error = started < 0 ? errno : child.error;
    if (started > 0 && error != 0) {
        (void)waitpid(started, NULL,
                      0); /* fails only where the application has collected it: no signal disturbs it now */
    }
    (void)pthread_sigmask(SIG_SETMASK, &saved, NULL);
    *failed = child.step;
    *pid = started;
    errno = saved_error; /* the child's calls set it, too */
    return error;
}
