/* SPDX-License-Identifier: MIT */
#include "platform/shared_memory.h"

#include <windows.h>

/* After windows.h, whose types it uses. */
#include <string.h>

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

int shared_memory_create_from(const void *data, size_t size, handle *memory) {
    handle created = HANDLE_INVALID;
    void *view = NULL;
    int status = shared_memory_create(size, &created);
    if (status != 0) {
        return status;
    }
    status = shared_memory_map(created, size, &view);
    if (status != 0) {
        handle_close(created);
        return status;
    }
    memcpy(view, data, size);
    shared_memory_unmap(view, size);
    *memory = created;
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
