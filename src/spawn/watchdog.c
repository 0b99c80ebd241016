/* SPDX-License-Identifier: MIT */
#include "spawn/watchdog.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/exit.h"
#include "platform/file.h"
#include "platform/pipe.h"
#include "platform/spawn.h"
#include "spawn/command_line.h"
#include "spawn/runtime.h"

/* What goes through the pipe. */
struct notice {
    int32_t is_watched; /* or it is to be forgotten */
    int32_t pid;
    int64_t group;
};

/* A growing list, in which the watch is the watchdog's own. */
struct ward {
    struct notice notice;
    handle watch;
};

struct wards {
    struct ward *list;
    size_t count, capacity;
};

static int add(struct wards *wards, const struct notice *notice, handle watch) {
    if (wards->count == wards->capacity) {
        size_t capacity = wards->capacity > 0 ? 2 * wards->capacity : 16;
        struct ward *list = memory_resize(wards->list, capacity * sizeof *list);
        if (list == NULL) {
            return MPROC_ENOMEM;
        }
        wards->list = list;
        wards->capacity = capacity;
    }
    wards->list[wards->count].notice = *notice;
    wards->list[wards->count++].watch = watch;
    return 0;
}

static void drop(struct wards *wards, int pid) {
    size_t i = 0;
    while (i < wards->count && wards->list[i].notice.pid != pid) {
        i++;
    }
    if (i < wards->count) {
        handle_close(wards->list[i].watch);
        wards->list[i] = wards->list[--wards->count];
    }
}

static void clear(struct wards *wards) {
    memory_free(wards->list);
    memset(wards, 0, sizeof *wards);
}

/* The watchdog itself ------------------------------------------------------------------------------------------ */

/* false: the other side has ended, or nobody can be told of a failure. */
static bool receive(handle reader, void *data, size_t wanted) {
    size_t used = 0, size = 0;
    while (used < wanted && pipe_read(reader, (char *)data + used, wanted - used, DEADLINE_NEVER, &size) == 0) {
        used += size;
    }
    return used == wanted;
}

/* One that cannot be watched is known by its number only. */
static bool note(struct wards *wards, const struct notice *notice) {
    handle watch = HANDLE_INVALID;
    if (notice->is_watched == 0) {
        drop(wards, notice->pid);
        return true;
    }
    if (exit_watch(notice->pid, &watch) == MPROC_ENOTFOUND) {
        return true;
    }
    return add(wards, notice, watch) == 0;
}

static void end(const struct ward *ward) {
    if (ward->watch == HANDLE_INVALID || exit_wait(ward->watch, DEADLINE_NOW) == MPROC_ETIMEDOUT) {
        exit_kill_group((handle)ward->notice.group);
        (void)exit_send(ward->watch, ward->notice.pid, EXIT_KILL); /* it may have ended */
    }
}

/* What it is started with: whom to watch comes from the first; the second ends when it does. */
enum watchdog_handle { WATCHDOG_NOTICES, WATCHDOG_LIFE, WATCHDOG_PROGRAM, WATCHDOG_HANDLES };
#define INHERITED WATCHDOG_PROGRAM

int watchdog_run(char **argv) {
    struct wards wards = {NULL, 0, 0};
    struct notice notice;
    handle handles[WATCHDOG_HANDLES];
    int status = command_line_read(argv, handles, WATCHDOG_HANDLES, INHERITED);
    if (status != 0) {
        return status;
    }
    int32_t pid = mproc_getpid();
    struct pipe_bytes bytes = {&pid, sizeof pid};
    (void)pipe_write(handles[WATCHDOG_LIFE], &bytes, 1); /* where nobody reads it, the notices have ended, too */
    while (receive(handles[WATCHDOG_NOTICES], &notice, sizeof notice) && note(&wards, &notice)) {
    }
    for (size_t i = 0; i < wards.count; i++) {
        end(&wards.list[i]);
    }
    clear(&wards);
    exit(EXIT_SUCCESS);
}

/* Starts a process of this program with the two pipes, in a session of its own. */
static int spawn(struct program *program, const char *argument0, const char *option, const handle inherited[INHERITED],
                 struct spawned *spawned) {
    handle null = HANDLE_INVALID, numbers[WATCHDOG_HANDLES];
    struct command_line line;
    struct spawn_options options;
    memset(&options, 0, sizeof options);
    for (size_t i = 0; i < INHERITED; i++) {
        numbers[i] = spawn_child_handle(inherited, i);
    }
    numbers[WATCHDOG_PROGRAM] = program_child_handle(program);
    command_line_write(&line, argument0, option, numbers, WATCHDOG_HANDLES);
    int status = file_open_null(&null);
    const handle streams[SPAWN_STREAMS] = {null, null, null};
    options.program = program;
    options.arguments = line.list;
    options.inherited = inherited;
    options.inherited_count = INHERITED;
    options.streams = streams;
    options.group = SPAWN_SESSION_OWN;
    if (status == 0) {
        status = spawn_process(&options, spawned);
    }
    handle_close(null);
    return status;
}

