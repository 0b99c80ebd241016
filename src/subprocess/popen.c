/* SPDX-License-Identifier: MIT */
#include "subprocess/popen.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/hub.h"
#include "platform/exit.h"
#include "platform/program.h"
#include "spawn/environment.h"
#include "spawn/runtime.h"
#include "spawn/watchdog.h"

/* Programs that were given up while they ran: they are collected when another one is started. */
static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t forgotten_mutex;
static struct mproc_popen *forgotten;

static void create_mutex(void) {
    (void)uv_mutex_init(
        &forgotten_mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

static void free_popen(struct mproc_popen *process) {
    for (int i = 0; i < SPAWN_STREAMS; i++) {
        popen_close_stream(process, i);
    }
    buffer_clear(&process->kept_input);
    buffer_clear(&process->output[0]);
    buffer_clear(&process->output[1]);
    uv_mutex_destroy(&process->mutex);
    memory_free(process->name);
    memory_free(process);
}

/* The end ------------------------------------------------------------------------------------------------------ */

/* Whether it has ended; with its lock. */
static bool collect(struct mproc_popen *process) {
    if (!process->has_ended && exit_wait(process->spawned.watch, DEADLINE_NOW) == 0) {
        if (process->is_watched) {
            watchdog_forget(process->spawned.pid);
        }
        process->returncode_is_unknown =
            exit_collect(process->spawned.watch, process->spawned.pid, &process->returncode) != 0;
        exit_forget_group(process->spawned.group);
        process->spawned.group = HANDLE_INVALID;
        process->has_ended = true;
    }
    if (process->has_ended && process->waiting == 0) {
        handle_close(process->spawned.watch);
        process->spawned.watch = HANDLE_INVALID;
    }
    return process->has_ended;
}

static bool has_ended(struct mproc_popen *process) {
    uv_mutex_lock(&process->mutex);
    bool ended = collect(process);
    uv_mutex_unlock(&process->mutex);
    return ended;
}

handle popen_begin_wait(struct mproc_popen *process) {
    uv_mutex_lock(&process->mutex);
    handle watch = collect(process) ? HANDLE_INVALID : process->spawned.watch;
    process->waiting++;
    uv_mutex_unlock(&process->mutex);
    return watch;
}

void popen_end_wait(struct mproc_popen *process) {
    uv_mutex_lock(&process->mutex);
    process->waiting--;
    (void)collect(process);
    uv_mutex_unlock(&process->mutex);
}

int popen_wait(struct mproc_popen *process, deadline until) {
    handle watch = popen_begin_wait(process);
    int status = watch != HANDLE_INVALID ? exit_wait(watch, until) : 0;
    popen_end_wait(process);
    return status;
}

void popen_kill_all(struct mproc_popen *process) {
    uv_mutex_lock(&process->mutex);
    if (!process->has_ended) {
        exit_kill_group(process->spawned.group);
        (void)exit_send(process->spawned.watch, process->spawned.pid, EXIT_KILL); /* it may have ended */
    }
    uv_mutex_unlock(&process->mutex);
}

static void collect_forgotten(void) {
    uv_mutex_lock(&forgotten_mutex);
    struct mproc_popen **place = &forgotten;
    while (*place != NULL) {
        struct mproc_popen *process = *place;
        if (has_ended(process)) {
            *place = process->next;
            free_popen(process);
        } else {
            place = &process->next;
        }
    }
    uv_mutex_unlock(&forgotten_mutex);
}

static void forget(struct mproc_popen *process) {
    uv_mutex_lock(&forgotten_mutex);
    process->next = forgotten;
    forgotten = process;
    uv_mutex_unlock(&forgotten_mutex);
}

/* Starting ----------------------------------------------------------------------------------------------------- */

static int check_options(const mproc_popen_options *options) {
    if (options->argv == NULL || options->argv[0] == NULL || options->argv[0][0] == '\0') {
        return error_set(MPROC_EINVAL, 0, "options.argv names no program");
    }
    for (const char *const *variable = options->env; variable != NULL && *variable != NULL; variable++) {
        const char *equals = strchr(*variable, '=');
        if (equals == NULL || equals == *variable) {
            return error_set(MPROC_EINVAL, 0, "options.env has \"%s\", which is not NAME=value", *variable);
        }
    }
    return 0;
}

/* In the environment that the program gets. `own` receives what has to be freed. */
static const char *search_path(const mproc_popen_options *options, char **own) {
    const char *const *variable = options->env;
    if (variable == NULL) {
        *own = environment_value("PATH");
        return *own;
    }
    while (*variable != NULL && !spawn_same_variable(*variable, strcspn(*variable, "="), "PATH", 4)) {
        variable++;
    }
    return *variable != NULL ? *variable + 5 : NULL;
}

/* A program that inherits a terminal has to be in the group that the terminal speaks to. */
static enum spawn_group choose_group(const mproc_popen_options *options) {
    const mproc_stdio *streams[SPAWN_STREAMS] = {&options->in, &options->out, &options->err};
    for (int i = 0; i < SPAWN_STREAMS && !options->detached; i++) {
        if (streams[i]->kind == MPROC_INHERIT && uv_guess_handle(i) == UV_TTY) {
            return SPAWN_GROUP_SAME;
        }
    }
    return options->detached ? SPAWN_SESSION_OWN : SPAWN_GROUP_OWN;
}

/* Whether the system is to end the program with this process; or the watchdog. */
static bool is_tied(const mproc_popen_options *options) {
    return !options->detached && spawn_can_tie();
}

static bool is_watched(const mproc_popen_options *options) {
    return !options->detached && !spawn_can_tie();
}

/* What has to be there before the program is, so that it ends with this process. */
static int prepare_end(const mproc_popen_options *options) {
    if (is_tied(options)) {
        return hub_start();
    }
    return is_watched(options) ? watchdog_prepare() : 0;
}

static int start(struct mproc_popen *process, const mproc_popen_options *options, const struct popen_streams *streams) {
    struct spawn_options spawn;
    struct program *program = NULL;
    char *own_path = NULL;
    const char *folders = search_path(options, &own_path);
    int status = program_find(&program, options->argv[0], folders, options->cwd);
    memory_free(own_path);
    if (status != 0) {
        return status;
    }
    memset(&spawn, 0, sizeof spawn);
    spawn.program = program;
    spawn.arguments = options->argv;
    spawn.environment = options->env;
    spawn.streams = streams->theirs;
    spawn.folder = options->cwd;
    spawn.group = choose_group(options);
    spawn.runner = is_tied(options) ? hub_run : NULL;
    status = spawn_process(&spawn, &process->spawned);
    program_close(program);
    return status;
}

static int watch(struct mproc_popen *process) {
    int status = watchdog_watch(process->spawned.pid, process->spawned.group);
    process->is_watched = status == 0;
    if (status != 0) {
        popen_kill_all(process);
        (void)popen_wait(process, DEADLINE_NEVER); /* it was killed */
    }
    return status;
}

static int create(struct mproc_popen **process, const char *name) {
    struct mproc_popen *created = memory_allocate(sizeof *created);
    if (created == NULL) {
        return MPROC_ENOMEM;
    }
    created->spawned.watch = created->spawned.group = HANDLE_INVALID;
    for (int i = 0; i < SPAWN_STREAMS; i++) {
        created->streams[i] = HANDLE_INVALID;
    }
    created->name = memory_copy_text(name);
    int status = created->name != NULL ? 0 : MPROC_ENOMEM;
    if (status == 0 && uv_mutex_init(&created->mutex) != 0) {
        status = error_no_memory(sizeof created->mutex);
    }
    if (status != 0) {
        memory_free(created->name);
        memory_free(created);
        return status;
    }
    *process = created;
    return 0;
}

int popen_create(mproc_popen **process, const char *function, const mproc_popen_options *options) {
    struct mproc_popen *created = NULL;
    struct popen_streams streams = {{HANDLE_INVALID, HANDLE_INVALID, HANDLE_INVALID},
                                    {HANDLE_INVALID, HANDLE_INVALID, HANDLE_INVALID}};
    uv_once(&once, create_mutex);
    collect_forgotten();
    int status = check_options(options);
    if (status == 0) {
        status = prepare_end(options);
    }
    if (status == 0) {
        status = create(&created, options->argv[0]);
    }
    if (status == 0) {
        created->is_detached = options->detached;
        status = popen_open_streams(created, options, &streams);
    }
    if (status == 0) {
        status = start(created, options, &streams);
    }
    if (status == 0 && is_watched(options)) {
        status = watch(created);
    }
    popen_close_theirs(&streams);
    if (status != 0) {
        if (created != NULL) {
            free_popen(created);
        }
        return error_prefix("%s: ", function);
    }
    *process = created;
    return 0;
}

int mproc_popen_create(mproc_popen **process, const mproc_popen_options *options) {
    static const char function[] = "mproc_popen_create";
    int status = runtime_check(function);
    if (status != 0) {
        return status;
    }
    if (process == NULL || options == NULL) {
        return error_null(function, process == NULL ? "process" : "options");
    }
    return popen_create(process, function, options);
}

/* What a caller asks ------------------------------------------------------------------------------------------- */

int mproc_popen_pid(const mproc_popen *process) {
    return process != NULL ? process->spawned.pid : error_null("mproc_popen_pid", "process");
}

/* It has ended. */
static int give_returncode(const struct mproc_popen *process, const char *function, int *returncode) {
    if (process->returncode_is_unknown) {
        return error_set(
            MPROC_ENOTFOUND, 0,
            "%s: how %s (pid %d) ended is unknown: the application has collected it (waitpid(-1), or SIGCHLD "
            "is ignored)",
            function, process->name, process->spawned.pid);
    }
    if (returncode != NULL) {
        *returncode = process->returncode;
    }
    return 0;
}

int mproc_popen_poll(mproc_popen *process, int *returncode) {
    static const char function[] = "mproc_popen_poll";
    if (process == NULL) {
        return error_null(function, "process");
    }
    return has_ended(process) ? give_returncode(process, function, returncode)
                              : error_set(MPROC_ESTATE, 0, "%s: %s (pid %d) is running", function, process->name,
                                          process->spawned.pid);
}

int mproc_popen_wait(mproc_popen *process, int *returncode, int64_t timeout_ms) {
    static const char function[] = "mproc_popen_wait";
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    if (process == NULL) {
        return error_null(function, "process");
    }
    status = popen_wait(process, deadline_after(timeout_ms));
    if (status == MPROC_ETIMEDOUT) {
        return error_set(MPROC_ETIMEDOUT, 0, "%s: %s (pid %d) has not ended within %lld ms", function, process->name,
                         process->spawned.pid, (long long)timeout_ms);
    }
    return status == 0 ? give_returncode(process, function, returncode) : error_prefix("%s: ", function);
}

static int send_signal(mproc_popen *process, const char *function, int number) {
    if (process == NULL) {
        return error_null(function, "process");
    }
    uv_mutex_lock(&process->mutex);
    int status = collect(process) ? 0 : exit_send(process->spawned.watch, process->spawned.pid, number);
    uv_mutex_unlock(&process->mutex);
    return status == 0 ? 0 : error_prefix("%s: %s (pid %d): ", function, process->name, process->spawned.pid);
}

int mproc_popen_send_signal(mproc_popen *process, int signal) {
    return send_signal(process, "mproc_popen_send_signal", signal);
}

int mproc_popen_terminate(mproc_popen *process) {
    return send_signal(process, "mproc_popen_terminate", EXIT_TERMINATE);
}

int mproc_popen_kill(mproc_popen *process) {
    return send_signal(process, "mproc_popen_kill", EXIT_KILL);
}

void mproc_popen_destroy(mproc_popen *process) {
    if (process == NULL) {
        return;
    }
    if (!process->is_detached) {
        popen_kill_all(process);
        (void)popen_wait(process, DEADLINE_NEVER);
    } else if (!has_ended(process)) {
        for (int i = 0; i < SPAWN_STREAMS; i++) {
            popen_close_stream(process, i);
        }
        forget(process);
        return;
    }
    free_popen(process);
}
