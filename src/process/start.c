/* SPDX-License-Identifier: MIT */
/* Starting a process, and carrying its target out here. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/root.h"
#include "platform/spawn.h"
#include "process/process.h"
#include "spawn/child.h"
#include "spawn/command_line.h"
#include "spawn/runtime.h"
#include "spawn/task.h"
#include "value/value.h"

/* The state becomes STARTING: from here on this thread alone has the process. */
static int begin_start(struct mproc_process *process) {
    static const char function[] = "mproc_process_start";
    int status = 0;
    processes_lock();
    if (process->kind != PROCESS_CHILD || process->state != PROCESS_CREATED) {
        status = process_error_state(function, process);
    } else if (process->call_is_used) {
        status = error_set(MPROC_ESTATE, 0, "%s: the connections among the arguments of %s went to mproc_process_run",
                           function, process->identity.name);
    } else {
        process->state = PROCESS_STARTING;
        processes_collect_forgotten();
    }
    processes_unlock();
    return status;
}

/* What every child inherits by being started: all of child_handle but the program, which the start itself hands on. */
#define INHERITED_ALWAYS CHILD_PROGRAM

/* The child's handles: what every child has, then those in its arguments. */
struct inheritance {
    handle *list;
    handle *child_numbers;
    size_t count;
};

static int gather(struct inheritance *inheritance, const struct link_ends *ends, const struct message *values) {
    inheritance->count = INHERITED_ALWAYS + values->handle_count;
    inheritance->list = memory_allocate(inheritance->count * sizeof(handle));
    inheritance->child_numbers = memory_allocate(inheritance->count * sizeof(handle));
    if (inheritance->list == NULL || inheritance->child_numbers == NULL) {
        return MPROC_ENOMEM;
    }
    inheritance->list[CHILD_READER] = ends->reader;
    inheritance->list[CHILD_WRITER] = ends->writer;
    inheritance->list[CHILD_DOOR] = runtime.door;
    if (values->handle_count > 0) {
        memcpy(inheritance->list + INHERITED_ALWAYS, values->handles, values->handle_count * sizeof(handle));
    }
    for (size_t i = 0; i < inheritance->count; i++) {
        inheritance->child_numbers[i] = spawn_child_handle(inheritance->list, i);
    }
    return 0;
}

/* It waits in the pipe for the child that is started next; whatever is more follows by and by. */
static int send_preparation(struct mproc_process *process, struct link *link, const handle *child_numbers) {
    char path[64];
    struct preparation preparation;
    struct message message = {{0}, NULL, 0, 0};
    memset(&preparation, 0, sizeof preparation);
    (void)snprintf(path, sizeof path, "%s%u:", runtime.path, process->number);
    preparation.target = (char *)(uintptr_t)process->target->name; /* only read */
    preparation.path = path;
    preparation.root_pid = runtime.root_pid;
    preparation.self = process->identity;
    preparation.parent = runtime.self;
    preparation.call = process->call; /* only read */
    int status = link_begin_message(&message);
    if (status == 0) {
        status = preparation_encode(&preparation, child_numbers, &message.bytes);
    }
    if (status == 0) {
        status = link_send(link, FRAME_PREPARATION, &message);
    }
    message_clear(&message);
    return status;
}

static int spawn_child(const struct mproc_process *process, const struct inheritance *inheritance,
                       struct spawned *spawned) {
    struct command_line line;
    handle handles[CHILD_HANDLES];
    struct spawn_options options;
    memset(&options, 0, sizeof options);
    memcpy(handles, inheritance->child_numbers, INHERITED_ALWAYS * sizeof *handles);
    handles[CHILD_PROGRAM] = program_child_handle(runtime.program);
    command_line_write(&line, runtime.argument0, CHILD_OPTION, handles, CHILD_HANDLES);
    options.program = runtime.program;
    options.arguments = line.list;
    options.inherited = inheritance->list;
    options.inherited_count = inheritance->count;
    options.environment = process->environment;
    options.is_ours = true;
    return spawn_process(&options, spawned);
}

static int start(struct mproc_process *process, struct link **link, struct spawned *spawned) {
    struct link_ends ours = LINK_NO_ENDS, theirs = LINK_NO_ENDS;
    struct inheritance inheritance = {0};
    int status = root_open_door();
    if (status == 0) {
        status = link_create_ends(&ours, &theirs);
    }
    if (status == 0) {
        status = link_open(link, &ours, LINK_NEVER_WAITS);
    }
    if (status == 0) {
        status = gather(&inheritance, &theirs, &process->call.values);
    }
    if (status == 0) {
        status = send_preparation(process, *link, inheritance.child_numbers + INHERITED_ALWAYS);
    }
    if (status == 0) {
        status = spawn_child(process, &inheritance, spawned);
    }
    link_close_ends(&theirs);
    memory_free(inheritance.list);
    memory_free(inheritance.child_numbers);
    if (status != 0) {
        link_destroy(*link);
        *link = NULL;
        (void)error_prefix("mproc_process_start: %s: ", process->identity.name);
    }
    return status;
}

int mproc_process_start(mproc_process *process) {
    struct link *link = NULL;
    struct spawned spawned = {0, HANDLE_INVALID, HANDLE_INVALID};
    if (process == NULL) {
        return error_null("mproc_process_start", "process");
    }
    int status = runtime_check("mproc_process_start");
    if (status == 0) {
        status = begin_start(process);
    }
    if (status != 0) {
        return status;
    }
    status = start(process, &link, &spawned);
    processes_lock();
    if (status == 0) {
        arguments_clear(&process->call); /* the child has all of it */
        process->identity.pid = spawned.pid;
        process->watch = spawned.watch;
        process->link = link;
        process->state = PROCESS_RUNNING;
        processes_enter(process);
    } else {
        process->state = PROCESS_CREATED;
    }
    processes_unlock();
    return status;
}

/* Takes the arguments for one run; those without references serve again. */
static int decode_for_run(struct mproc_process *process, mproc_task *task) {
    int status = 0;
    processes_lock();
    if (process->kind != PROCESS_CHILD || process->state != PROCESS_CREATED || process->call_is_used) {
        status = process_error_state("mproc_process_run", process);
    } else {
        process->call_is_used = process->call.values.handle_count > 0;
        status = arguments_decode(&process->call, &task->args, &task->kwargs);
    }
    processes_unlock();
    return status;
}

int mproc_process_run(mproc_process *process) {
    mproc_task task;
    memset(&task, 0, sizeof task);
    if (process == NULL) {
        return error_null("mproc_process_run", "process");
    }
    int status = runtime_check("mproc_process_run");
    if (status == 0) {
        status = decode_for_run(process, &task);
    }
    if (status == 0) {
        task.target = process->target;
        task.data = process->call.data;
        task.size = process->call.size;
        status = task_run(&task);
    }
    task_clear(&task);
    return status;
}

int mproc_spawn(mproc_process **process, mproc_fn target, cJSON *args) {
    mproc_process_options options = {0};
    mproc_process *created = NULL;
    options.args = args;
    if (process == NULL) {
        value_delete(args);
        return error_null("mproc_spawn", "process");
    }
    int status = mproc_process_create(&created, target, &options);
    if (status == 0) {
        status = mproc_process_start(created);
    }
    if (status != 0) {
        mproc_process_destroy(created); /* leaves the error as it is */
        return status;
    }
    *process = created;
    return 0;
}
