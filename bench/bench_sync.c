/* SPDX-License-Identifier: MIT */
/* What a lock costs: alone, against a second process, and handed over by turns; beside the system's own, and Python's.
 *
 *     bench_sync [ROUNDS] */
#include <mproc.h>
#include <string.h>

#include "bare.h"
#include "bench.h"

/* So often; fewer times where there are no futexes: the system's own lock is slow there, and so is waiting. */
static int alone_times = 1000000, contended_times = 200000, handover_times = 20000;

static const char python_alone[] = "import multiprocessing, time\n"
                                   "l = multiprocessing.get_context('spawn').Lock()\n"
                                   "t = []\n"
                                   "for i in range(7):\n"
                                   "    s = time.perf_counter()\n"
                                   "    for j in range(100000): l.acquire(); l.release()\n"
                                   "    t.append(time.perf_counter() - s)\n"
                                   "print(sorted(t)[3] * 1e9 / 100000)\n";

static const char python_handover[] = "import multiprocessing, time\n"
                                      "N = 20000\n"
                                      "def f(a, b):\n"
                                      "    for i in range(N): a.acquire(); b.release()\n"
                                      "if __name__ == '__main__':\n"
                                      "    c = multiprocessing.get_context('spawn')\n"
                                      "    a, b, g = c.Semaphore(0), c.Semaphore(0), c.Event()\n"
                                      "    p = c.Process(target=f, args=(a, b)); p.start()\n"
                                      "    a.release(); b.acquire()\n"
                                      "    s = time.perf_counter()\n"
                                      "    for i in range(N - 1): a.release(); b.acquire()\n"
                                      "    print((time.perf_counter() - s) * 1e6 / (N - 1)); p.join()\n";

static void check(int status) {
    if (status != 0) {
        fprintf(stderr, "bench_sync: %s\n", mproc_last_error()->message);
        exit(1);
    }
}

static void use_lock(mproc_lock *lock, int times) {
    for (int i = 0; i < times; i++) {
        check(mproc_lock_acquire(lock, MPROC_FOREVER));
        check(mproc_lock_release(lock));
    }
}

/* Children ----------------------------------------------------------------------------------------------------- */

static void contend(mproc_task *task) {
    mproc_lock *lock = mproc_task_lock(task, 0);
    mproc_barrier *barrier = mproc_task_barrier(task, 1);
    int times;
    if (lock != NULL && barrier != NULL && mproc_task_unpack(task, "(o,o,i)", NULL, NULL, &times) == 0 &&
        mproc_barrier_wait(barrier, MPROC_FOREVER) >= 0) {
        use_lock(lock, times);
        (void)mproc_barrier_wait(barrier, MPROC_FOREVER);
    }
}

static void answer(mproc_task *task) {
    mproc_semaphore *question = mproc_task_semaphore(task, 0), *reply = mproc_task_semaphore(task, 1);
    int times;
    if (question == NULL || reply == NULL || mproc_task_unpack(task, "(o,o,i)", NULL, NULL, &times) != 0) {
        return;
    }
    for (int i = 0; i <= times; i++) {
        check(mproc_semaphore_acquire(question, MPROC_FOREVER));
        check(mproc_semaphore_release(reply));
    }
}

static const mproc_target targets[] = {MPROC_TARGET(contend), MPROC_TARGET(answer), MPROC_TARGETS_END};

/* Parent ------------------------------------------------------------------------------------------------------- */

static double alone(void) {
    mproc_lock *lock;
    check(mproc_lock_create(&lock, false));
    double start = mproc_time();
    use_lock(lock, alone_times);
    double taken = mproc_time() - start;
    mproc_lock_destroy(lock);
    return taken * 1e9 / alone_times;
}

