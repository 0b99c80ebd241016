/* SPDX-License-Identifier: MIT */
/* What starting and joining a process costs: mproc's with an empty target, and the system's own with this same executable,
 * which ends at once; alternating, from a small parent and from one that has touched 4 GiB. Python's spawn beside it.
 *
 *     bench_spawn [ROUNDS [GIBIBYTES]] */
#include <mproc.h>
#include <string.h>
#include <uv.h>

#include "bare.h"
#include "bench.h"

#define EACH 50 /* processes a round */
#define END_AT_ONCE "--end-at-once"

static const char python[] =
    "import multiprocessing, time\n"
    "def f(): pass\n"
    "if __name__ == '__main__':\n"
    "    c = multiprocessing.get_context('spawn')\n"
    "    t = []\n"
    "    for i in range(11):\n"
    "        s = time.perf_counter(); p = c.Process(target=f); p.start(); p.join(); t.append(time.perf_counter() - s)\n"
    "    print(sorted(t)[5] * 1000)\n";

static void nothing(mproc_task *task) {
    (void)task;
}

/* Says that it is there, and then waits for a message that does not come. */
static void idle(mproc_task *task) {
    cJSON *value;
    mproc_connection *connection = mproc_task_connection(task, 0);
    if (connection != NULL && mproc_connection_send(connection, cJSON_CreateTrue()) == 0 &&
        mproc_connection_recv(connection, &value, MPROC_FOREVER) == 0) {
        cJSON_Delete(value);
    }
}

static const mproc_target targets[] = {MPROC_TARGET(nothing), MPROC_TARGET(idle), MPROC_TARGETS_END};

static char self[4096];

static double bare_round(void) {
    double start = mproc_time();
    for (int i = 0; i < EACH; i++) {
        if (bare_spawn_and_wait(self, END_AT_ONCE) != 0) {
            fprintf(stderr, "bench_spawn: cannot start %s\n", self);
            exit(1);
        }
    }
    return (mproc_time() - start) * 1000 / EACH;
}

static double mproc_round(void) {
    double start = mproc_time();
    for (int i = 0; i < EACH; i++) {
        mproc_process *process;
        if (mproc_spawn(&process, nothing, NULL) != 0 || mproc_process_join(process, MPROC_FOREVER) != 0) {
            fprintf(stderr, "bench_spawn: %s\n", mproc_last_error()->message);
            exit(1);
        }
        mproc_process_destroy(process);
    }
    return (mproc_time() - start) * 1000 / EACH;
}

static void measure_idle(void) {
    enum { COUNT = 16 };
    mproc_connection *connections[COUNT];
    mproc_process *processes[COUNT];
    struct bench_series memory = {"private memory of an idle child", {0}, 0};
    int before = bare_open_descriptors();
    for (int i = 0; i < COUNT; i++) {
        mproc_connection *theirs;
        cJSON *value;
        if (mproc_pipe(&connections[i], &theirs, true) != 0 ||
            mproc_spawn(&processes[i], idle, mproc_pack("[o]", mproc_connection_ref(theirs))) != 0 ||
            mproc_connection_recv(connections[i], &value, MPROC_FOREVER) != 0) {
            fprintf(stderr, "bench_spawn: %s\n", mproc_last_error()->message);
            exit(1);
        }
        cJSON_Delete(value);
        mproc_connection_close(theirs);
        long kibibytes = bare_private_kibibytes(mproc_process_pid(processes[i]));
        if (kibibytes > 0) {
            bench_add(&memory, (double)kibibytes);
        }
    }
    int connection_descriptors = 3 * COUNT; /* of this benchmark's own pipes to its children */
    if (before >= 0) {
        printf("descriptors in the parent for each child: %.2f\n",
               (double)(bare_open_descriptors() - before - connection_descriptors) / (double)COUNT);
    }
    bench_print(&memory, NULL, "KiB");
    for (int i = 0; i < COUNT; i++) {
        mproc_connection_close(connections[i]);
        mproc_process_join(processes[i], MPROC_FOREVER);
        mproc_process_destroy(processes[i]);
    }
}

int main(int argc, char **argv) {
    size_t size = sizeof self;
    if (argc > 1 && strcmp(argv[1], END_AT_ONCE) == 0) {
        return 0;
    }
    if (mproc_init(argc, argv, targets) != 0 || uv_exepath(self, &size) != 0) {
        fprintf(stderr, "bench_spawn: %s\n", mproc_last_error()->message);
        return 1;
    }
    int rounds = argc > 1 ? atoi(argv[1]) : 11;
    size_t gibibytes = argc > 2 ? (size_t)atoi(argv[2]) : 4;
    printf("start and join, %d rounds of %d processes each\n", rounds, EACH);
    bench_by_turns(rounds, "the system's own", bare_round, "mproc", mproc_round, "ms");
    char *memory = gibibytes > 0 ? malloc(gibibytes << 30) : NULL;
    if (memory != NULL) {
        memset(memory, 1, gibibytes << 30);
        bench_by_turns(rounds, "the system's own, from a parent of 4 GiB", bare_round, "mproc, from a parent of 4 GiB",
                       mproc_round, "ms");
        free(memory);
    }
    struct bench_series beside = {"Python's spawn", {0}, 0};
    double number = bare_python_number(python);
    if (number > 0) {
        bench_add(&beside, number);
    }
    bench_print(&beside, NULL, "ms");
    measure_idle();
    return 0;
}
