/* SPDX-License-Identifier: MIT */
/* What calls do before mproc_init, between, and after mproc_shutdown; and what becomes of a child that has no guard. Its
 * argument is the program `unguarded`. */
#include <mproc.h>
#include <stdio.h>
#include <string.h>

static void nothing(mproc_task *task) {
    (void)task;
}

static const mproc_target targets[] = {MPROC_TARGET(nothing), MPROC_TARGETS_END};
static const mproc_target twice[] = {MPROC_TARGET(nothing), MPROC_TARGET(nothing), MPROC_TARGETS_END};
static const mproc_target without_name[] = {{NULL, nothing}, MPROC_TARGETS_END};

static void show(const char *what, int status) {
    printf("%s: %s\n", what, status == 0 ? "0" : mproc_err_name(status));
}

int main(int argc, char **argv) {
    mproc_process *process;
    mproc_connection *a, *b;
    if (argc > 2) { /* a child: it must see its guard before anything is started */
        return mproc_init(argc, argv, targets);
    }
    show("spawn before init", mproc_spawn(&process, nothing, NULL));
    printf("it says what to write: %d\n",
           strstr(mproc_last_error()->message, "mproc_init(argc, argv, targets)") != NULL);
    show("pipe before init", mproc_pipe(&a, &b, true));
    printf("no process before init: %d\n", mproc_current_process() == NULL);
    show("init with a target twice", mproc_init(argc, argv, twice));
    show("init with a target without name", mproc_init(argc, argv, without_name));
    show("init without argv", mproc_init(argc, NULL, targets));
    show("init", mproc_init(argc, argv, targets));
    show("init again", mproc_init(argc, argv, targets));
    show("spawn", mproc_spawn(&process, nothing, NULL));
    show("join", mproc_process_join(process, MPROC_FOREVER));
    mproc_process_destroy(process);
    show("set_executable to nothing there", mproc_set_executable("/there/is/no/such file"));
    show("set_executable to a folder", mproc_set_executable("."));
    show("set_executable to a program without a guard", mproc_set_executable(argv[1]));
    show("spawn it", mproc_spawn(&process, nothing, NULL));
    show("join it", mproc_process_join(process, MPROC_FOREVER));
    mproc_process_destroy(process);
    show("set_executable back", mproc_set_executable(NULL));
    show("spawn", mproc_spawn(&process, nothing, NULL));
    printf("names go on counting: %s\n", mproc_process_name(process));
    mproc_shutdown();
    show("join after shutdown", mproc_process_join(process, 0));
    mproc_process_destroy(process);
    show("spawn after shutdown", mproc_spawn(&process, nothing, NULL));
    show("init after shutdown", mproc_init(argc, argv, targets));
    show("spawn", mproc_spawn(&process, nothing, NULL));
    printf("names begin anew: %s\n", mproc_process_name(process));
    mproc_process_destroy(process);
    return 0;
}