static double contended(void) {
    mproc_lock *lock;
    mproc_barrier *barrier;
    mproc_process *process;
    check(mproc_lock_create(&lock, false));
    check(mproc_barrier_create(&barrier, 2));
    check(mproc_spawn(&process, contend,
                      mproc_pack("[o,o,i]", mproc_lock_ref(lock), mproc_barrier_ref(barrier), contended_times)));
    (void)mproc_barrier_wait(barrier, MPROC_FOREVER);
    double start = mproc_time();
    use_lock(lock, contended_times);
    (void)mproc_barrier_wait(barrier, MPROC_FOREVER);
    double taken = mproc_time() - start;
    check(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_destroy(process);
    mproc_barrier_destroy(barrier);
    mproc_lock_destroy(lock);
    return 2.0 * contended_times / taken / 1e6;
}

static double handover(void) {
    mproc_semaphore *question, *reply;
    mproc_process *process;
    check(mproc_semaphore_create(&question, 0, 0));
    check(mproc_semaphore_create(&reply, 0, 0));
    check(
        mproc_spawn(&process, answer,
                    mproc_pack("[o,o,i]", mproc_semaphore_ref(question), mproc_semaphore_ref(reply), handover_times)));
    double start = 0;
    for (int i = 0; i <= handover_times; i++) { /* the first one waits for the process */
        check(mproc_semaphore_release(question));
        check(mproc_semaphore_acquire(reply, MPROC_FOREVER));
        start = i == 0 ? mproc_time() : start;
    }
    double taken = mproc_time() - start;
    check(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_destroy(process);
    mproc_semaphore_destroy(question);
    mproc_semaphore_destroy(reply);
    return taken * 1e6 / handover_times;
}

static void add_if_there(struct bench_series *series, double value) {
    if (value >= 0) {
        bench_add(series, value);
    }
}

static void measure_python(const char *name, const char *script, struct bench_series *base, const char *unit) {
    struct bench_series series = {name, {0}, 0};
    add_if_there(&series, bare_python_number(script));
    bench_print(&series, base, unit);
}

int main(int argc, char **argv) {
    check(mproc_init(argc, argv, targets));
    int rounds = argc > 1 ? atoi(argv[1]) : 11;
    if (bare_handover(1) < 0) {
        alone_times /= 50;
        contended_times /= 100;
        handover_times /= 20;
    }
    struct bench_series plain = {"alone: a process-shared mutex", {0}, 0};
    struct bench_series robust = {"alone: one that survives its holder", {0}, 0};
    struct bench_series ours = {"alone: mproc_lock", {0}, 0};
    struct bench_series contended_plain = {"two processes: a process-shared mutex", {0}, 0};
    struct bench_series contended_robust = {"two processes: one that survives its holder", {0}, 0};
    struct bench_series contended_ours = {"two processes: mproc_lock", {0}, 0};
    struct bench_series futex = {"by turns, there and back: futexes", {0}, 0};
    struct bench_series semaphores = {"by turns: mproc_semaphore", {0}, 0};
    for (int i = 0; i < rounds; i++) {
        add_if_there(&plain, bare_lock_alone(alone_times, 0));
        add_if_there(&robust, bare_lock_alone(alone_times, 1));
        bench_add(&ours, alone());
        add_if_there(&contended_plain, bare_lock_contended(contended_times, 0));
        add_if_there(&contended_robust, bare_lock_contended(contended_times, 1));
        bench_add(&contended_ours, contended());
        add_if_there(&futex, bare_handover(handover_times));
        bench_add(&semaphores, handover());
    }
    bench_print(&plain, NULL, "ns");
    bench_print(&robust, &plain, "ns");
    bench_print(&ours, plain.count > 0 ? &plain : &robust, "ns");
    measure_python("alone: Python's Lock", python_alone, &plain, "ns");
    bench_print(&contended_plain, NULL, "M/s");
    bench_print(&contended_robust, &contended_plain, "M/s");
    bench_print(&contended_ours, &contended_plain, "M/s");
    bench_print(&futex, NULL, "us");
    bench_print(&semaphores, &futex, "us");
    measure_python("by turns: Python's Semaphore", python_handover, &futex, "us");
    return 0;
}
