/* SPDX-License-Identifier: MIT */
#include "system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "test.h"

size_t system_open_handles(void) {
    size_t count = 0;
    DIR *directory = opendir("/dev/fd");
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(directory);
    return count - 1; /* the folder itself */
}

size_t system_mappings(void) {
    size_t count = 0;
    int character;
    FILE *file = fopen("/proc/self/maps", "r");
    while (file != NULL && (character = fgetc(file)) != EOF) {
        count += character == '\n';
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return count;
}

bool system_has_named_memory(void) {
    bool found = false;
    DIR *directory = opendir("/dev/shm");
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        found = found || strstr(entry->d_name, "mproc") != NULL;
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return found;
}

size_t system_threads(void) {
    size_t count = 0;
    DIR *directory = opendir("/proc/self/task");
    if (directory == NULL) {
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(directory);
    return system_is_slow_to_spawn() ? 1 : count; /* a sanitizer has threads of its own */
}

void system_kill(int pid) {
    assert_int_equal(kill(pid, SIGKILL), 0);
}

void system_halt(int pid) {
    assert_int_equal(kill(pid, SIGSTOP), 0);
}

void system_resume(int pid) {
    assert_int_equal(kill(pid, SIGCONT), 0);
}

bool system_kill_if_alive(int pid) {
    return kill(pid, SIGKILL) == 0;
}

/* A process that has ended but was not collected by its parent is gone for our purpose. */
static bool is_zombie(int pid) {
    char path[64], line[512] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    char *read = fgets(line, sizeof line, file);
    (void)fclose(file);
    const char *state = read != NULL ? strrchr(line, ')') : NULL;
    return state != NULL && (state[2] == 'Z' || state[2] == 'X');
}

/* Nothing tells a process about the end of one that is not its child, on all systems: so this one looks. */
bool system_wait_until_gone(int pid, int timeout_ms) {
    uint64_t end = uv_hrtime() + (uint64_t)timeout_ms * 1000000;
    while (kill(pid, 0) == 0 && !is_zombie(pid)) {
        if (uv_hrtime() > end) {
            return false;
        }
        (void)poll(NULL, 0, 1);
    }
    return true;
}

void system_crash(void) {
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would make a report of it */
    (void)raise(SIGSEGV);
}

int system_crash_code(void) {
    return -SIGSEGV;
}

int system_exit_code(int code) {
    return code & 0xFF;
}

intptr_t system_open_inheritable(void) {
    int descriptor = open("/dev/null", O_RDONLY);
    assert_true(descriptor >= 0);
    int far = fcntl(descriptor, F_DUPFD, 200); /* a number that nothing else in a child takes by chance */
    assert_true(far >= 200);
    (void)close(descriptor);
    return far;
}

bool system_handle_is_open(intptr_t number) {
    return fcntl((int)number, F_GETFD) >= 0;
}

void system_close_handle(intptr_t number) {
    assert_int_equal(close((int)number), 0);
}

void system_forbid_handles(void) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

int system_read_stdin(void) {
    char byte;
    return (int)read(STDIN_FILENO, &byte, 1);
}

static sigset_t mask_before;

void system_spoil_signals(void) {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGTERM);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGUSR2, SIG_IGN);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &blocked, &mask_before), 0);
}

void system_restore_signals(void) {
    (void)signal(SIGHUP, SIG_DFL);
    (void)signal(SIGUSR2, SIG_DFL);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &mask_before, NULL), 0);
}

bool system_signals_are_default(void) {
    static const int asked[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD};
    sigset_t mask;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct sigaction action;
        if (sigaction(asked[i], NULL, &action) != 0 || action.sa_handler != SIG_DFL || sigismember(&mask, asked[i])) {
            return false;
        }
    }
    return true;
}

static FILE *captured;
static int stderr_before;

void system_capture_stderr(void) {
    captured = tmpfile();
    assert_non_null(captured);
    stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
    assert_true(stderr_before >= 0);
    assert_true(dup2(fileno(captured), STDERR_FILENO) >= 0);
}

char *system_captured_stderr(void) {
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(dup2(stderr_before, STDERR_FILENO) >= 0);
    (void)close(stderr_before);
    rewind(captured);
    size_t size = fread(text, 1, 65535, captured);
    text[size] = '\0';
    (void)fclose(captured);
    return text;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

bool system_is_slow_to_spawn(void) {
    return IS_SANITIZED;
}

const char *system_cannot(const char *test) {
    (void)test;
    return NULL;
}

void system_arguments(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
}

int system_kill_code(void) {
    return -9;
}
