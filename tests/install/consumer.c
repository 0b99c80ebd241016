/* SPDX-License-Identifier: MIT */
/* A user's program: it asks a child for a number, and gets it. */
#include <mproc.h>
#include <stdio.h>

static void square(mproc_task *task) {
    int number;
    const cJSON *reference;
    if (mproc_task_unpack(task, "(o,i)", &reference, &number) == 0) {
        mproc_connection_send(mproc_task_connection(task, 0), cJSON_CreateNumber(number * number));
    }
}

static const mproc_target targets[] = {MPROC_TARGET(square), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    mproc_connection *a, *b;
    mproc_process *process;
    cJSON *value = NULL;
    if (mproc_init(argc, argv, targets) != 0 || mproc_pipe(&a, &b, false) != 0 ||
        mproc_spawn(&process, square, mproc_pack("[o,i]", mproc_connection_ref(b), 7)) != 0 ||
        mproc_connection_recv(a, &value, 60000) != 0 || mproc_process_join(process, MPROC_FOREVER) != 0) {
        fprintf(stderr, "%s\n", mproc_last_error()->message);
        return 1;
    }
    int ok = value->valueint == 49;
    cJSON_Delete(value);
    mproc_connection_close(a);
    mproc_connection_close(b);
    mproc_process_destroy(process);
    return ok ? 0 : 1;
}
