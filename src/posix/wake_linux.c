/* SPDX-License-Identifier: MIT */
/* Futexes, shared ones: they are known by what is mapped, not by where. */
#include "platform/wake.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mproc/core.h"
#include "posix/system_error.h"

/* A futex is half a number. */
static const uint32_t *low_half(const atomic_number *number) {
    const uint32_t *halves = (const uint32_t *)(const volatile void *)&number->value;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return &halves[1];
#else
    return &halves[0];
#endif
}

bool wake_is_there(void) {
    return true;
}

int wake_sleep(const atomic_number *number, uint32_t seen, deadline until) {
    struct timespec limit;
    int left = deadline_remaining_ms(until);
    if (left == 0) {
        return MPROC_ETIMEDOUT;
    }
    limit.tv_sec = left / 1000;
    limit.tv_nsec = (long)(left % 1000) * 1000000;
    if (syscall(SYS_futex, low_half(number), FUTEX_WAIT, seen, left < 0 ? NULL : &limit, NULL, 0) == 0 ||
        errno == EAGAIN || errno == EINTR) {
        return 0;
    }
    if (errno == ETIMEDOUT) {
        return deadline_remaining_ms(until) == 0 ? MPROC_ETIMEDOUT : 0;
    }
    return system_error(errno, "cannot wait (futex)");
}

void wake_all(const atomic_number *number) {
    (void)syscall(SYS_futex, low_half(number), FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
