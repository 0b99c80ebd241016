/* SPDX-License-Identifier: MIT */
#include "hub/hub.h"

#include "base/error.h"
#include "platform/self.h"

struct hub {
    uv_mutex_t mutex; /* of the list and `running` */
    struct hub_job *first, *last;
    bool running;
    uv_loop_t loop;
    uv_async_t wake;
    uv_thread_t thread;
    struct hub_job stop;
};

static struct hub hub;
static uv_once_t once = UV_ONCE_INIT;

static void create_mutex(void) {
    (void)uv_mutex_init(&hub.mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
}

static void lock(void) {
    uv_once(&once, create_mutex);
    uv_mutex_lock(&hub.mutex);
}

static void unlock(void) {
    uv_mutex_unlock(&hub.mutex);
}

static void on_wake(uv_async_t *wake) {
    (void)wake;
    lock();
    struct hub_job *job = hub.first;
    hub.first = hub.last = NULL;
    unlock();
    while (job != NULL) {
        struct hub_job *next = job->next;
        job->run(job);
        job = next;
    }
}

static void run_loop(void *unused) {
    (void)unused;
    (void)uv_run(&hub.loop, UV_RUN_DEFAULT); /* ends when all handles have been closed */
}

/* The lock is held. */
static int start_thread(void) {
    struct self_signals signals;
    int error = uv_loop_init(&hub.loop);
    if (error != 0) {
        return error_set(MPROC_ESYSTEM, error, "cannot make the hub's event loop: %s", uv_strerror(error));
    }
    error = uv_async_init(&hub.loop, &hub.wake, on_wake);
    if (error == 0) {
        self_block_signals(&signals);
        error = uv_thread_create(&hub.thread, run_loop, NULL);
        self_restore_signals(&signals);
        if (error != 0) {
            uv_close((uv_handle_t *)&hub.wake, NULL);
            (void)uv_run(&hub.loop, UV_RUN_DEFAULT); /* carries the close out */
        }
    }
    if (error != 0) {
        (void)uv_loop_close(&hub.loop);
        return error_set(MPROC_ESYSTEM, error, "cannot start the hub's thread: %s", uv_strerror(error));
    }
    hub.running = true;
    return 0;
}

int hub_start(void) {
    lock();
    int status = hub.running ? 0 : start_thread();
    unlock();
    return status;
}

bool hub_is_running(void) {
    lock();
    bool running = hub.running;
    unlock();
    return running;
}

void hub_post(struct hub_job *job) {
    job->next = NULL;
    lock();
    if (hub.last != NULL) {
        hub.last->next = job;
    } else {
        hub.first = job;
    }
    hub.last = job;
    (void)uv_async_send(&hub.wake); /* fails for a closed handle only */
    unlock();
}

/* A function that is waited for. */
struct errand {
    struct hub_job job;
    void (*run)(void *context);
    void *context;
    uv_sem_t done;
};

static void run_errand(struct hub_job *job) {
    struct errand *errand = (struct errand *)job; /* its first member */
    errand->run(errand->context);
    uv_sem_post(&errand->done);
}

void hub_run(void (*run)(void *context), void *context) {
    struct errand errand;
    errand.job.run = run_errand;
    errand.run = run;
    errand.context = context;
    (void)uv_sem_init(&errand.done, 0); /* fails for want of memory at most, and then libuv's wait ends the program */
    hub_post(&errand.job);
    uv_sem_wait(&errand.done);
    uv_sem_destroy(&errand.done);
}

uv_loop_t *hub_loop(void) {
    return &hub.loop;
}

static void close_wake(struct hub_job *job) {
    (void)job;
    uv_close((uv_handle_t *)&hub.wake, NULL);
}

void hub_stop(void) {
    if (!hub_is_running()) {
        return;
    }
    hub.stop.run = close_wake;
    hub_post(&hub.stop);
    (void)uv_thread_join(&hub.thread);
    lock();
    hub.running = false;
    (void)uv_loop_close(&hub.loop); /* nothing is left in it */
    unlock();
}
