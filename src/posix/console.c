/* SPDX-License-Identifier: MIT */
/* Terminals here show UTF-8 by themselves. */
#include "platform/console.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/atomic.h"

void console_use_utf8(void) {
}

void console_restore(void) {
}

void console_write_error_line(const char *line) {
    char end = '\n';
    struct iovec parts[2] = {{(void *)(uintptr_t)line, strlen(line)}, {&end, 1}};
    if (writev(STDERR_FILENO, parts, 2) < 0) {
        return; /* there is nowhere to tell it */
    }
}

void console_write_error(const char *text) {
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        return; /* there is nowhere to tell it */
    }
}

bool console_error_is_terminal(void) {
    return isatty(STDERR_FILENO) != 0;
}

/* Guarding a line ---------------------------------------------------------------------------------------------- */

static atomic_number guards;
static struct sigaction interrupt_before;

/* Ends the line, and then the program as the signal would have. */
static void on_interrupt(int number) {
    console_write_error("\n");
    (void)signal(number, SIG_DFL);
    (void)raise(number); /* takes effect when this handler returns */
}

/* An application that has a handler of its own, or ignores the signal, keeps it. */
void console_guard_line(void) {
    struct sigaction ours;
    if (atomic_increase(&guards, 1) > 0 || sigaction(SIGINT, NULL, &interrupt_before) != 0 ||
        interrupt_before.sa_handler != SIG_DFL) {
        return;
    }
    memset(&ours, 0, sizeof ours);
    ours.sa_handler = on_interrupt;
    ours.sa_flags = SA_RESTART;
    (void)sigaction(SIGINT, &ours, NULL); /* cannot fail: the number is good */
}

void console_release_line(void) {
    struct sigaction present;
    if (atomic_increase(&guards, UINT64_MAX) == 1 && sigaction(SIGINT, NULL, &present) == 0 &&
        present.sa_handler == on_interrupt) {
        (void)sigaction(SIGINT, &interrupt_before, NULL);
    }
}
