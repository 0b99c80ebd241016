/* SPDX-License-Identifier: MIT */
#include "platform/self.h"

#include <string.h>
#include <windows.h>

int self_cpu_quota(void) {
    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION control;
    SYSTEM_INFO system;
    memset(&control, 0, sizeof control);
    if (!QueryInformationJobObject(NULL, JobObjectCpuRateControlInformation, &control, sizeof control, NULL) ||
        (control.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_ENABLE) == 0 ||
        (control.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP) == 0) {
        return 0;
    }
    GetSystemInfo(&system);
    /* The rate is in hundredths of a percent of all processors; a part of one counts as one. */
    unsigned long long share = (unsigned long long)control.CpuRate * system.dwNumberOfProcessors;
    return (int)((share + 9999) / 10000);
}

void self_exit_now(int exitcode) {
    (void)TerminateProcess(GetCurrentProcess(), (UINT)exitcode);
}

void self_set_name(const char *name) {
    (void)name; /* process lists show the executable's name */
}

void self_yield(void) {
    (void)SwitchToThread();
}

void self_ignore_interrupt(void) {
    (void)SetConsoleCtrlHandler(NULL, TRUE); /* fails where there is no console, and then there is no Ctrl-C */
}

uint64_t self_unique(void) {
    FILETIME created, ignored;
    uint64_t time = 0;
    if (GetProcessTimes(GetCurrentProcess(), &created, &ignored, &ignored, &ignored)) {
        time = ((uint64_t)created.dwHighDateTime << 32) | created.dwLowDateTime;
    }
    return ((uint64_t)GetCurrentProcessId() << 40) ^ time;
}

void self_block_signals(struct self_signals *saved) {
    memset(saved, 0, sizeof *saved); /* there are none */
}

void self_restore_signals(const struct self_signals *saved) {
    (void)saved;
}
