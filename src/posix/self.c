/* SPDX-License-Identifier: MIT */
#include "platform/self.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(sigset_t) <= sizeof(struct self_signals), "a signal mask fits");

void self_exit_now(int exitcode) {
    _exit(exitcode);
}

void self_yield(void) {
    (void)sched_yield();
}

void self_ignore_interrupt(void) {
    (void)signal(SIGINT, SIG_IGN); /* fails for a bad number only */
}

uint64_t self_unique(void) {
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now); /* a clock that every system has */
    return ((uint64_t)getpid() << 40) ^ ((uint64_t)now.tv_sec << 20) ^ (uint64_t)now.tv_nsec;
}

void self_block_signals(struct self_signals *saved) {
    /* Signals by which a fault of the thread itself is reported stay open: a debugger or sanitizer wants them. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        sigdelset(&blocked, faults[i]);
    }
    (void)pthread_sigmask(SIG_BLOCK, &blocked, &before); /* fails for a bad first argument only */
    memset(saved, 0, sizeof *saved);
    memcpy(saved, &before, sizeof before);
}

void self_restore_signals(const struct self_signals *saved) {
    sigset_t before;
    memcpy(&before, saved, sizeof before);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL); /* fails for a bad first argument only */
}
