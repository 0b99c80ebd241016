/* SPDX-License-Identifier: MIT */
#include "hub/root.h"

#include <stddef.h>

#include "base/error.h"
#include "hub/hub.h"
#include "hub/object.h"
#include "hub/session.h"
#include "platform/door.h"
#include "spawn/runtime.h"

static struct hub_job open_job, close_job;
static handle receiver; /* until the loop has it */
static struct door *door;

static void open_door(struct hub_job *job) {
    (void)job;
    /* Where it fails, whoever knocks finds nobody, and says so. */
    (void)door_open(&door, hub_loop(), receiver, session_begin);
    objects_lock();
    objects_watch_all();
    objects_unlock();
}

/* The objects' lock is held. */
static int make_door(void) {
    handle sender;
    int status = hub_start();
    if (status == 0) {
        status = door_create(&receiver, &sender);
    }
    if (status == 0) {
        runtime.door = sender;
        open_job.run = open_door;
        hub_post(&open_job);
    }
    return status;
}

int root_open_door(void) {
    objects_lock();
    int status = runtime.is_child || runtime.door != HANDLE_INVALID ? 0 : make_door();
    objects_unlock();
    return status;
}

static void close_all(struct hub_job *job) {
    (void)job;
    door_close(door);
    door = NULL;
    sessions_end_all();
    objects_lock();
    objects_unwatch_all();
    objects_unlock();
}

void root_close(void) {
    if (!runtime.is_child && hub_is_running()) {
        close_job.run = close_all;
        hub_post(&close_job);
    }
    hub_stop();
    objects_destroy_all();
    handle_close(runtime.door);
    runtime.door = HANDLE_INVALID;
}
