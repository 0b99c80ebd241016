/* SPDX-License-Identifier: MIT */
/* The same for all systems and kinds of things: look at each; have the system watch what is not ready; look again at what
 * it saw, and at all whenever the bell has rung. */
#include "mproc/wait.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "spawn/runtime.h"
#include "wait/waiting.h"

static const char function[] = "mproc_wait";

struct wait_set {
    size_t count;                /* things that have begun to be waited for */
    struct waiting *waitings;    /* one a thing */
    struct wait_source *sources; /* one a thing, then those below */
    struct wait_source *bell_source, *link_source;
    bool has_bell;
    struct bell bell;
    bool reads_answers; /* of the first process, for all threads */
};

#define OWN_SOURCES 2

/* Which thing it is -------------------------------------------------------------------------------------------- */

/* What has been given, one after the other, counted by the caller. */
static int choose(struct waiting *waiting, const mproc_waitable *given) {
    const struct {
        const void *thing;
        const struct waiting_kind *kind;
    } choices[] = {{given->process, &process_waiting},
                   {given->connection, &connection_waiting},
                   {given->queue, &queue_waiting},
                   {given->result, &result_waiting},
                   {given->program, &popen_waiting}};
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if (choices[i].thing != NULL && waiting->thing != NULL) {
            return error_set(MPROC_EINVAL, 0, "%s: several pointers; give each thing an entry of its own", function);
        }
        if (choices[i].thing != NULL) {
            waiting->thing = (void *)(uintptr_t)choices[i].thing; /* asking may notice a process's end: hence const */
            waiting->kind = choices[i].kind;
        }
    }
    return waiting->thing != NULL ? 0 : error_set(MPROC_EINVAL, 0, "%s: all pointers are NULL", function);
}

/* Beginning and ending ----------------------------------------------------------------------------------------- */

static int open_set(struct wait_set *set, size_t count) {
    memset(set, 0, sizeof *set);
    if (count > SIZE_MAX / sizeof *set->waitings) {
        return error_no_memory(SIZE_MAX);
    }
    set->waitings = memory_allocate(count * sizeof *set->waitings);
    set->sources = memory_allocate((count + OWN_SOURCES) * sizeof *set->sources);
    if (set->waitings == NULL || set->sources == NULL) {
        memory_free(set->waitings);
        memory_free(set->sources);
        return MPROC_ENOMEM;
    }
    set->bell_source = &set->sources[count];
    set->link_source = &set->sources[count + 1];
    return 0;
}

/* What a wait for pipes and processes alone does without. */
static int open_bell(struct wait_set *set) {
    int status = set->has_bell ? 0 : bell_create(&set->bell);
    if (status != 0) {
        return error_prefix("%s: ", function);
    }
    set->has_bell = true;
    set->bell_source->kind = WAIT_FOR_BELL;
    set->bell_source->waited = set->bell.heard;
    return 0;
}

/* The thread's error says which thing it was. */
static int name_thing(size_t index, int status) {
    const mproc_error *error = mproc_last_error();
    return error_set(status, error->system_code, "%s (things[%llu])", error->message, (unsigned long long)index);
}

static int begin_all(struct wait_set *set, const mproc_waitable *things, size_t count, bool only_asks) {
    int status = 0;
    while (set->count < count && status == 0) {
        struct waiting *waiting = &set->waitings[set->count];
        waiting->only_asks = only_asks;
        waiting->source = &set->sources[set->count];
        status = choose(waiting, &things[set->count]);
        if (status == 0 && waiting->kind->needs_bell) {
            status = open_bell(set);
            waiting->bell = &set->bell;
        }
        if (status == 0) {
            status = waiting->kind->begin(waiting, function);
        }
        set->count += status == 0;
    }
    return status == 0 ? 0 : name_thing(set->count, status);
}

/* What was asked of the first process is answered for the last time: those things may be ready after all. */
static void conclude_all(struct wait_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        if (set->waitings[i].kind->call_off != NULL) {
            set->waitings[i].kind->call_off(&set->waitings[i]);
        }
    }
    hold_stop_reading(&set->reads_answers);
    for (size_t i = 0; i < set->count; i++) {
        if (set->waitings[i].kind->conclude != NULL) {
            set->waitings[i].kind->conclude(&set->waitings[i]);
        }
    }
}

