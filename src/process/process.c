/* SPDX-License-Identifier: MIT */
#include "process/process.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "platform/exit.h"
#include "spawn/runtime.h"
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

/* Waiting and ending ------------------------------------------------------------------------------------------- */

int process_error_state(const char *function, const struct mproc_process *process) {
    static const char *const states[] = {"has not been started; call mproc_process_start first",
                                         "is being started by another thread", "has been started already",
                                         "has been started already, and has ended"};
    const char *why = process->kind == PROCESS_CURRENT  ? "is the current process itself"
                      : process->kind == PROCESS_PARENT ? "is the parent of this one"
                                                        : states[process->state];
    return error_set(MPROC_ESTATE, 0, "%s: process %s %s", function, process->identity.name, why);
}

/* The parent is watched from the first time that somebody asks. The lock is held. */
static void watch_parent(struct mproc_process *parent) {
    if (parent->watch == HANDLE_INVALID && parent->state == PROCESS_RUNNING &&
        exit_watch(parent->identity.pid, &parent->watch) != 0) {
        parent->state = PROCESS_ENDED; /* it is gone */
    }
}

int process_check_wait(struct mproc_process *process, const char *function) {
    int status = 0;
    processes_lock();
    if (process->kind == PROCESS_CURRENT || process->state < PROCESS_RUNNING) {
        status = process_error_state(function, process);
    } else if (process->kind == PROCESS_PARENT) {
        watch_parent(process);
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
        status = process_error_state(function, process);
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
        watch_parent(asked);
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
        status = process_error_state(function, asked);
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
        status = process_error_state(function, process);
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
