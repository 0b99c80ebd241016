/* SPDX-License-Identifier: MIT */
#include "spawn/guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hub/client.h"
#include "hub/root.h"
#include "platform/console.h"
#include "spawn/child.h"
#include "spawn/command_line.h"
#include "spawn/runtime.h"
#include "spawn/watchdog.h"
#include "sync/arena.h"
#include "value/reference.h"

#define MAIN_NAME "MainProcess"

static int check_targets(const mproc_target *targets) {
    for (const mproc_target *row = targets; row != NULL && (row->name != NULL || row->fn != NULL); row++) {
        if (row->name == NULL || row->name[0] == '\0' || row->fn == NULL) {
            return error_set(MPROC_EINVAL, 0,
                             "mproc_init: row %d of the targets has no name or no function; end the "
                             "table with MPROC_TARGETS_END",
                             (int)(row - targets));
        }
        for (const mproc_target *other = targets; other != row; other++) {
            if (strcmp(other->name, row->name) == 0) {
                return error_set(MPROC_EINVAL, 0, "mproc_init: the target %s stands twice in the table", row->name);
            }
        }
    }
    return 0;
}

void guard_ready(void) {
    static bool is_registered;
    if (!is_registered) {
        is_registered = atexit(mproc_shutdown) == 0; /* there is room for 32 at least; else the application calls it */
    }
    console_use_utf8();
    runtime.generation++;
    runtime.is_ready = true;
}

static int begin_root(const char *argument0, const mproc_target *targets) {
    int status = program_open_self(&runtime.program, HANDLE_INVALID);
    char *path = status == 0 ? memory_copy_text("") : NULL;
    if (path == NULL) {
        program_close(runtime.program);
        runtime.program = NULL;
        return status != 0 ? status : MPROC_ENOMEM;
    }
    runtime.targets = targets;
    runtime.argument0 = argument0;
    runtime.path = path;
    runtime.root_pid = mproc_getpid();
    runtime.door = HANDLE_INVALID;
    runtime.self.pid = runtime.root_pid;
    runtime.self.daemon = false;
    memcpy(runtime.self.name, MAIN_NAME, sizeof MAIN_NAME);
    guard_ready();
    return 0;
}

int mproc_init(int argc, char **argv, const mproc_target *targets) {
    if (argv == NULL) {
        return error_null("mproc_init", "argv");
    }
    if (runtime.is_ready) {
        return error_set(MPROC_ESTATE, 0,
                         "mproc_init has run in this process before; once, as the first statement of "
                         "main, is right");
    }
    int status = check_targets(targets);
    if (status == 0 && command_line_has(argc, argv, CHILD_OPTION) && !runtime.is_child) {
        return child_run(argv, targets);
    }
    if (status == 0 && command_line_has(argc, argv, WATCHDOG_START_OPTION) && !runtime.is_child) {
        return watchdog_start(argv);
    }
    if (status == 0 && command_line_has(argc, argv, WATCHDOG_OPTION) && !runtime.is_child) {
        return watchdog_run(argv);
    }
    return status == 0 ? begin_root(argc > 0 ? argv[0] : MAIN_NAME, targets) : status;
}

int mproc_set_executable(const char *path) {
    struct program *program;
    int status = runtime_check("mproc_set_executable");
    if (status == 0) {
        status = path != NULL ? program_open_path(&program, path) : program_open_self(&program, HANDLE_INVALID);
    }
    if (status == 0) {
        program_close(runtime.program);
        runtime.program = program;
        runtime.is_other_program = path != NULL;
    } else if (status != MPROC_EGUARD) {
        (void)error_prefix("mproc_set_executable: ");
    }
    return status;
}

void mproc_shutdown(void) {
    if (!runtime.is_ready || runtime.self.pid != mproc_getpid()) {
        return; /* in a copy of this process that the application has forked, the children are not its own */
    }
    runtime_call_shutdown_functions();
    client_close();
    root_close();
    arenas_clear();
    reference_drop_all();
    runtime.is_ready = false;
    program_close(runtime.program);
    memory_free(runtime.path);
    runtime.program = NULL;
    runtime.path = NULL;
    runtime.targets = NULL;
    runtime.is_other_program = false;
    console_restore();
}
