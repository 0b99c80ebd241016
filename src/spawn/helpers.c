/* SPDX-License-Identifier: MIT */
/* The little helpers of core.h. */
#include <uv.h>

#include "mproc/core.h"
#include "platform/self.h"

/* uv_sleep takes 32 bits. */
#define SLEEP_MAX_MS ((int64_t)1 << 30)

int mproc_getpid(void) {
    return (int)uv_os_getpid();
}

int mproc_getppid(void) {
    return (int)uv_os_getppid();
}

int mproc_cpu_count(void) {
    int affine = (int)uv_available_parallelism();
    int quota = self_cpu_quota();
    return quota > 0 && quota < affine ? quota : affine;
}

void mproc_sleep(int64_t ms) {
    while (ms > 0) {
        int64_t step = ms < SLEEP_MAX_MS ? ms : SLEEP_MAX_MS;
        uv_sleep((unsigned)step);
        ms -= step;
    }
}

double mproc_time(void) {
    return (double)uv_hrtime() / 1e9;
}
