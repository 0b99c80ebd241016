/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "spawn/runtime.h"
#include "subprocess/popen.h"

/* What is in the pipes now counts; who else may write into them is not waited for. */
static void read_rest(struct mproc_popen *process) {
    process->input_left = 0;
    (void)popen_communicate(process, "", NULL, 0, DEADLINE_NOW);
}

static int run(mproc_popen *process, const char *function, const void *input, size_t size, mproc_completed *completed,
               int64_t timeout_ms) {
    int status = popen_communicate(process, function, input, size, deadline_after(timeout_ms));
    if (status == MPROC_ETIMEDOUT) {
        popen_kill_all(process);
        (void)popen_wait(process, DEADLINE_NEVER);
        read_rest(process);
        if (completed != NULL && popen_complete(process, true, completed) != 0) {
            return MPROC_ENOMEM;
        }
        return error_set(MPROC_ETIMEDOUT, 0, "%s: %s (pid %d) was not done within %lld ms, and was killed", function,
                         process->name, process->spawned.pid, (long long)timeout_ms);
    }
    if (status == 0 && completed != NULL) {
        status = popen_complete(process, true, completed);
    }
    return status == 0 ? mproc_popen_poll(process, NULL) : status;
}

static int start_and_run(const char *function, const mproc_popen_options *options, const void *input, size_t size,
                         mproc_completed *completed, int64_t timeout_ms) {
    mproc_popen *process = NULL;
    int status = runtime_check(function);
    if (status == 0) {
        status = popen_create(&process, function, options);
    }
    if (status == 0) {
        status = run(process, function, input, size, completed, timeout_ms);
    }
    mproc_popen_destroy(process);
    return status;
}

int mproc_run(const mproc_popen_options *options, const void *input, size_t size, mproc_completed *completed,
              int64_t timeout_ms) {
    static const char function[] = "mproc_run";
    if (completed != NULL) {
        memset(completed, 0, sizeof *completed);
    }
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    if (options == NULL || (input == NULL && size > 0)) {
        return error_null(function, options == NULL ? "options" : "input");
    }
    mproc_popen_options used = *options;
    if (size > 0 && used.in.kind == MPROC_INHERIT) {
        used.in.kind = MPROC_PIPE;
    }
    if (size > 0 && used.in.kind != MPROC_PIPE) {
        return error_set(MPROC_EINVAL, 0, "%s: there is input, but options.in goes elsewhere", function);
    }
    return start_and_run(function, &used, input, size, completed, timeout_ms);
}

/* Those that take arguments only. */
static int run_arguments(const char *function, const char *const *argv, mproc_redirect out,
                         mproc_completed *completed) {
    mproc_popen_options options;
    memset(completed, 0, sizeof *completed);
    if (argv == NULL) {
        return error_null(function, "argv");
    }
    memset(&options, 0, sizeof options);
    options.argv = argv;
    options.out.kind = out;
    return start_and_run(function, &options, NULL, 0, completed, MPROC_FOREVER);
}

int mproc_call(const char *const *argv, int *returncode) {
    mproc_completed completed;
    int status = run_arguments("mproc_call", argv, MPROC_INHERIT, &completed);
    if (status == 0 && returncode != NULL) {
        *returncode = completed.returncode;
    }
    return status;
}

static int check_success(const char *function, const char *name, int returncode) {
    if (returncode == 0) {
        return 0;
    }
    int status = returncode < 0
                     ? error_set(MPROC_ETASK, 0, "%s: %s was ended by signal %d", function, name, -returncode)
                     : error_set(MPROC_ETASK, 0, "%s: %s returned %d", function, name, returncode);
    error_set_task(name, 0, returncode);
    return status;
}

int mproc_check_call(const char *const *argv) {
    static const char function[] = "mproc_check_call";
    mproc_completed completed;
    int status = run_arguments(function, argv, MPROC_INHERIT, &completed);
    return status == 0 ? check_success(function, argv[0], completed.returncode) : status;
}

int mproc_check_output(const char *const *argv, mproc_completed *completed) {
    static const char function[] = "mproc_check_output";
    if (completed == NULL) {
        return error_null(function, "completed");
    }
    int status = run_arguments(function, argv, MPROC_PIPE, completed);
    return status == 0 ? check_success(function, argv[0], completed->returncode) : status;
}
