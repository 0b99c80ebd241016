/* SPDX-License-Identifier: MIT */
/* The child's main thread runs the target. The one thing that must not wait for the target is the end of the parent, with
 * which this process ends too, whatever it is doing: the system sees to that where it can, else a thread on the link. */
#include "spawn/child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "link/link.h"
#include "mproc/process.h"
#include "platform/console.h"
#include "platform/self.h"
#include "spawn/command_line.h"
#include "spawn/guard.h"
#include "spawn/preparation.h"
#include "spawn/runtime.h"
#include "spawn/task.h"

#define EXIT_FAILED 1

/* Enough for reading a frame and leaving; the system's default would be eight megabytes of address space. */
#define WATCH_STACK_SIZE ((size_t)64 * 1024)

/* Nobody is left to be told about a failure, so the process just ends. */
static void watch_parent(void *link) {
    struct frame frame;
    while (link_receive(link, DEADLINE_NEVER, &frame) == 0) {
        memory_free(frame.body); /* nothing is sent to a child that runs, so far */
    }
    self_exit_now(EXIT_FAILED);
}

static int start_watching(struct link *link) {
    struct self_signals signals;
    uv_thread_t thread;
    uv_thread_options_t options;
    memset(&options, 0, sizeof options);
    options.flags = UV_THREAD_HAS_STACK_SIZE;
    options.stack_size = WATCH_STACK_SIZE;
    self_block_signals(&signals);
    int error = uv_thread_create_ex(&thread, &options, watch_parent, link);
    self_restore_signals(&signals);
    return error != 0 ? error_set(MPROC_ESYSTEM, error, "cannot start the thread that watches the parent: %s",
                                  uv_strerror(error))
                      : 0;
}

static int end_with_parent(struct link *link) {
    return link_tie(link) == 0 ? 0 : start_watching(link);
}

/* "/opt/tools/wordcount" -> "wordcount" */
static const char *base_name(const char *path) {
    const char *name = path;
    for (const char *place = path; *place != '\0'; place++) {
        if (*place == '/' || *place == '\\') {
            name = place + 1;
        }
    }
    return name;
}

static int set_up(struct link *link, handle program, const char *argument0, struct preparation *preparation) {
    struct frame frame;
    struct message ready = {{0}, NULL, 0, 0};
    int status = link_begin_message(&ready);
    if (status == 0) {
        status = link_send(link, FRAME_READY, &ready);
    }
    if (status == 0) {
        status = link_receive(link, DEADLINE_NEVER, &frame);
    }
    if (status == 0) {
        status = preparation_decode(preparation, &frame);
    }
    if (status == 0) {
        status = program_open_self(&runtime.program, program);
    }
    if (status == 0) {
        self_set_name(base_name(argument0));
        status = end_with_parent(link);
    }
    return status;
}

/* Moves what the preparation says of this process into the runtime. */
static void fill_runtime(struct preparation *preparation) {
    runtime.is_child = true;
    runtime.path = preparation->path;
    preparation->path = NULL;
    runtime.root_pid = preparation->root_pid;
    runtime.self = preparation->self;
    runtime.parent = preparation->parent;
    guard_ready();
}

static int run_target(struct preparation *preparation) {
    mproc_task task;
    memset(&task, 0, sizeof task);
    task.target = runtime_target_named(preparation->target);
    task.data = preparation->call.data;
    task.size = preparation->call.size;
    if (task.target == NULL) {
        return error_set(MPROC_ETARGET, 0,
                         "the function %s is not in the table given to mproc_init; add "
                         "MPROC_TARGET(%s) to it",
                         preparation->target, preparation->target);
    }
    int status = arguments_decode(&preparation->call, &task.args, &task.kwargs);
    if (status == 0) {
        status = task_run(&task);
    }
    task_clear(&task);
    return status;
}

static void report(const char *name, const char *message) {
    char line[1400];
    (void)snprintf(line, sizeof line, "mproc: process %s (pid %d) failed: %s", name, mproc_getpid(), message);
    console_write_error_line(line);
}

int child_run(char **argv, const mproc_target *targets) {
    handle handles[CHILD_HANDLES];
    struct link_ends ends = LINK_NO_ENDS;
    struct link *link = NULL;
    struct preparation preparation;
    memset(&preparation, 0, sizeof preparation);
    int status = command_line_read(argv, handles, CHILD_HANDLES, CHILD_PROGRAM);
    if (status != 0) {
        return status;
    }
    runtime.targets = targets;
    runtime.argument0 = argv[0];
    runtime.door = handles[CHILD_DOOR];
    ends.reader = handles[CHILD_READER];
    ends.writer = handles[CHILD_WRITER];
    status = link_open(&link, &ends,
                       LINK_WAITS); /* READY is small, and has to be out before anything can end this process */
    if (status == 0) {
        status = set_up(link, handles[CHILD_PROGRAM], argv[0], &preparation);
    }
    if (status == MPROC_ECLOSED) {
        exit(EXIT_FAILED); /* the parent ended before it had said what to do: there is nobody to tell */
    }
    if (status == 0) {
        fill_runtime(&preparation);
        status = run_target(&preparation);
    }
    if (status != 0) {
        report(runtime.self.name[0] != '\0' ? runtime.self.name : "of mproc", mproc_last_error()->message);
    }
    preparation_clear(&preparation);
    /* The link stays open: by it this process notices the end of its parent until the very end. */
    exit(status == 0 ? EXIT_SUCCESS : EXIT_FAILED);
}
