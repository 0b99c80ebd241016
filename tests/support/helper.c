/* SPDX-License-Identifier: MIT */
#include "support/helper.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "support/system.h"

#define CHUNK 65536

static long read_some(char *data, size_t size) {
    uv_fs_t request;
    uv_buf_t buffer = uv_buf_init(data, (unsigned)size);
    long count = (long)uv_fs_read(NULL, &request, 0, &buffer, 1, -1, NULL);
    uv_fs_req_cleanup(&request);
    return count;
}

static void write_all(int file, const char *data, size_t size) {
    while (size > 0) {
        uv_fs_t request;
        uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)data, (unsigned)size);
        long count = (long)uv_fs_write(NULL, &request, file, &buffer, 1, -1, NULL);
        uv_fs_req_cleanup(&request);
        if (count <= 0) {
            exit(90);
        }
        data += count;
        size -= (size_t)count;
    }
}

static void write_text(int file, const char *text) {
    write_all(file, text, strlen(text));
}

static int copy_input(void) {
    static char data[CHUNK];
    long count;
    while ((count = read_some(data, sizeof data)) > 0) {
        write_all(1, data, (size_t)count);
    }
    return 0;
}

/* Writes so many mebibytes before it reads anything; then tells how many it has read. */
static int write_then_read(int mebibytes) {
    static char data[1 << 20];
    unsigned long long total = 0;
    long count;
    memset(data, 'w', sizeof data);
    for (int i = 0; i < mebibytes; i++) {
        write_all(1, data, sizeof data);
    }
    while ((count = read_some(data, sizeof data)) > 0) {
        total += (unsigned long long)count;
    }
    (void)snprintf(data, sizeof data, "%llu", total);
    write_text(2, data);
    return 0;
}

/* Each argument with its length in front, which no quoting can imitate. */
static int tell_arguments(int argc, char **argv) {
    char length[32];
    for (int i = 0; i < argc; i++) {
        (void)snprintf(length, sizeof length, "%u:", (unsigned)strlen(argv[i]));
        write_text(1, length);
        write_text(1, argv[i]);
    }
    return 0;
}

static int tell_folder(void) {
    char folder[4096];
    size_t size = sizeof folder;
    if (uv_cwd(folder, &size) != 0) {
        return 91;
    }
    write_text(1, folder);
    return 0;
}

static int tell_variable(const char *name) {
    char value[4096];
    size_t size = sizeof value;
    write_text(1, uv_os_getenv(name, value, &size) == 0 ? value : "(not set)");
    return 0;
}

/* "3+4\n" is answered by "7\n", one line at a time. */
static int calculate(void) {
    char line[256], answer[64];
    size_t used = 0;
    while (used < sizeof line - 1 && read_some(line + used, 1) == 1) {
        int a, b;
        used++;
        if (line[used - 1] != '\n') {
            continue;
        }
        line[used] = '\0';
        used = 0;
        if (sscanf(line, "%d+%d", &a, &b) != 2) {
            return 93;
        }
        (void)snprintf(answer, sizeof answer, "%d\n", a + b);
        write_text(1, answer);
    }
    return 0;
}

static void sleep_long(void) {
    uv_sleep(600 * 1000);
}

static void ignore_exit(uv_process_t *process, int64_t status, int signal_number) {
    (void)process;
    (void)status;
    (void)signal_number;
}

/* Starts one that sleeps and has this one's streams, tells its pid, and sleeps. */
static int start_sleeper(void) {
    char *arguments[] = {(char *)(uintptr_t)helper_path(), (char *)(uintptr_t)HELPER_OPTION,
                         (char *)(uintptr_t) "sleep", NULL};
    uv_stdio_container_t streams[3];
    uv_process_options_t options;
    uv_process_t process;
    char text[32];
    memset(&options, 0, sizeof options);
    for (int i = 0; i < 3; i++) {
        streams[i].flags = UV_INHERIT_FD;
        streams[i].data.fd = i;
    }
    options.file = arguments[0];
    options.args = arguments;
    options.stdio = streams;
    options.stdio_count = 3;
    options.exit_cb = ignore_exit;
    if (uv_spawn(uv_default_loop(), &process, &options) != 0) {
        return 92;
    }
    (void)snprintf(text, sizeof text, "%d\n", process.pid);
    write_text(1, text);
    sleep_long();
    return 0;
}

bool helper_is_wanted(int argc, char **argv) {
    return argc > 2 && strcmp(argv[1], HELPER_OPTION) == 0;
}

int helper_main(int argc, char **argv) {
    system_arguments(&argc, &argv);
    const char *what = argv[2];
    const char *argument = argc > 3 ? argv[3] : "";
    if (strcmp(what, "exit") == 0) {
        return atoi(argument);
    }
    if (strcmp(what, "print") == 0) {
        write_text(1, argument);
        write_text(2, argc > 4 ? argv[4] : "");
        return 0;
    }
    if (strcmp(what, "print and sleep") == 0) {
        write_text(1, argument);
        sleep_long();
    }
    if (strcmp(what, "sleep") == 0) {
        sleep_long();
    }
    if (strcmp(what, "copy") == 0) {
        return copy_input();
    }
    if (strcmp(what, "write then read") == 0) {
        return write_then_read(atoi(argument));
    }
    if (strcmp(what, "arguments") == 0) {
        return tell_arguments(argc - 3, argv + 3);
    }
    if (strcmp(what, "folder") == 0) {
        return tell_folder();
    }
    if (strcmp(what, "variable") == 0) {
        return tell_variable(argument);
    }
    if (strcmp(what, "calculate") == 0) {
        return calculate();
    }
    if (strcmp(what, "start sleeper") == 0) {
        return start_sleeper();
    }
    return 99;
}

const char *helper_path(void) {
    static char path[4096];
    size_t size = sizeof path;
    if (path[0] == '\0' && uv_exepath(path, &size) != 0) {
        abort();
    }
    return path;
}
