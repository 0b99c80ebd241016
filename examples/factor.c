/* SPDX-License-Identifier: MIT */
/* Several processes look for a divisor of one number, and the first one that finds any wins: the others are ended. Who waits for
 * "the first of these" calls mproc_wait.
 *
 *     factor [NUMBER [PROCESSES]] */
#include <mproc.h>
#include <stdio.h>
#include <stdlib.h>

#define PROCESSES_MAX 64
#define NUMBER_MAX 9007199254740991.0 /* whole numbers are exact up to here: 2^53 - 1 */

static void check(int status) {
    if (status < 0) {
        fprintf(stderr, "factor: %s\n", mproc_last_error()->message);
        exit(EXIT_FAILURE);
    }
}

/* Tries first, first + step, first + 2 step ... and sends the divisor that it finds, or nothing. */
static void look_for_divisor(mproc_task *task) {
    int64_t number, first, step;
    mproc_connection *answer = mproc_task_connection(task, 0);
    if (answer == NULL || mproc_task_unpack(task, "(o,I,I,I)", NULL, &number, &first, &step) != 0) {
        return;
    }
    for (int64_t divisor = first; divisor <= number / divisor; divisor += step) {
        if (number % divisor == 0) {
            check(mproc_connection_send(answer, cJSON_CreateNumber((double)divisor)));
            return;
        }
    }
}

struct search {
    size_t count; /* of those that have not answered */
    mproc_waitable answers[PROCESSES_MAX];
    mproc_process *processes[PROCESSES_MAX];
};

static void start(struct search *search, int64_t number, int processes) {
    for (int i = 0; i < processes; i++) {
        mproc_connection *theirs;
        check(mproc_pipe(&search->answers[i].connection, &theirs, false));
        check(mproc_spawn(
            &search->processes[i], look_for_divisor,
            mproc_pack("[o,I,I,I]", mproc_connection_ref(theirs), number, (int64_t)i + 2, (int64_t)processes)));
        mproc_connection_close(theirs);
        search->count++;
    }
}

/* Ends one of them, where it has not ended by itself. */
static void finish(struct search *search, size_t index) {
    size_t last = --search->count;
    check(mproc_process_terminate(search->processes[index]));
    check(mproc_process_join(search->processes[index], MPROC_FOREVER));
    mproc_process_destroy(search->processes[index]);
    mproc_connection_close(search->answers[index].connection);
    search->processes[index] = search->processes[last];
    search->answers[index] = search->answers[last];
}

/* The first divisor that anybody has found; 0: nobody has found any. */
static int64_t first_divisor(struct search *search) {
    while (search->count > 0) {
        check(mproc_wait(search->answers, search->count, MPROC_FOREVER));
        for (size_t i = search->count; i-- > 0;) { /* backwards: finish puts the last one in its place */
            cJSON *value = NULL;
            if (!search->answers[i].ready) {
                continue;
            }
            if (mproc_connection_recv(search->answers[i].connection, &value, MPROC_FOREVER) == 0) {
                int64_t divisor = (int64_t)value->valuedouble;
                cJSON_Delete(value);
                return divisor;
            }
            finish(search, i); /* it has ended without an answer */
        }
    }
    return 0;
}

static const mproc_target targets[] = {MPROC_TARGET(look_for_divisor), MPROC_TARGETS_END};

int main(int argc, char **argv) {
    static struct search search;
    check(mproc_init(argc, argv, targets));
    double given = argc > 1 ? atof(argv[1]) : 1000036000099.0;
    int processes = argc > 2 ? atoi(argv[2]) : mproc_cpu_count();
    if (given < 2 || given > NUMBER_MAX || processes < 1) {
        fprintf(stderr, "usage: factor [NUMBER [PROCESSES]], of a number from 2 to %.0f\n", NUMBER_MAX);
        return EXIT_FAILURE;
    }
    int64_t number = (int64_t)given;
    start(&search, number, processes < PROCESSES_MAX ? processes : PROCESSES_MAX);
    int64_t divisor = first_divisor(&search);
    while (search.count > 0) {
        finish(&search, search.count - 1);
    }
    if (divisor == 0) {
        printf("%lld is prime\n", (long long)number);
    } else {
        printf("%lld = %lld * %lld\n", (long long)number, (long long)divisor, (long long)(number / divisor));
    }
    return EXIT_SUCCESS;
}
