/* SPDX-License-Identifier: MIT */
#include "bare.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

extern char **environ;

int bare_spawn_and_wait(const char *program, const char *argument) {
    pid_t pid;
    int status;
    char *arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)argument, NULL};
    if (posix_spawn(&pid, program, NULL, NULL, arguments, environ) != 0 || waitpid(pid, &status, 0) != pid) {
        return -1;
    }
    return status == 0 ? 0 : -1;
}

double bare_python_number(const char *script) {
    char path[] = "/tmp/mproc-bench-XXXXXX.py", command[128];
    double number = -1;
    int file = mkstemps(path, 3);
    if (file < 0) {
        return -1;
    }
    FILE *stream = fdopen(file, "w");
    if (stream == NULL) {
        (void)close(file);
        return -1;
    }
    (void)fputs(script, stream);
    (void)fclose(stream);
    (void)snprintf(command, sizeof command, "python3 %s 2>/dev/null", path);
    FILE *output = popen(command, "r");
    if (output != NULL) {
        if (fscanf(output, "%lf", &number) != 1) {
            number = -1;
        }
        (void)pclose(output);
    }
    (void)unlink(path);
    return number;
}

long bare_private_kibibytes(int pid) {
    char path[64], line[256];
    long total = -1, number;
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Private_Dirty: %ld", &number) == 1) {
            total = number;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return total;
}

int bare_open_descriptors(void) {
    int count = -3; /* ".", ".." and the folder itself */
    DIR *directory = opendir("/dev/fd");
    while (directory != NULL && readdir(directory) != NULL) {
        count++;
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return count;
}

int bare_child_start(struct bare_child *child, const char *self, const char *argument) {
    int to[2], from[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    char *arguments[] = {(char *)(uintptr_t)self, (char *)(uintptr_t)argument, NULL};
    if (pipe(to) != 0 || pipe(from) != 0 || posix_spawn_file_actions_init(&actions) != 0) {
        return -1;
    }
    (void)fcntl(to[1], F_SETFD, FD_CLOEXEC);
    (void)fcntl(from[0], F_SETFD, FD_CLOEXEC);
    (void)posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    int error = posix_spawn(&pid, self, &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(to[0]);
    (void)close(from[1]);
    child->to = to[1];
    child->from = from[0];
    child->process = pid;
    return error == 0 ? 0 : -1;
}

void bare_child_end(struct bare_child *child) {
    int status;
    (void)close((int)child->to);
    (void)waitpid((pid_t)child->process, &status, 0);
    (void)close((int)child->from);
}

int bare_read(intptr_t pipe, void *data, size_t size) {
    char *place = data;
    while (size > 0) {
        ssize_t count = read((int)pipe, place, size);
        if (count <= 0) {
            return -1;
        }
        place += count;
        size -= (size_t)count;
    }
    return 0;
}

int bare_write(intptr_t pipe, const void *data, size_t size) {
    const char *place = data;
    while (size > 0) {
        ssize_t count = write((int)pipe, place, size);
        if (count <= 0) {
            return -1;
        }
        place += count;
        size -= (size_t)count;
    }
    return 0;
}

intptr_t bare_input(void) {
    return STDIN_FILENO;
}

intptr_t bare_output(void) {
    return STDOUT_FILENO;
}

/* Locks -------------------------------------------------------------------------------------------------------- */

static double now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *share(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

static pthread_mutex_t *create_mutex(int is_robust) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t *mutex = share(sizeof *mutex);
    (void)pthread_mutexattr_init(&attributes);
    int error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
#ifdef __linux__
    error = error == 0 && is_robust ? pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) : error;
#else
    error = is_robust ? -1 : error;
#endif
    return mutex != NULL && error == 0 && pthread_mutex_init(mutex, &attributes) == 0 ? mutex : NULL;
}

static void use_mutex(pthread_mutex_t *mutex, int times) {
    for (int i = 0; i < times; i++) {
        (void)pthread_mutex_lock(mutex);
        (void)pthread_mutex_unlock(mutex);
    }
}

double bare_lock_alone(int times, int is_robust) {
    pthread_mutex_t *mutex = create_mutex(is_robust);
    if (mutex == NULL) {
        return -1;
    }
    double start = now();
    use_mutex(mutex, times);
    double taken = now() - start;
    (void)munmap(mutex, sizeof *mutex);
    return taken * 1e9 / times;
}

/* Runs the function in a forked process and in this one; the seconds that both took together. */
static double run_both(void (*run)(void *shared, int is_child, int times), void *shared, int times) {
    int status;
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        run(shared, 1, times);
        _exit(0);
    }
    run(shared, 0, times);
    (void)waitpid(child, &status, 0);
    return child > 0 ? now() - start : -1;
}

static void contend(void *mutex, int is_child, int times) {
    (void)is_child;
    use_mutex(mutex, times);
}

double bare_lock_contended(int times, int is_robust) {
    pthread_mutex_t *mutex = create_mutex(is_robust);
    if (mutex == NULL) {
        return -1;
    }
    double taken = run_both(contend, mutex, times);
    (void)munmap(mutex, sizeof *mutex);
    return taken > 0 ? 2.0 * times / taken / 1e6 : -1;
}

#ifdef __linux__

/* The word tells whose turn it is. */
static void take_turns(void *shared, int is_child, int times) {
    int *turn = shared;
    for (int i = 0; i < times; i++) {
        while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) != is_child) {
            (void)syscall(SYS_futex, turn, FUTEX_WAIT, !is_child, NULL, NULL, 0);
        }
        __atomic_store_n(turn, !is_child, __ATOMIC_RELEASE);
        (void)syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

double bare_handover(int times) {
    int *turn = share(sizeof *turn);
    double taken = turn != NULL ? run_both(take_turns, turn, times) : -1;
    if (turn != NULL) {
        (void)munmap(turn, sizeof *turn);
    }
    return taken > 0 ? taken * 1e6 / times : -1;
}

#else

double bare_handover(int times) {
    (void)times;
    return -1;
}

#endif

double bare_wait(int pipes, int times) {
    struct pollfd *entries = calloc((size_t)pipes, sizeof *entries);
    int *writers = calloc((size_t)pipes, sizeof *writers);
    int opened = 0, status = entries != NULL && writers != NULL ? 0 : -1;
    while (opened < pipes && status == 0) {
        int ends[2];
        status = pipe(ends);
        if (status == 0) {
            entries[opened].fd = ends[0];
            entries[opened].events = POLLIN;
            writers[opened++] = ends[1];
        }
    }
    uint64_t start = uv_hrtime();
    for (int i = 0; i < times && status == 0; i++) {
        char data[8] = "1234567";
        int chosen = i * 7 % pipes;
        bool is_through = write(writers[chosen], data, sizeof data) == (ssize_t)sizeof data &&
                          poll(entries, (nfds_t)pipes, -1) == 1 &&
                          read(entries[chosen].fd, data, sizeof data) == (ssize_t)sizeof data;
        status = is_through ? 0 : -1;
    }
    double taken = (double)(uv_hrtime() - start) / 1e3 / times;
    for (int i = 0; i < opened; i++) {
        (void)close(entries[i].fd);
        (void)close(writers[i]);
    }
    free(entries);
    free(writers);
    return status == 0 ? taken : -1;
}
