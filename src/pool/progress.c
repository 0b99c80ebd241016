/* SPDX-License-Identifier: MIT */
/* The progress of a map on standard error: a bar that is redrawn where that is a terminal, a line now and then otherwise. */
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "platform/console.h"
#include "pool/pool.h"

#define LINE_PERIOD UINT64_C(10000000000)
#define BAR_PERIOD UINT64_C(100000000)
#define BAR_WIDTH 30
#define LABEL_MAX 60

struct progress {
    size_t total;
    uint64_t begun_at, drawn_at;
    bool is_terminal;
    bool is_drawn;
    char label[LABEL_MAX + 1];
};

struct progress *progress_create(const char *label, size_t total, uint64_t now) {
    struct progress *progress = memory_allocate(sizeof *progress);
    if (progress != NULL) {
        progress->total = total;
        progress->begun_at = progress->drawn_at = now;
        progress->is_terminal = console_error_is_terminal();
        (void)snprintf(progress->label, sizeof progress->label, "%s", label);
        if (progress->is_terminal) {
            console_guard_line();
        }
    }
    return progress;
}

void progress_destroy(struct progress *progress) {
    memory_free(progress);
}

/* "1:02:03", "2:03" */
static void write_time(char *text, size_t size, double seconds) {
    unsigned long whole = seconds < 359999 ? (unsigned long)seconds : 359999;
    if (whole >= 3600) {
        (void)snprintf(text, size, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    } else {
        (void)snprintf(text, size, "%lu:%02lu", whole / 60, whole % 60);
    }
}

/* "label  12/100  3.4/s  0:26 left" */
static void write_text(const struct progress *progress, size_t done, uint64_t now, const char *bar, char *text,
                       size_t size) {
    char time[32];
    double passed = (double)(now - progress->begun_at) / 1e9;
    double rate = passed > 0 ? (double)done / passed : 0;
    bool is_over = done >= progress->total;
    write_time(time, sizeof time, is_over ? passed : rate > 0 ? (double)(progress->total - done) / rate : 0);
    (void)snprintf(text, size, "%s %s%llu/%llu  %.*f/s  %s%s", progress->label, bar, (unsigned long long)done,
                   (unsigned long long)progress->total, rate < 10 ? 1 : 0, rate, is_over || rate > 0 ? time : "?",
                   is_over ? "" : " left");
}

static void draw_bar(struct progress *progress, size_t done, uint64_t now, bool is_last) {
    char bar[BAR_WIDTH + 4], text[300], line[320];
    size_t filled = progress->total > 0 ? done * BAR_WIDTH / progress->total : BAR_WIDTH;
    bar[0] = '[';
    memset(bar + 1, '#', filled);
    memset(bar + 1 + filled, '.', BAR_WIDTH - filled);
    memcpy(bar + 1 + BAR_WIDTH, "] ", 3);
    write_text(progress, done, now, bar, text, sizeof text);
    (void)snprintf(line, sizeof line, "\r%s\x1b[K%s", text, is_last ? "\n" : "");
    console_write_error(line);
}

static void draw_line(struct progress *progress, size_t done, uint64_t now) {
    char text[300];
    write_text(progress, done, now, "", text, sizeof text);
    console_write_error_line(text);
}

void progress_draw(struct progress *progress, size_t done, uint64_t now, bool is_last) {
    if (progress->is_terminal) {
        if (is_last || !progress->is_drawn || now - progress->drawn_at >= BAR_PERIOD) {
            draw_bar(progress, done, now, is_last);
            progress->drawn_at = now;
            progress->is_drawn = true;
        }
        if (is_last) {
            console_release_line();
        }
    } else if (is_last ? progress->is_drawn : now - progress->drawn_at >= LINE_PERIOD) {
        draw_line(progress, done, now);
        progress->drawn_at = now;
        progress->is_drawn = true;
    }
}
