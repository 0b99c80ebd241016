/* SPDX-License-Identifier: MIT */
/* Runs a command for each line of its input, several at a time, and keeps the output of each together and in order: a small
 * `xargs -P`.
 *
 *     pmap [-j N] COMMAND {} ... < list
 *
 * {} stands for the line, and is added at the end where the command has none. The exit code is not 0 where that of any
 * command is not. */
#include <mproc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* So many commands are ahead of the one whose output is next, for each that runs. */
#define AHEAD 4

static void die(const char *message) {
    fprintf(stderr, "pmap: %s\n", message);
    exit(EXIT_FAILURE);
}

static void *allocate(size_t size) {
    void *block = calloc(1, size > 0 ? size : 1);
    if (block == NULL) {
        die("out of memory");
    }
    return block;
}

/* In a worker --------------------------------------------------------------------------------------------------- */

/* The text with each {} replaced; to be freed. */
static char *substitute(const char *text, const char *line, bool *found) {
    size_t count = 0, length = strlen(line);
    for (const char *place = text; (place = strstr(place, "{}")) != NULL; place += 2) {
        count++;
    }
    char *result = allocate(strlen(text) + count * length + 1), *end = result;
    for (const char *place; (place = strstr(text, "{}")) != NULL; text = place + 2) {
        memcpy(end, text, (size_t)(place - text));
        end += place - text;
        memcpy(end, line, length);
        end += length;
    }
    memcpy(end, text, strlen(text) + 1);
    *found = *found || count > 0;
    return result;
}

/* The command for a line, ended by NULL. */
static char **create_command(const cJSON *command, const char *line) {
    char **argv = allocate(((size_t)cJSON_GetArraySize(command) + 2) * sizeof *argv);
    const cJSON *part;
    size_t count = 0;
    bool found = false;
    cJSON_ArrayForEach(part, command) {
        argv[count++] = substitute(part->valuestring, line, &found);
    }
    if (!found) {
        argv[count] = substitute("{}", line, &found);
    }
    return argv;
}

/* What a job returns: this, and then its output and error output. */
struct outcome {
    int returncode;
    size_t out_size, err_size;
};

static void run_job(mproc_task *task) {
    const cJSON *command;
    const char *line;
    mproc_completed completed = {0};
    mproc_popen_options options = {0};
    if (mproc_task_unpack(task, "(o,s)", &command, &line) != 0) {
        return;
    }
    char **argv = create_command(command, line);
    options.argv = (const char *const *)argv;
    options.in.kind = MPROC_DEVNULL;
    options.out.kind = options.err.kind = MPROC_PIPE;
    if (mproc_run(&options, NULL, 0, &completed, MPROC_FOREVER) != 0) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
    } else {
        struct outcome outcome = {completed.returncode, completed.out_size, completed.err_size};
        char *result = allocate(sizeof outcome + completed.out_size + completed.err_size);
        memcpy(result, &outcome, sizeof outcome);
        memcpy(result + sizeof outcome, completed.out, completed.out_size);
        memcpy(result + sizeof outcome + completed.out_size, completed.err, completed.err_size);
        mproc_task_return_bytes(task, result, sizeof outcome + completed.out_size + completed.err_size);
        free(result);
    }
    mproc_completed_clear(&completed);
    for (size_t i = 0; argv[i] != NULL; i++) {
        free(argv[i]);
    }
    free(argv);
}

/* Progress ------------------------------------------------------------------------------------------------------ */

struct progress {
    bool is_shown;
    size_t done, total;
};

static void hide(const struct progress *progress) {
    if (progress->is_shown) {
        fputs("\r\x1b[K", stderr);
    }
}

static void show(const struct progress *progress) {
    if (progress->is_shown) {
        size_t filled = progress->total > 0 ? progress->done * 30 / progress->total : 30;
        fprintf(stderr, "\rpmap [%.*s%.*s] %llu/%llu", (int)filled, "##############################",
                (int)(30 - filled), "..............................", (unsigned long long)progress->done,
                (unsigned long long)progress->total);
        fflush(stderr);
    }
}

