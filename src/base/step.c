/* SPDX-License-Identifier: MIT */
/* In the tests' build only. */
#include "base/step.h"

void (*step_hook)(void);
void (*step_saw_hook)(uint64_t value);
