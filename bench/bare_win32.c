/* SPDX-License-Identifier: MIT */
#include "bare.h"

#include <windows.h>

/* After windows.h, whose types it uses. */
#include <stdio.h>
#include <string.h>

static int start(const char *self, const char *argument, HANDLE input, HANDLE output, HANDLE *process) {
    char line[2048];
    STARTUPINFOA information;
    PROCESS_INFORMATION started;
    memset(&information, 0, sizeof information);
    information.cb = sizeof information;
    if (input != NULL) {
        information.dwFlags = STARTF_USESTDHANDLES;
        information.hStdInput = input;
        information.hStdOutput = output;
        information.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    }
    (void)snprintf(line, sizeof line, "\"%s\" %s", self, argument);
    if (!CreateProcessA(NULL, line, NULL, NULL, input != NULL, 0, NULL, NULL, &information, &started)) {
        return -1;
    }
    (void)CloseHandle(started.hThread);
    *process = started.hProcess;
    return 0;
}

int bare_spawn_and_wait(const char *program, const char *argument) {
    HANDLE process;
    DWORD code = 1;
    if (start(program, argument, NULL, NULL, &process) != 0) {
        return -1;
    }
    (void)WaitForSingleObject(process, INFINITE);
    (void)GetExitCodeProcess(process, &code);
    (void)CloseHandle(process);
    return code == 0 ? 0 : -1;
}

double bare_python_number(const char *script) {
    (void)script; /* there is no Python under Wine, and on Windows it has many names */
    return -1;
}

long bare_private_kibibytes(int pid) {
    (void)pid;
    return -1;
}

int bare_open_descriptors(void) {
    return -1;
}

int bare_child_start(struct bare_child *child, const char *self, const char *argument) {
    HANDLE their_input, their_output, to, from, process;
    if (!CreatePipe(&their_input, &to, NULL, 65536) || !CreatePipe(&from, &their_output, NULL, 65536)) {
        return -1;
    }
    (void)SetHandleInformation(their_input, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    (void)SetHandleInformation(their_output, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    int status = start(self, argument, their_input, their_output, &process);
    (void)CloseHandle(their_input);
    (void)CloseHandle(their_output);
    child->to = (intptr_t)to;
    child->from = (intptr_t)from;
    child->process = status == 0 ? (intptr_t)process : 0;
    return status;
}

void bare_child_end(struct bare_child *child) {
    (void)CloseHandle((HANDLE)child->to);
    (void)WaitForSingleObject((HANDLE)child->process, INFINITE);
    (void)CloseHandle((HANDLE)child->process);
    (void)CloseHandle((HANDLE)child->from);
}

int bare_read(intptr_t pipe, void *data, size_t size) {
    char *place = data;
    while (size > 0) {
        DWORD count = 0;
        if (!ReadFile((HANDLE)pipe, place, (DWORD)size, &count, NULL) || count == 0) {
            return -1;
        }
        place += count;
        size -= count;
    }
    return 0;
}

int bare_write(intptr_t pipe, const void *data, size_t size) {
    const char *place = data;
    while (size > 0) {
        DWORD count = 0;
        if (!WriteFile((HANDLE)pipe, place, (DWORD)size, &count, NULL) || count == 0) {
            return -1;
        }
        place += count;
        size -= count;
    }
    return 0;
}

intptr_t bare_input(void) {
    return (intptr_t)GetStdHandle(STD_INPUT_HANDLE);
}

intptr_t bare_output(void) {
    return (intptr_t)GetStdHandle(STD_OUTPUT_HANDLE);
}

double bare_lock_alone(int times, int is_robust) {
    LARGE_INTEGER frequency, start, end;
    HANDLE mutex = is_robust ? CreateMutexW(NULL, FALSE, NULL) : NULL; /* one that is not there is not */
    if (mutex == NULL) {
        return -1;
    }
    (void)QueryPerformanceFrequency(&frequency);
    (void)QueryPerformanceCounter(&start);
    for (int i = 0; i < times; i++) {
        (void)WaitForSingleObject(mutex, INFINITE);
        (void)ReleaseMutex(mutex);
    }
    (void)QueryPerformanceCounter(&end);
    (void)CloseHandle(mutex);
    return (double)(end.QuadPart - start.QuadPart) * 1e9 / (double)frequency.QuadPart / times;
}

double bare_lock_contended(int times, int is_robust) {
    (void)times;
    (void)is_robust;
    return -1;
}

double bare_handover(int times) {
    (void)times;
    return -1;
}

double bare_wait(int pipes, int times) {
    (void)pipes;
    (void)times;
    return -1;
}
