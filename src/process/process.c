/* SPDX-License-Identifier: MIT */
#include "process/process.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "hub/root.h"
#include "platform/exit.h"
#include "platform/spawn.h"
#include "spawn/child.h"
#include "spawn/command_line.h"
#include "spawn/runtime.h"
#include "spawn/task.h"
#include "value/value.h"

/* Creating ----------------------------------------------------------------------------------------------------- */

static int check_name(const char *function, const char *name) {
    size_t length = strlen(name);
    if (length > PROCESS_NAME_MAX) {
        return error_set(MPROC_ERANGE, 0, "%s: the name has %llu bytes; at most %d are possible", function,
                         (unsigned long long)length, PROCESS_NAME_MAX);
    }
    if (length == 0 || !text_is_utf8(name, length)) {
        return error_set(MPROC_EINVAL, 0, "%s: the name %s", function, length == 0 ? "is empty" : "is not UTF-8");
    }
    return 0;
}

static int check_create(mproc_process **process, mproc_fn target, const mproc_process_options *options) {
    static const char function[] = "mproc_process_create";
    int status = runtime_check(function);
    if (status != 0) {
        return status;
    }
    if (process == NULL || target == NULL) {
        return error_null(function, process == NULL ? "process" : "target");
    }
    if (runtime_target_of(target) == NULL) {
        return error_set(MPROC_ETARGET, 0,
                         "%s: the function is not in the table given to mproc_init; add "
                         "MPROC_TARGET(its name) to it",
                         function);
    }
    if (options->data == NULL && options->size > 0) {
        return error_null(function, "options.data");
    }
    return options->name != NULL ? check_name(function, options->name) : 0;
}

static void set_names(struct mproc_process *process, const char *name) {
    char *text = process->identity.name;
    process->number = processes_next_number();
    if (name != NULL) {
        memcpy(text, name, strlen(name) + 1); /* check_name has seen that it fits */
    } else {
        (void)snprintf(text, sizeof process->identity.name, "Process-%s%u", runtime.path, process->number);
    }
}

static int create_with(mproc_process **process, mproc_fn target, const mproc_process_options *options,
                       struct arguments *call) {
    struct mproc_process *created = memory_allocate(sizeof *created);
    if (created == NULL) {
        return MPROC_ENOMEM;
    }
    created->kind = PROCESS_CHILD;
    created->state = PROCESS_CREATED;
    created->target = runtime_target_of(target);
    created->identity.daemon = options->daemon;
    created->watch = HANDLE_INVALID;
    created->call = *call;
    memset(call, 0, sizeof *call);
    processes_lock();
    set_names(created, options->name);
    processes_unlock();
    *process = created;
    return 0;
}

int mproc_process_create(mproc_process **process, mproc_fn target, const mproc_process_options *options) {
    static const mproc_process_options defaults;
    const mproc_process_options *used = options != NULL ? options : &defaults;
    struct arguments call;
    int status = 0;
    memset(&call, 0, sizeof call);
    if (used->args == NULL || used->kwargs == NULL) {
        status = value_pending_error();
    }
    if (status == 0) {
        status = check_create(process, target, used);
    }
    if (status != 0) {
        value_delete(used->args);
        value_delete(used->kwargs);
        return status;
    }
    status = arguments_create(&call, "mproc_process_create", used->args, used->kwargs, used->data, used->size);
    if (status == 0) {
        status = create_with(process, target, used, &call);
    }
    arguments_clear(&call);
    return status;
}

void process_free(struct mproc_process *process) {
    if (process != NULL) {
        arguments_clear(&process->call);
        link_destroy(process->link);
        handle_close(process->watch);
        memory_free(process);
    }
}

/* Starting ----------------------------------------------------------------------------------------------------- */

/* Why a process of this kind, or in this state, cannot do what was asked. */
static int error_state(const char *function, const struct mproc_process *process) {
    static const char *const states[] = {"has not been started; call mproc_process_start first",
                                         "is being started by another thread", "has been started already",
                                         "has been started already, and has ended"};
    const char *why = process->kind == PROCESS_CURRENT  ? "is the current process itself"
                      : process->kind == PROCESS_PARENT ? "is the parent of this one"
                                                        : states[process->state];
    return error_set(MPROC_ESTATE, 0, "%s: process %s %s", function, process->identity.name, why);
}

