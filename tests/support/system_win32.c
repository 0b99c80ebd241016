/* SPDX-License-Identifier: MIT */
#include "system.h"

#include <windows.h>

/* After windows.h, whose types it uses. */
#include <io.h>
#include <shellapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* Not in Wine's headers, by which ci/test.sh checks whether MSVC would take this file. */
WINBASEAPI BOOL WINAPI GetProcessHandleCount(HANDLE process, PDWORD count);

size_t system_open_handles(void) {
    DWORD count = 0;
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &count));
    return count;
}

size_t system_mappings(void) {
    size_t count = 0;
    MEMORY_BASIC_INFORMATION region;
    for (char *place = NULL; VirtualQuery(place, &region, sizeof region) != 0;
         place = (char *)region.BaseAddress + region.RegionSize) {
        count += region.State == MEM_COMMIT && region.Type == MEM_MAPPED;
    }
    return count;
}

bool system_has_named_memory(void) {
    return false; /* it has handles only, and goes with them */
}

void system_kill(int pid) {
    HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)pid);
    assert_non_null(process);
    assert_true(TerminateProcess(process, 1));
    (void)CloseHandle(process);
}

bool system_kill_if_alive(int pid) {
    HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)pid);
    bool killed = process != NULL && TerminateProcess(process, 1);
    if (process != NULL) {
        (void)CloseHandle(process);
    }
    return killed;
}

/* The system's own way to halt a process, in no header. */
static void call_for_process(const char *function, int pid) {
    typedef LONG(WINAPI * process_function)(HANDLE);
    HANDLE process = OpenProcess(PROCESS_SUSPEND_RESUME, FALSE, (DWORD)pid);
    FARPROC found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), function);
    process_function call;
    assert_non_null(process);
    assert_non_null(found);
    memcpy(&call, &found, sizeof call);
    assert_int_equal(call(process), 0);
    (void)CloseHandle(process);
}

void system_halt(int pid) {
    call_for_process("NtSuspendProcess", pid);
}

void system_resume(int pid) {
    call_for_process("NtResumeProcess", pid);
}

bool system_wait_until_gone(int pid, int timeout_ms) {
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)pid);
    if (process == NULL) {
        return true;
    }
    DWORD result = WaitForSingleObject(process, (DWORD)timeout_ms);
    (void)CloseHandle(process);
    return result == WAIT_OBJECT_0;
}

void system_crash(void) {
    volatile int *nowhere = NULL;
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX); /* no window to be clicked away */
    *nowhere = 1;
}

int system_crash_code(void) {
    return (int)0xC0000005u; /* STATUS_ACCESS_VIOLATION */
}

int system_exit_code(int code) {
    return code;
}

intptr_t system_open_inheritable(void) {
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, TRUE};
    HANDLE event = NULL;
    /* Past the numbers that a child's own handles take, so that it cannot have one of the same number by chance. */
    static HANDLE fillers[1024];
    size_t count = 0;
    while (count < 1024 && (uintptr_t)event < 2048) {
        event = CreateEventW(&attributes, TRUE, FALSE, NULL);
        assert_non_null(event);
        fillers[count++] = event;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        (void)CloseHandle(fillers[i]);
    }
    return (intptr_t)event;
}

bool system_handle_is_open(intptr_t number) {
    DWORD flags;
    return GetHandleInformation((HANDLE)number, &flags) != 0;
}

void system_close_handle(intptr_t number) {
    assert_true(CloseHandle((HANDLE)number));
}

void system_forbid_handles(void) {
    fail_msg("there is no limit of handles here");
}

int system_read_stdin(void) {
    char byte;
    DWORD count = 0;
    return ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &count, NULL) ? (int)count : -1;
}

void system_spoil_signals(void) {
}

void system_restore_signals(void) {
}

bool system_signals_are_default(void) {
    return true;
}

static HANDLE captured, stderr_before;

void system_capture_stderr(void) {
    wchar_t folder[MAX_PATH], path[MAX_PATH];
    assert_true(GetTempPathW(MAX_PATH, folder) > 0);
    assert_true(GetTempFileNameW(folder, L"mpr", 0, path) > 0);
    captured = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                           NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    assert_true(captured != INVALID_HANDLE_VALUE);
    stderr_before = GetStdHandle(STD_ERROR_HANDLE);
    assert_true(SetStdHandle(STD_ERROR_HANDLE, captured));
}

char *system_captured_stderr(void) {
    DWORD size = 0;
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(SetStdHandle(STD_ERROR_HANDLE, stderr_before));
    (void)SetFilePointer(captured, 0, NULL, FILE_BEGIN);
    assert_true(ReadFile(captured, text, 65535, &size, NULL));
    (void)CloseHandle(captured);
    return text;
}

bool system_is_slow_to_spawn(void) {
    return true;
}

struct impossible {
    const char *test, *reason;
};

static const struct impossible impossible[] = {
    {"a_killed_receiver_drops_what_was_on_its_way",
     "an end on its way to a process that is killed stays open until the "
     "program's first process ends: see docs/decisions.md"},
    {"handles_that_a_worker_has_no_room_for_cost_their_task", "no limit of handles can be set for a process"},
    {"no_descriptors_are_told", "no limit of handles can be set for a process"},
};

const char *system_cannot(const char *test) {
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        if (strcmp(impossible[i].test, test) == 0) {
            return impossible[i].reason;
        }
    }
    return NULL;
}

static char *to_utf8(const wchar_t *wide) {
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = calloc(1, (size_t)size);
    assert_non_null(text);
    assert_int_equal(WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL), size);
    return text;
}

void system_arguments(int *argc, char ***argv) {
    static char *arguments[64];
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), argc);
    assert_non_null(wide);
    assert_in_range(*argc, 1, 63);
    for (int i = 0; i < *argc; i++) {
        arguments[i] = to_utf8(wide[i]);
    }
    (void)LocalFree(wide);
    *argv = arguments;
}

int system_kill_code(void) {
    return 1; /* what system_kill gives */
}
