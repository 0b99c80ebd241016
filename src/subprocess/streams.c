/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "platform/file.h"
#include "platform/pipe.h"
#include "platform/spawn.h"
#include "subprocess/popen.h"

static const char *const names[SPAWN_STREAMS] = {"in", "out", "err"};

/* Opening ------------------------------------------------------------------------------------------------------ */

static int open_file(int stream, const mproc_stdio *wanted, handle *file) {
    if (wanted->path == NULL) {
        return error_set(MPROC_EINVAL, 0, "options.%s is MPROC_FILE, but has no path", names[stream]);
    }
    return stream == 0 ? file_open_for_reading(wanted->path, file) : file_open_for_writing(wanted->path, file);
}

static int open_stream(struct mproc_popen *process, int stream, const mproc_stdio *wanted, handle *theirs) {
    switch (wanted->kind) {
    case MPROC_INHERIT:
        return 0;
    case MPROC_PIPE:
        process->is_pipe[stream] = true;
        return pipe_create_for_program(&process->streams[stream], theirs, stream == 0);
    case MPROC_DEVNULL:
        return file_open_null(theirs);
    case MPROC_FILE:
        return open_file(stream, wanted, theirs);
    case MPROC_STDOUT:
        break;
    }
    return error_set(MPROC_EINVAL, 0, "options.%s.kind is %s", names[stream],
                     wanted->kind == MPROC_STDOUT ? "MPROC_STDOUT, which is for err only" : "none that there is");
}

int popen_open_streams(struct mproc_popen *process, const mproc_popen_options *options, struct popen_streams *streams) {
    const mproc_stdio *wanted[SPAWN_STREAMS] = {&options->in, &options->out, &options->err};
    int status = 0;
    for (int i = 0; i < SPAWN_STREAMS; i++) {
        process->streams[i] = streams->opened[i] = HANDLE_INVALID;
    }
    for (int i = 0; i < SPAWN_STREAMS && status == 0; i++) {
        if (i != 2 || wanted[i]->kind != MPROC_STDOUT) {
            status = open_stream(process, i, wanted[i], &streams->opened[i]);
        }
        streams->theirs[i] = streams->opened[i];
    }
    if (status == 0 && options->err.kind == MPROC_STDOUT) {
        streams->theirs[2] = options->out.kind == MPROC_INHERIT ? SPAWN_OWN_STDOUT : streams->opened[1];
    }
    return status;
}

void popen_close_theirs(struct popen_streams *streams) {
    for (int i = 0; i < SPAWN_STREAMS; i++) {
        handle_close(streams->opened[i]);
        streams->opened[i] = HANDLE_INVALID;
    }
}

void popen_close_stream(struct mproc_popen *process, int stream) {
    pipe_drop_pending(process->pending[stream]);
    process->pending[stream] = NULL;
    handle_close(process->streams[stream]);
    process->streams[stream] = HANDLE_INVALID;
}

/* Writing, reading --------------------------------------------------------------------------------------------- */

int mproc_popen_write(mproc_popen *process, const void *data, size_t size) {
    static const char function[] = "mproc_popen_write";
    struct pipe_bytes part = {data, size};
    if (process == NULL || (data == NULL && size > 0)) {
        return error_null(function, process == NULL ? "process" : "data");
    }
    if (process->streams[0] == HANDLE_INVALID || process->has_begun) {
        return error_set(MPROC_ESTATE, 0, "%s: the standard input of %s %s", function, process->name,
                         !process->is_pipe[0] ? "is no pipe of this process's"
                         : process->has_begun ? "is mproc_popen_communicate's"
                                              : "has been closed");
    }
    int status = pipe_write(process->streams[0], &part, 1);
    if (status == MPROC_ECLOSED) {
        return error_set(MPROC_ECLOSED, 0, "%s: %s does not read its standard input any more", function, process->name);
    }
    return status == 0 ? 0 : error_prefix("%s: %s: ", function, process->name);
}

int mproc_popen_close_stdin(mproc_popen *process) {
    static const char function[] = "mproc_popen_close_stdin";
    if (process == NULL) {
        return error_null(function, "process");
    }
    if (!process->is_pipe[0]) {
        return error_set(MPROC_ESTATE, 0, "%s: the standard input of %s is no pipe of this process's", function,
                         process->name);
    }
    popen_close_stream(process, 0);
    return 0;
}

/* What mproc_popen_communicate has read before. */
static int64_t take_read(struct buffer *output, void *buffer, size_t size) {
    size_t taken = size < output->size ? size : output->size;
    memcpy(buffer, output->data, taken);
    buffer_consume(output, taken);
    return (int64_t)taken;
}

/* Waits for at least one byte. 0; MPROC_ECLOSED: the end; MPROC_ETIMEDOUT; MPROC_ESYSTEM. */
static int read_pipe(mproc_popen *process, int stream, void *buffer, size_t size, deadline until, size_t *count) {
    struct pipe_transfer transfer = {process->streams[stream], false, buffer, size, 0, 0, &process->pending[stream]};
    int status = 0;
    while (status == 0 && transfer.done == 0 && transfer.status == 0) {
        status = pipe_transfer_any(&transfer, 1, until);
    }
    *count = transfer.done;
    return status != 0 || transfer.done > 0 ? status : transfer.status;
}

int64_t mproc_popen_read(mproc_popen *process, int stream, void *buffer, size_t size, int64_t timeout_ms) {
    static const char function[] = "mproc_popen_read";
    size_t count = 0;
    int status = error_check_timeout(function, timeout_ms);
    if (status != 0) {
        return status;
    }
    if (process == NULL || buffer == NULL) {
        return error_null(function, process == NULL ? "process" : "buffer");
    }
    if ((stream != 1 && stream != 2) || size == 0) {
        return error_set(MPROC_EINVAL, 0, "%s: %s", function,
                         size == 0 ? "size is 0" : "stream is neither 1 (standard output) nor 2 (standard error)");
    }
    if (!process->is_pipe[stream]) {
        return error_set(MPROC_ESTATE, 0, "%s: stream %d of %s is no pipe of this process's", function, stream,
                         process->name);
    }
    if (process->output[stream - 1].size > 0) {
        return take_read(&process->output[stream - 1], buffer, size);
    }
    if (process->streams[stream] == HANDLE_INVALID) {
        return 0; /* it has been read to its end */
    }
    status = read_pipe(process, stream, buffer, size, deadline_after(timeout_ms), &count);
    switch (status) {
    case 0:
        return (int64_t)count;
    case MPROC_ECLOSED:
        return 0;
    case MPROC_ETIMEDOUT:
        return error_set(MPROC_ETIMEDOUT, 0, "%s: %s has written nothing for %lld ms", function, process->name,
                         (long long)timeout_ms);
    default:
        return error_prefix("%s: %s: ", function, process->name);
    }
}
