/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/pipe.h"
#include "subprocess/popen.h"

/* What a read has room for at least. */
#define READ_SIZE ((size_t)1 << 16)

/* The first call brings the input, the next ones may repeat it. */
static int take_input(struct mproc_popen *process, const char *function, const void *input, size_t size) {
    if (process->has_begun) {
        return size == 0 || size == process->input_size
                   ? 0
                   : error_set(MPROC_ESTATE, 0, "%s: other input was given to %s before", function, process->name);
    }
    if (size > 0 && process->streams[0] == HANDLE_INVALID) {
        return error_set(MPROC_ESTATE, 0, "%s: there is input, but the standard input of %s %s", function,
                         process->name, process->is_pipe[0] ? "has been closed" : "is no pipe of this process's");
    }
    process->has_begun = true;
    process->input = input;
    process->input_left = process->input_size = size;
    return 0;
}

/* Until the next call, by which time the caller's may be gone. MPROC_ENOMEM: the rest of the input is lost. */
static int keep_input(struct mproc_popen *process) {
    if (process->input_left == 0 || process->kept_input.size > 0) {
        return 0;
    }
    int status = buffer_append(&process->kept_input, process->input, process->input_left);
    process->input = process->kept_input.data;
    return status;
}

static void add_input(struct mproc_popen *process, struct pipe_transfer *transfers, size_t *count) {
    if (process->input_left == 0) {
        popen_close_stream(process, 0); /* the program sees the end of it */
    }
    if (process->streams[0] != HANDLE_INVALID) {
        struct pipe_transfer *transfer = &transfers[(*count)++];
        transfer->pipe = process->streams[0];
        transfer->is_write = true;
        transfer->data = (void *)(uintptr_t)process->input; /* only read */
        transfer->size = process->input_left;
        transfer->pending = &process->pending[0];
    }
}

static int add_output(struct mproc_popen *process, int stream, struct pipe_transfer *transfers, size_t *count) {
    struct buffer *output = &process->output[stream - 1];
    if (process->streams[stream] == HANDLE_INVALID) {
        return 0;
    }
    int status = buffer_reserve(output, READ_SIZE);
    if (status == 0) {
        struct pipe_transfer *transfer = &transfers[(*count)++];
        transfer->pipe = process->streams[stream];
        transfer->is_write = false;
        transfer->pending = &process->pending[stream];
        transfer->data = output->data + output->size;
        transfer->size = output->capacity - output->size;
    }
    return status;
}

/* A program that does not read all of its input is none of our errors; an end of output is its end. */
static int note(struct mproc_popen *process, const struct pipe_transfer *transfer) {
    int stream = transfer->pipe == process->streams[0] ? 0 : transfer->pipe == process->streams[1] ? 1 : 2;
    if (stream == 0) {
        process->input += transfer->done;
        process->input_left = transfer->status == 0 ? process->input_left - transfer->done : 0;
    } else {
        process->output[stream - 1].size += transfer->done;
    }
    if (transfer->status != 0) {
        popen_close_stream(process, stream);
    }
    return transfer->status == MPROC_ECLOSED ? 0 : transfer->status;
}

/* 0; MPROC_ECLOSED: there is nothing more to be transferred; MPROC_ETIMEDOUT; ... */
static int transfer_some(struct mproc_popen *process, deadline until) {
    struct pipe_transfer transfers[PIPE_TRANSFERS_MAX];
    size_t count = 0;
    int status = 0;
    add_input(process, transfers, &count);
    for (int stream = 1; stream <= 2 && status == 0; stream++) {
        status = add_output(process, stream, transfers, &count);
    }
    if (status == 0) {
        status = count > 0 ? pipe_transfer_any(transfers, count, until) : MPROC_ECLOSED;
    }
    for (size_t i = 0; i < count && status == 0; i++) {
        status = note(process, &transfers[i]);
    }
    return status;
}

int popen_communicate(struct mproc_popen *process, const char *function, const void *input, size_t size,
                      deadline until) {
    int status = take_input(process, function, input, size);
    if (status != 0) {
        return status;
    }
    while ((status = transfer_some(process, until)) == 0) {
    }
    if (status == MPROC_ECLOSED) {
        status = popen_wait(process, until);
    }
    if (status == MPROC_ETIMEDOUT) {
        int kept = keep_input(process);
        return kept == 0 ? MPROC_ETIMEDOUT : kept;
    }
    return status == 0 ? 0 : error_prefix("%s: %s: ", function, process->name);
}

/* What was read, ended by a zero that does not count; nothing where it is no pipe. */
static int give_output(struct mproc_popen *process, int stream, bool is_moved, char **text, size_t *size) {
    struct buffer *output = &process->output[stream - 1], given = {NULL, 0, 0};
    int status = 0;
    if (!process->is_pipe[stream]) {
        return 0;
    }
    if (is_moved) {
        given = *output;
        memset(output, 0, sizeof *output);
    } else {
        status = buffer_append(&given, output->data, output->size);
    }
    if (status == 0) {
        status = buffer_append(&given, "", 1);
    }
    if (status != 0) {
        buffer_clear(&given);
        return status;
    }
    *text = (char *)given.data;
    *size = given.size - 1;
    return 0;
}

int popen_complete(struct mproc_popen *process, bool is_moved, mproc_completed *completed) {
    mproc_completed made = {process->returncode, NULL, NULL, 0, 0};
    int status = give_output(process, 1, is_moved, &made.out, &made.out_size);
    if (status == 0) {
        status = give_output(process, 2, is_moved, &made.err, &made.err_size);
    }
    if (status != 0) {
        mproc_completed_clear(&made);
        return status;
    }
    *completed = made;
    return 0;
}

int mproc_popen_communicate(mproc_popen *process, const void *input, size_t size, mproc_completed *completed,
                            int64_t timeout_ms) {
    static const char function[] = "mproc_popen_communicate";
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    if (process == NULL || completed == NULL || (input == NULL && size > 0)) {
        return error_null(function, process == NULL ? "process" : completed == NULL ? "completed" : "input");
    }
    status = popen_communicate(process, function, input, size, deadline_after(timeout_ms));
    if (status == MPROC_ETIMEDOUT) {
        return error_set(MPROC_ETIMEDOUT, 0, "%s: %s (pid %d) was not done within %lld ms", function, process->name,
                         process->spawned.pid, (long long)timeout_ms);
    }
    if (status == 0) {
        status = popen_complete(process, false, completed);
    }
    return status == 0 ? mproc_popen_poll(process, NULL) : status;
}

void mproc_completed_clear(mproc_completed *completed) {
    if (completed != NULL) {
        memory_free(completed->out);
        memory_free(completed->err);
        memset(completed, 0, sizeof *completed);
    }
}