/* Ctrl-C at a terminal ends pmap, and with it all that it has started, as it would without this; but the bar goes first. */
static void end_by_interrupt(uv_signal_t *watcher, int number) {
    hide(watcher->data);
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_for_interrupt(void *progress) {
    static uv_loop_t loop;
    static uv_signal_t watcher;
    watcher.data = progress;
    if (uv_loop_init(&loop) == 0 && uv_signal_init(&loop, &watcher) == 0 &&
        uv_signal_start(&watcher, end_by_interrupt, SIGINT) == 0) {
        uv_run(&loop, UV_RUN_DEFAULT);
    }
}

/* All of it ----------------------------------------------------------------------------------------------------- */

struct lines {
    char **list;
    size_t count, capacity;
};

/* The next line of the input without its end; NULL: there is none. */
static char *read_line(void) {
    size_t size = 0, capacity = 128;
    char *line = allocate(capacity);
    int character;
    while ((character = getchar()) != EOF && character != '\n') {
        if (size + 1 == capacity) {
            capacity *= 2;
            line = realloc(line, capacity);
            if (line == NULL) {
                die("out of memory");
            }
        }
        line[size++] = (char)character;
    }
    if (size == 0 && character == EOF) {
        free(line);
        return NULL;
    }
    if (size > 0 && line[size - 1] == '\r') {
        size--;
    }
    line[size] = '\0';
    return line;
}

static void read_lines(struct lines *lines) {
    char *line;
    while ((line = read_line()) != NULL) {
        if (lines->count == lines->capacity) {
            lines->capacity = lines->capacity > 0 ? 2 * lines->capacity : 64;
            lines->list = realloc(lines->list, lines->capacity * sizeof *lines->list);
            if (lines->list == NULL) {
                die("out of memory");
            }
        }
        lines->list[lines->count++] = line;
    }
}

static mproc_async_result *submit(mproc_pool *pool, const cJSON *command, const char *line) {
    mproc_async_result *result = NULL;
    if (mproc_pool_apply_async(pool, run_job, mproc_pack("[o,s]", cJSON_Duplicate(command, 1), line), NULL, &result) !=
        0) {
        die(mproc_last_error()->message);
    }
    return result;
}

/* Prints what the job wrote; whether it succeeded. */
static bool print_outcome(mproc_async_result *result) {
    const void *data;
    size_t size;
    struct outcome outcome;
    if (mproc_async_result_get_bytes(result, &data, &size, MPROC_FOREVER) != 0) {
        fprintf(stderr, "pmap: %s\n", mproc_last_error()->message);
        return false;
    }
    memcpy(&outcome, data, sizeof outcome);
    const char *text = (const char *)data + sizeof outcome;
    fwrite(text, 1, outcome.out_size, stdout);
    fflush(stdout);
    fwrite(text + outcome.out_size, 1, outcome.err_size, stderr);
    return outcome.returncode == 0;
}

static bool run_all(int processes, const cJSON *command, const struct lines *lines) {
    mproc_pool *pool;
    mproc_async_result **results = allocate(lines->count * sizeof(mproc_async_result *));
    static struct progress progress; /* for as long as Ctrl-C may come */
    uv_thread_t watch;
    size_t submitted = 0;
    bool succeeded = true;
    progress.is_shown = uv_guess_handle(2) == UV_TTY;
    progress.total = lines->count;
    if (progress.is_shown && uv_thread_create(&watch, watch_for_interrupt, &progress) != 0) {
        die("cannot start a thread");
    }
    if (mproc_pool_create(&pool, processes, NULL) != 0) {
        die(mproc_last_error()->message);
    }
    while (progress.done < lines->count) {
        while (submitted < lines->count && submitted < progress.done + (size_t)processes * AHEAD) {
            results[submitted] = submit(pool, command, lines->list[submitted]);
            submitted++;
        }
        show(&progress);
        (void)mproc_async_result_wait(results[progress.done], MPROC_FOREVER);
        hide(&progress);
        succeeded = print_outcome(results[progress.done]) && succeeded;
        mproc_async_result_destroy(results[progress.done++]);
    }
    mproc_pool_destroy(pool);
    free(results);
    return succeeded;
}

static const mproc_target targets[] = {MPROC_TARGET(run_job), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    struct lines lines = {NULL, 0, 0};
    int first = 1, processes = mproc_cpu_count();
    if (mproc_init(argc, argv, targets) != 0) {
        die(mproc_last_error()->message);
    }
    if (argc > 2 && strcmp(argv[1], "-j") == 0) {
        processes = atoi(argv[2]);
        first = 3;
    }
    if (first >= argc || processes < 1) {
        die("usage: pmap [-j N] COMMAND {} ... < list");
    }
    cJSON *command = cJSON_CreateStringArray((const char *const *)(argv + first), argc - first);
    read_lines(&lines);
    bool succeeded = run_all(processes, command, &lines);
    cJSON_Delete(command);
    for (size_t i = 0; i < lines.count; i++) {
        free(lines.list[i]);
    }
    free(lines.list);
    return succeeded ? EXIT_SUCCESS : EXIT_FAILURE;
}
