/* SPDX-License-Identifier: MIT */
/* All children of this process together: who runs, who has ended, and what happens to them at the end. */
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/exit.h"
#include "process/process.h"
#include "spawn/runtime.h"

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static struct mproc_process *first_running;
static unsigned forgotten_count;
static unsigned last_number, numbers_generation;

static void create_mutex(void) {
    (void)uv_mutex_init(&mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

void processes_lock(void) {
    uv_once(&once, create_mutex);
    uv_mutex_lock(&mutex);
}

void processes_unlock(void) {
    uv_mutex_unlock(&mutex);
}

unsigned processes_next_number(void) {
    if (numbers_generation != runtime.generation) { /* mproc_init has run again */
        numbers_generation = runtime.generation;
        last_number = 0;
    }
    return ++last_number;
}

static void leave(struct mproc_process *process) {
    if (process->previous != NULL) {
        process->previous->next = process->next;
    } else {
        first_running = process->next;
    }
    if (process->next != NULL) {
        process->next->previous = process->previous;
    }
    process->previous = process->next = NULL;
}

/* Whether the child said that it had reached mproc_init. All that it has ever sent is in the pipe. */
static bool has_reached_guard(struct link *link) {
    struct frame frame;
    if (link_receive(link, DEADLINE_NOW, &frame) != 0) {
        return false;
    }
    memory_free(frame.body);
    return frame.kind == FRAME_READY;
}

static void note_end(struct mproc_process *process) {
    process->exitcode_is_unknown = exit_collect(process->watch, process->identity.pid, &process->exitcode) != 0;
    process->was_guarded = has_reached_guard(process->link);
    process->state = PROCESS_ENDED;
    link_destroy(process->link);
    process->link = NULL;
    leave(process);
}

bool processes_collect(struct mproc_process *process) {
    if (process->state == PROCESS_RUNNING && exit_wait(process->watch, DEADLINE_NOW) == 0) {
        note_end(process);
    }
    bool has_ended = process->state == PROCESS_ENDED;
    if (has_ended && process->waiting == 0) {
        handle_close(process->watch);
        process->watch = HANDLE_INVALID;
        if (process->is_forgotten) {
            forgotten_count--;
            process_free(process);
        }
    }
    return has_ended;
}

handle processes_begin_wait(struct mproc_process *process) {
    processes_lock();
    handle watch = process->state == PROCESS_RUNNING ? process->watch : HANDLE_INVALID;
    process->waiting++;
    processes_unlock();
    return watch;
}

void processes_end_wait(struct mproc_process *process) {
    processes_lock();
    process->waiting--;
    if (process->kind == PROCESS_CHILD) {
        (void)processes_collect(process); /* exit_wait has told whether it has ended */
    }
    processes_unlock();
}

int processes_wait(struct mproc_process *process, deadline until) {
    handle watch = processes_begin_wait(process);
    int status = watch != HANDLE_INVALID ? exit_wait(watch, until) : 0;
    processes_end_wait(process);
    return status;
}

void processes_collect_forgotten(void) {
    struct mproc_process *process = forgotten_count > 0 ? first_running : NULL;
    while (process != NULL) {
        struct mproc_process *next = process->next;
        if (process->is_forgotten) {
            (void)processes_collect(process); /* those that run go on */
        }
        process = next;
    }
}

void mproc_process_destroy(mproc_process *process) {
    if (process == NULL || process->kind != PROCESS_CHILD) {
        return;
    }
    processes_lock();
    (void)processes_collect(process); /* the state tells */
    if (process->state == PROCESS_RUNNING) {
        process->is_forgotten = true;
        forgotten_count++;
        process = NULL;
    }
    processes_unlock();
    process_free(process);
}

size_t mproc_active_children(mproc_process **children, size_t capacity) {
    size_t count = 0;
    processes_lock();
    struct mproc_process *process = first_running;
    while (process != NULL) {
        struct mproc_process *next = process->next;
        bool is_forgotten = process->is_forgotten;
        bool is_hidden = process->is_hidden;
        if (!processes_collect(process) && !is_forgotten && !is_hidden) {
            if (count < capacity) {
                children[count] = process;
            }
            count++;
        }
        process = next;
    }
    processes_unlock();
    return count;
}

/* A daemon gets its signal, and sees its link end, so that one which ignores the signal ends all the same. */
static void terminate_daemons(void) {
    processes_lock();
    for (struct mproc_process *process = first_running; process != NULL; process = process->next) {
        if (process->identity.daemon) {
            (void)exit_send(process->watch, process->identity.pid, EXIT_TERMINATE); /* it may have ended */
        }
    }
    processes_unlock();
}

/* The next child to wait for: daemons first, for they end soon. NULL: none runs. */
static struct mproc_process *next_to_join(void) {
    struct mproc_process *chosen = NULL;
    processes_lock();
    for (struct mproc_process *process = first_running; process != NULL; process = process->next) {
        if (chosen == NULL || (process->identity.daemon && !chosen->identity.daemon)) {
            chosen = process;
        }
    }
    processes_unlock();
    return chosen;
}

/* As Python does at exit: daemons are terminated, the others waited for. */
static void end_children(void) {
    struct mproc_process *process;
    terminate_daemons();
    while ((process = next_to_join()) != NULL) {
        if (process->identity.daemon) {
            processes_lock();
            link_end(process->link);
            processes_unlock();
        }
        if (processes_wait(process, DEADLINE_NEVER) != 0) {
            return; /* the system does not let this process wait; what is left ends with it, by its link */
        }
    }
}

void processes_expect_end(void) {
    runtime_at_shutdown(end_children);
}

void processes_enter(struct mproc_process *process) {
    process->previous = NULL;
    process->next = first_running;
    if (first_running != NULL) {
        first_running->previous = process;
    }
    first_running = process;
    processes_expect_end();
}
