/* SPDX-License-Identifier: MIT */
/* A program that was started, for the files of this folder:
 *
 *   popen.c        starting it, its end, signals
 *   streams.c      its standard streams: where they go, writing and reading them
 *   communicate.c  feeding and reading it at once
 *   run.c          all of it in one call */
#ifndef MPROC_SUBPROCESS_POPEN_H
#define MPROC_SUBPROCESS_POPEN_H

#include <stdbool.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "mproc/subprocess.h"
#include "platform/pipe.h"
#include "platform/spawn.h"

struct mproc_popen {
    struct spawned spawned;
    char *name; /* of the program, for messages */
    bool is_detached;
    bool is_watched;               /* by the watchdog */
    handle streams[SPAWN_STREAMS]; /* this process's ends of pipes; HANDLE_INVALID: none, or closed */
    struct pipe_pending *pending[SPAWN_STREAMS];
    bool is_pipe[SPAWN_STREAMS];

    uv_mutex_t mutex; /* of its end */
    bool has_ended;
    bool returncode_is_unknown;
    int returncode;
    unsigned waiting; /* threads that use the watch */

    /* Of communicating, which one thread does at a time. */
    bool has_begun;
    const uint8_t *input; /* what is left of it: the caller's, or in `kept_input` */
    size_t input_left, input_size;
    struct buffer kept_input;
    struct buffer output[2];  /* what was read of 1 and 2 */
    struct mproc_popen *next; /* among those that were given up while they ran */
};

/* streams.c */
/* What the program gets, and which handles are to be closed here afterwards. */
struct popen_streams {
    handle theirs[SPAWN_STREAMS];
    handle opened[SPAWN_STREAMS];
};
int popen_open_streams(struct mproc_popen *process, const mproc_popen_options *options, struct popen_streams *streams);
void popen_close_theirs(struct popen_streams *streams);
void popen_close_stream(struct mproc_popen *process, int stream);

/* popen.c */
int popen_create(mproc_popen **process, const char *function, const mproc_popen_options *options);
/* As mproc_popen_wait, without its checks and messages. */
int popen_wait(struct mproc_popen *process, deadline until);
/* Between these two the watch stays open; HANDLE_INVALID: it has ended. The second notices its end. */
handle popen_begin_wait(struct mproc_popen *process);
void popen_end_wait(struct mproc_popen *process);
/* Ends it and what is in its group, where it has not ended. */
void popen_kill_all(struct mproc_popen *process);

/* communicate.c */
int popen_communicate(struct mproc_popen *process, const char *function, const void *input, size_t size,
                      deadline until);
/* What was read so far, copied, or moved out. MPROC_ENOMEM. */
int popen_complete(struct mproc_popen *process, bool is_moved, mproc_completed *completed);

#endif
