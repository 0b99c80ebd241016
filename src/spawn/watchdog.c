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

/* false: the process has ended, or nobody can be told of a failure. */
static bool receive(handle reader, struct notice *notice) {
    size_t used = 0, size = 0;
    while (used < sizeof *notice &&
           pipe_read(reader, (char *)notice + used, sizeof *notice - used, DEADLINE_NEVER, &size) == 0) {
        used += size;
    }
    return used == sizeof *notice;
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

int watchdog_run(char **argv) {
    struct wards wards = {NULL, 0, 0};
    struct notice notice;
    handle reader;
    int status = command_line_read(argv, &reader, 1, 1);
    if (status != 0) {
        return status;
    }
    while (receive(reader, &notice) && note(&wards, &notice)) {
    }
    for (size_t i = 0; i < wards.count; i++) {
        end(&wards.list[i]);
    }
    clear(&wards);
    exit(EXIT_SUCCESS);
}

/* Whoever it works for ----------------------------------------------------------------------------------------- */

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static struct wards wards; /* what a new watchdog is told of */
static handle writer = HANDLE_INVALID;
static struct spawned watchdog;

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
    int exitcode;
    if (writer == HANDLE_INVALID) {
        return;
    }
    handle_close(writer);
    writer = HANDLE_INVALID;
    (void)exit_wait(watchdog.watch, DEADLINE_NEVER);
    (void)exit_collect(watchdog.watch, watchdog.pid, &exitcode); /* which is of no interest */
    handle_close(watchdog.watch);
}

static void shut_down(void) {
    lock();
    give_up();
    clear(&wards);
    unlock();
}

static int spawn(handle reader, handle null) {
    const handle streams[SPAWN_STREAMS] = {null, null, null};
    handle number = spawn_child_handle(&reader, 0);
    struct command_line line;
    struct spawn_options options;
    memset(&options, 0, sizeof options);
    command_line_write(&line, runtime.argument0, WATCHDOG_OPTION, &number, 1);
    options.program = runtime.program;
    options.arguments = line.list;
    options.inherited = &reader;
    options.inherited_count = 1;
    options.streams = streams;
    options.group = SPAWN_SESSION_OWN;
    return spawn_process(&options, &watchdog);
}

static int start(void) {
    handle reader = HANDLE_INVALID, null = HANDLE_INVALID;
    int status = pipe_create(&reader, &writer);
    if (status == 0) {
        status = file_open_null(&null);
    }
    if (status == 0) {
        status = spawn(reader, null);
    }
    if (status != 0) {
        handle_close(writer);
        writer = HANDLE_INVALID;
        (void)error_prefix("cannot start the process that ends it with this one: ");
    } else {
        runtime_at_shutdown(shut_down);
    }
    handle_close(reader);
    handle_close(null);
    return status;
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
    int pid = writer != HANDLE_INVALID ? watchdog.pid : 0;
    unlock();
    return pid;
}