/* The state becomes STARTING: from here on this thread alone has the process. */
static int begin_start(struct mproc_process *process) {
    static const char function[] = "mproc_process_start";
    int status = 0;
    processes_lock();
    if (process->kind != PROCESS_CHILD || process->state != PROCESS_CREATED) {
        status = error_state(function, process);
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
        status = error_state("mproc_process_run", process);
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

/* Waiting and ending ------------------------------------------------------------------------------------------- */

/* The parent is watched from the first time that somebody asks. The lock is held. */
static int watch_parent(struct mproc_process *parent) {
    if (parent->watch == HANDLE_INVALID && parent->state == PROCESS_RUNNING &&
        exit_watch(parent->identity.pid, &parent->watch) != 0) {
        parent->state = PROCESS_ENDED; /* it is gone */
    }
    return 0;
}

int process_check_wait(struct mproc_process *process, const char *function) {
    int status = 0;
    processes_lock();
    if (process->kind == PROCESS_CURRENT || process->state < PROCESS_RUNNING) {
        status = error_state(function, process);
    } else if (process->kind == PROCESS_PARENT) {
        status = watch_parent(process);
    }
    processes_unlock();
    return status;
}

/* A program that knows nothing of mproc_init has run, and not the target. */
static int check_guarded(const struct mproc_process *process) {
    if (process->kind != PROCESS_CHILD || process->was_guarded || process->exitcode_is_unknown ||
        process->exitcode < 0) {
        return 0;
    }
    return error_set(
        MPROC_EGUARD, 0,
        "mproc_process_join: process %s (pid %d) ended with exit code %d before it called mproc_init; make "
        "`mproc_init(argc, argv, targets);` the first statement of its main",
        process->identity.name, process->identity.pid, process->exitcode);
}

int mproc_process_join(mproc_process *process, int64_t timeout_ms) {
    static const char function[] = "mproc_process_join";
    deadline until = deadline_after(timeout_ms);
    if (process == NULL) {
        return error_null(function, "process");
    }
    int status = error_check_timeout(function, timeout_ms);
    if (status == 0) {
        status = process_check_wait(process, function);
    }
    if (status != 0) {
        return status;
    }
    status = processes_wait(process, until);
    if (status == MPROC_ETIMEDOUT) {
        return error_set(MPROC_ETIMEDOUT, 0, "%s: process %s (pid %d) still runs after %lld ms", function,
                         process->identity.name, process->identity.pid, (long long)timeout_ms);
    }
    return status == 0 ? check_guarded(process) : status;
}

static int request_end(mproc_process *process, const char *function, int signal) {
    int status = 0;
    if (process == NULL) {
        return error_null(function, "process");
    }
    processes_lock();
    if (process->kind != PROCESS_CHILD || process->state < PROCESS_RUNNING) {
        status = error_state(function, process);
    } else if (!processes_collect(process)) {
        status = exit_send(process->watch, process->identity.pid, signal);
    }
    processes_unlock();
    return status;
}

int mproc_process_terminate(mproc_process *process) {
    return request_end(process, "mproc_process_terminate", EXIT_TERMINATE);
}

int mproc_process_kill(mproc_process *process) {
    return request_end(process, "mproc_process_kill", EXIT_KILL);
}

/* Asking ------------------------------------------------------------------------------------------------------- */

/* Asking may notice the end, which changes nothing that a caller has seen: hence const in the interface. */
static struct mproc_process *changeable(const mproc_process *process) {
    return (struct mproc_process *)(uintptr_t)process;
}

bool mproc_process_is_alive(const mproc_process *process) {
    bool is_alive = false;
    if (process == NULL) {
        return false;
    }
    struct mproc_process *asked = changeable(process);
    processes_lock();
    if (asked->kind == PROCESS_CURRENT) {
        is_alive = true;
    } else if (asked->kind == PROCESS_PARENT) {
        (void)watch_parent(asked);
        is_alive = asked->state == PROCESS_RUNNING && exit_wait(asked->watch, DEADLINE_NOW) != 0;
    } else {
        is_alive = asked->state == PROCESS_RUNNING && !processes_collect(asked);
    }
    processes_unlock();
    return is_alive;
}

int mproc_process_exitcode(const mproc_process *process, int *exitcode) {
    static const char function[] = "mproc_process_exitcode";
    int status = 0;
    if (process == NULL || exitcode == NULL) {
        return error_null(function, process == NULL ? "process" : "exitcode");
    }
    struct mproc_process *asked = changeable(process);
    processes_lock();
    if (asked->kind != PROCESS_CHILD || asked->state < PROCESS_RUNNING) {
        status = error_state(function, asked);
    } else if (!processes_collect(asked)) {
        status = error_set(MPROC_ESTATE, 0, "%s: process %s (pid %d) still runs", function, asked->identity.name,
                           asked->identity.pid);
    } else if (asked->exitcode_is_unknown) {
        status = error_set(MPROC_ENOTFOUND, 0,
                           "%s: how process %s (pid %d) ended is unknown: the application has collected it itself "
                           "(waitpid(-1), or SIGCHLD is ignored)",
                           function, asked->identity.name, asked->identity.pid);
    } else {
        *exitcode = asked->exitcode;
    }
    processes_unlock();
    return status;
}

int mproc_process_pid(const mproc_process *process) {
    int pid = 0;
    if (process != NULL) {
        processes_lock();
        pid = process->identity.pid;
        processes_unlock();
    }
    return pid;
}

const char *mproc_process_name(const mproc_process *process) {
    return process != NULL ? process->identity.name : "";
}

bool mproc_process_daemon(const mproc_process *process) {
    bool daemon = false;
    if (process != NULL) {
        processes_lock();
        daemon = process->identity.daemon;
        processes_unlock();
    }
    return daemon;
}

int mproc_process_set_name(mproc_process *process, const char *name) {
    static const char function[] = "mproc_process_set_name";
    if (process == NULL || name == NULL) {
        return error_null(function, process == NULL ? "process" : "name");
    }
    int status = check_name(function, name);
    if (status == 0) {
        processes_lock();
        memmove(process->identity.name, name, strlen(name) + 1); /* it may be the old name itself */
        processes_unlock();
    }
    return status;
}

int mproc_process_set_daemon(mproc_process *process, bool daemon) {
    static const char function[] = "mproc_process_set_daemon";
    int status = 0;
    if (process == NULL) {
        return error_null(function, "process");
    }
    processes_lock();
    if (process->kind != PROCESS_CHILD || process->state != PROCESS_CREATED) {
        status = error_state(function, process);
    } else {
        process->identity.daemon = daemon;
    }
    processes_unlock();
    return status;
}

/* This process and its parent ---------------------------------------------------------------------------------- */

static struct mproc_process current_process, parent_process;
static unsigned known_generation; /* of the runtime that the two above were filled from */

static void fill_relatives(void) {
    processes_lock();
    if (known_generation != runtime.generation) {
        known_generation = runtime.generation;
        current_process.kind = PROCESS_CURRENT;
        current_process.state = PROCESS_RUNNING;
        current_process.identity = runtime.self;
        current_process.watch = HANDLE_INVALID;
        parent_process.kind = PROCESS_PARENT;
        parent_process.state = PROCESS_RUNNING;
        parent_process.identity = runtime.parent;
        parent_process.watch = HANDLE_INVALID;
    }
    processes_unlock();
}

const mproc_process *mproc_current_process(void) {
    if (runtime_check("mproc_current_process") != 0) {
        return NULL;
    }
    fill_relatives();
    return &current_process;
}

const mproc_process *mproc_parent_process(void) {
    if (runtime_check("mproc_parent_process") != 0 || !runtime.is_child) {
        return NULL;
    }
    fill_relatives();
    return &parent_process;
}
