/* SPDX-License-Identifier: MIT */
/* macOS and the BSDs: processes are started by their path, so that process lists name them well, and there are no
 * control groups. */
#include "platform/self.h"

void self_set_name(const char *name) {
    (void)name;
}

int self_cpu_quota(void) {
    return 0;
}
