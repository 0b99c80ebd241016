/* SPDX-License-Identifier: MIT */
#include "platform/shared_memory.h"

#include <windows.h>

#include "base/error.h"
#include "win32/system_error.h"

int shared_memory_create(size_t size, handle *memory) {
    HANDLE created = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, (DWORD)((uint64_t)size >> 32),
                                        (DWORD)size, NULL);
    if (created == NULL) {
        return system_error(GetLastError(), "cannot make shared memory");
    }
    *memory = (handle)created;
    return 0;
}

int shared_memory_map(handle memory, size_t size, void **view) {
    void *mapped = MapViewOfFile((HANDLE)memory, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size);
    if (mapped == NULL) {
        return system_error(GetLastError(), "cannot map shared memory");
    }
    *view = mapped;
    return 0;
}

void shared_memory_unmap(void *view, size_t size) {
    (void)size;
    if (view != NULL) {
        (void)UnmapViewOfFile(view); /* fails for what was never mapped only */
    }
}