static void close_set(struct wait_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        set->waitings[i].kind->end(&set->waitings[i]);
    }
    if (set->has_bell) {
        bell_destroy(&set->bell);
    }
    memory_free(set->waitings);
    memory_free(set->sources);
}

/* Waiting ------------------------------------------------------------------------------------------------------ */

void waiting_look_for_exit(struct waiting *waiting) {
    struct wait_source *source = waiting->source;
    waiting->is_ready = source->waited == HANDLE_INVALID || source->is_ready;
    source->kind = waiting->is_ready ? WAIT_FOR_NOTHING : WAIT_FOR_EXIT;
}

static bool has_ready(const struct wait_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        if (set->waitings[i].is_ready) {
            return true;
        }
    }
    return false;
}

static void read_answers(struct wait_set *set) {
    if (set->has_bell) { /* otherwise nothing was asked */
        struct wait_source *source = set->link_source;
        source->waited = hold_read_answers(&set->bell, &set->reads_answers);
        source->kind = source->waited != HANDLE_INVALID ? WAIT_FOR_DATA : WAIT_FOR_NOTHING;
    }
}

/* At what the system has seen, or at all of it. Whether a bell is wanted. */
static bool look_once(struct wait_set *set, bool at_all) {
    bool wants_bell = false;
    read_answers(set);
    for (size_t i = 0; i < set->count; i++) {
        struct waiting *waiting = &set->waitings[i];
        if (!waiting->is_ready && (at_all || waiting->source->is_ready)) {
            waiting->kind->look(waiting);
            wants_bell = wants_bell || waiting->wants_bell;
        }
    }
    return wants_bell;
}

static int look(struct wait_set *set, bool at_all) {
    if (!look_once(set, at_all)) {
        return 0;
    }
    int status = open_bell(set);
    if (status != 0) {
        return status;
    }
    for (size_t i = 0; i < set->count; i++) {
        set->waitings[i].bell = &set->bell;
        set->waitings[i].wants_bell = false;
    }
    (void)look_once(set, true); /* nobody wants what he has */
    return 0;
}

static int wait_for_first(struct wait_set *set, deadline until) {
    size_t sources = set->count + OWN_SOURCES;
    int status = look(set, true);
    bool goes_on = status == 0;
    while (goes_on) {
        status = wait_any(set->sources, sources, has_ready(set) ? DEADLINE_NOW : until);
        bool was_rung = set->bell_source->is_ready;
        if (was_rung) {
            bell_clear(&set->bell);
        }
        if (status == 0) {
            status = look(set, was_rung);
        } else if (status != MPROC_ETIMEDOUT) {
            (void)error_prefix("%s: ", function);
        }
        goes_on = status == 0 && !has_ready(set);
    }
    return status;
}

/* How many there are. */
static int note_ready(const struct wait_set *set, mproc_waitable *things) {
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        things[i].ready = set->waitings[i].is_ready;
        count += things[i].ready;
    }
    return count < INT32_MAX ? (int)count : INT32_MAX;
}

static int check(mproc_waitable *things, size_t count, int64_t timeout_ms) {
    int status = runtime_check(function);
    if (status == 0) {
        status = error_check_timeout(function, timeout_ms);
    }
    if (status == 0 && things == NULL) {
        status = error_null(function, "things");
    }
    if (status == 0 && count == 0) {
        status = error_set(MPROC_EINVAL, 0, "%s: there are no things to wait for", function);
    }
    return status;
}

int mproc_wait(mproc_waitable *things, size_t count, int64_t timeout_ms) {
    deadline until = deadline_after(timeout_ms);
    struct wait_set set;
    int status = check(things, count, timeout_ms);
    if (status != 0) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        things[i].ready = false;
    }
    status = open_set(&set, count);
    if (status != 0) {
        return error_prefix("%s: ", function);
    }
    status = begin_all(&set, things, count, timeout_ms == 0);
    if (status == 0) {
        status = wait_for_first(&set, until);
    }
    conclude_all(&set);
    int ready = status == 0 || status == MPROC_ETIMEDOUT ? note_ready(&set, things) : 0;
    close_set(&set);
    if (ready > 0) {
        return ready;
    }
    return status == MPROC_ETIMEDOUT
               ? error_set(MPROC_ETIMEDOUT, 0, "%s: nothing was ready within %lld ms", function, (long long)timeout_ms)
               : status;
}