/* The process between has nobody to tell of a failure: that no watchdog writes is told by its pipe. */
int watchdog_start(char **argv) {
    struct spawned spawned;
    struct program *program;
    handle handles[WATCHDOG_HANDLES];
    int status = command_line_read(argv, handles, WATCHDOG_HANDLES, INHERITED);
    if (status != 0) {
        return status;
    }
    if (program_open_self(&program, handles[WATCHDOG_PROGRAM]) == 0) {
        status = spawn(program, argv[0], WATCHDOG_OPTION, handles, &spawned);
    }
    exit(status == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Whoever it works for ----------------------------------------------------------------------------------------- */

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static struct wards wards; /* what a new watchdog is told of */
static handle writer = HANDLE_INVALID, life = HANDLE_INVALID;
static int32_t watchdog;

static void create_mutex(void) {
    (void)uv_mutex_init(&mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

static void lock(void) {
    uv_once(&once, create_mutex);
    uv_mutex_lock(&mutex);
}

static void unlock(void) {
    uv_mutex_unlock(&mutex);
}

/* It ends when its pipe does, unless it has been ended before. */
static void give_up(void) {
    char byte;
    handle_close(writer);
    writer = HANDLE_INVALID;
    if (life != HANDLE_INVALID) {
        (void)receive(life, &byte, 1); /* which it never sends */
    }
    handle_close(life);
    life = HANDLE_INVALID;
}

static void shut_down(void) {
    lock();
    give_up();
    clear(&wards);
    unlock();
}

/* The process between starts the watchdog and ends. */
static int start_between(const handle theirs[INHERITED]) {
    struct spawned between;
    int exitcode;
    int status = spawn(runtime.program, runtime.argument0, WATCHDOG_START_OPTION, theirs, &between);
    if (status == 0) {
        (void)exit_wait(between.watch, DEADLINE_NEVER);
        (void)exit_collect(between.watch, between.pid, &exitcode); /* what became of it is seen by the pipe */
        handle_close(between.watch);
    }
    return status;
}

static int start(void) {
    handle theirs[INHERITED] = {HANDLE_INVALID, HANDLE_INVALID};
    int status = pipe_create(&theirs[WATCHDOG_NOTICES], &writer);
    if (status == 0) {
        status = pipe_create(&life, &theirs[WATCHDOG_LIFE]);
    }
    if (status == 0) {
        status = start_between(theirs);
    }
    handle_close(theirs[WATCHDOG_NOTICES]);
    handle_close(theirs[WATCHDOG_LIFE]);
    if (status == 0 && !receive(life, &watchdog, sizeof watchdog)) {
        status = error_set(MPROC_ESYSTEM, 0, "it did not come up");
    }
    if (status != 0) {
        give_up();
        return error_prefix("cannot start the process that ends it with this one: ");
    }
    runtime_at_shutdown(shut_down);
    return 0;
}

static int send_notice(const struct notice *notice) {
    struct pipe_bytes bytes = {notice, sizeof *notice};
    return pipe_write(writer, &bytes, 1);
}

static int tell_all(void) {
    int status = 0;
    for (size_t i = 0; i < wards.count && status == 0; i++) {
        status = send_notice(&wards.list[i].notice);
    }
    return status;
}

/* Tells a watchdog, of all where it is a new one. */
static int tell_one(const struct notice *notice) {
    int status = writer != HANDLE_INVALID ? send_notice(notice) : MPROC_ECLOSED;
    if (status == MPROC_ECLOSED) {
        give_up();
        status = start();
        if (status == 0) {
            status = tell_all();
        }
    }
    return status != MPROC_ECLOSED
               ? status
               : error_set(MPROC_ESYSTEM, 0, "the process that ends it with this one was ended at once");
}

int watchdog_prepare(void) {
    lock();
    int status = writer != HANDLE_INVALID ? 0 : start();
    unlock();
    return status;
}

int watchdog_watch(int pid, handle group) {
    struct notice notice = {1, pid, group};
    lock();
    int status = add(&wards, &notice, HANDLE_INVALID);
    if (status == 0) {
        status = tell_one(&notice);
        if (status != 0) {
            drop(&wards, pid);
        }
    }
    unlock();
    return status;
}

void watchdog_forget(int pid) {
    struct notice notice = {0, pid, HANDLE_INVALID};
    lock();
    drop(&wards, pid);
    if (writer != HANDLE_INVALID) {
        (void)send_notice(&notice); /* one that has been ended knows of nobody */
    }
    unlock();
}

int watchdog_pid(void) {
    lock();
    int pid = writer != HANDLE_INVALID ? watchdog : 0;
    unlock();
    return pid;
}
