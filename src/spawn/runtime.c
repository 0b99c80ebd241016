/* SPDX-License-Identifier: MIT */
#include "spawn/runtime.h"

#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "spawn/own_targets.h"

#define SHUTDOWN_FUNCTIONS_MAX 8 /* one a feature */

struct runtime runtime;

static void (*shutdown_functions[SHUTDOWN_FUNCTIONS_MAX])(void);
static size_t shutdown_count;
static uv_once_t shutdown_once = UV_ONCE_INIT;
static uv_mutex_t shutdown_mutex;

int runtime_check(const char *function) {
    if (runtime.is_ready) {
        return 0;
    }
    return error_set(MPROC_EGUARD, 0,
                     "%s: mproc_init has not run in this process; make `mproc_init(argc, argv, targets);` the first "
                     "statement of main",
                     function);
}

static const mproc_target *find_fn(const mproc_target *row, mproc_fn fn) {
    while (row != NULL && row->name != NULL && row->fn != fn) {
        row++;
    }
    return row != NULL && row->name != NULL ? row : NULL;
}

static const mproc_target *find_name(const mproc_target *row, const char *name) {
    while (row != NULL && row->name != NULL && strcmp(row->name, name) != 0) {
        row++;
    }
    return row != NULL && row->name != NULL ? row : NULL;
}

const mproc_target *runtime_target_of(mproc_fn fn) {
    const mproc_target *found = find_fn(runtime.targets, fn);
    return found != NULL ? found : find_fn(own_targets, fn);
}

const mproc_target *runtime_target_named(const char *name) {
    const mproc_target *found = find_name(runtime.targets, name);
    return found != NULL ? found : find_name(own_targets, name);
}

static void create_shutdown_mutex(void) {
    (void)uv_mutex_init(&shutdown_mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

void runtime_at_shutdown(void (*function)(void)) {
    bool known = false;
    uv_once(&shutdown_once, create_shutdown_mutex);
    uv_mutex_lock(&shutdown_mutex);
    for (size_t i = 0; i < shutdown_count; i++) {
        known = known || shutdown_functions[i] == function;
    }
    if (!known && shutdown_count < SHUTDOWN_FUNCTIONS_MAX) {
        shutdown_functions[shutdown_count++] = function;
    }
    uv_mutex_unlock(&shutdown_mutex);
}

void runtime_call_shutdown_functions(void) {
    uv_once(&shutdown_once, create_shutdown_mutex);
    for (;;) {
        void (*function)(void) = NULL;
        uv_mutex_lock(&shutdown_mutex);
        if (shutdown_count > 0) {
            function = shutdown_functions[--shutdown_count];
        }
        uv_mutex_unlock(&shutdown_mutex);
        if (function == NULL) {
            return;
        }
        function(); /* may register others */
    }
}
