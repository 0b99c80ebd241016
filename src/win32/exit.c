/* SPDX-License-Identifier: MIT */
/* Windows has no signals: a process that is ended from outside gets an exit code from whoever ends it. mproc gives codes
 * of its own, "mp" and the signal's number, and reads exactly these back as the signal; so 15 or 9 themselves stay what a
 * program may exit with. */
#include "platform/exit.h"

#include <windows.h>

#include <string.h>

#include "base/error.h"
#include "win32/system_error.h"
#include "win32/wait_until.h"

#define CODE_MARK 0x6D700000u

int exit_watch(int pid, handle *watch) {
    HANDLE process = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)pid);
    if (process == NULL) {
        DWORD number = GetLastError();
        return number == ERROR_INVALID_PARAMETER
                   ? error_set(MPROC_ENOTFOUND, (int)number, "there is no process %d", pid)
                   : system_error(number, "cannot watch a process");
    }
    *watch = (handle)process;
    return 0;
}

int exit_wait(handle watch, deadline until) {
    HANDLE process = (HANDLE)watch;
    return watch == HANDLE_INVALID ? 0 : wait_until(&process, 1, until, "cannot wait for a process");
}

int exit_collect(handle watch, int pid, int *exitcode) {
    DWORD code;
    if (!GetExitCodeProcess((HANDLE)watch, &code)) {
        DWORD number = GetLastError();
        return error_set(MPROC_ENOTFOUND, (int)number, "how process %d ended is unknown", pid);
    }
    if (code == (CODE_MARK | EXIT_TERMINATE) || code == (CODE_MARK | EXIT_KILL)) {
        *exitcode = -(int)(code & ~CODE_MARK);
    } else {
        *exitcode = (int)code;
    }
    return 0;
}

void exit_kill_group(handle group) {
    if (group != HANDLE_INVALID) {
        (void)TerminateJobObject((HANDLE)group, CODE_MARK | EXIT_KILL); /* fails where nobody is left in it */
    }
}

/* Closing a job that ends its members would end them. */
void exit_forget_group(handle group) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    if (group != HANDLE_INVALID) {
        memset(&limits, 0, sizeof limits);
        (void)SetInformationJobObject((HANDLE)group, JobObjectExtendedLimitInformation, &limits, sizeof limits);
        handle_close(group);
    }
}

int exit_send(handle watch, int pid, int signal) {
    UINT code = CODE_MARK | (UINT)signal;
    (void)pid;
    if (signal != EXIT_TERMINATE && signal != EXIT_KILL) {
        return error_set(MPROC_ENOTSUP, 0, "Windows has no signals: a process can be ended only, by SIGTERM or 9");
    }
    if (!TerminateProcess((HANDLE)watch, code)) {
        DWORD number = GetLastError();
        if (WaitForSingleObject((HANDLE)watch, 0) != WAIT_OBJECT_0) { /* access is denied to one that has ended */
            return system_error(number, "cannot end a process");
        }
    }
    return 0;
}
