/* SPDX-License-Identifier: MIT */
#include "platform/shared_memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "posix/nameless_file.h"
#include "posix/system_error.h"

int shared_memory_create(size_t size, handle *memory) {
    int descriptor = nameless_file_open();
    if (descriptor < 0) {
        return system_error(errno, "cannot make shared memory");
    }
    if (ftruncate(descriptor, (off_t)size) != 0) {
        int status = system_error(errno, "cannot make shared memory of the wanted size");
        (void)close(descriptor);
        return status;
    }
    *memory = descriptor;
    return 0;
}

int shared_memory_map(handle memory, size_t size, void **view) {
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, (int)memory, 0);
    if (mapped == MAP_FAILED) {
        return system_error(errno, "cannot map shared memory");
    }
    *view = mapped;
    return 0;
}

void shared_memory_unmap(void *view, size_t size) {
    if (view != NULL) {
        (void)munmap(view, size); /* fails for what was never mapped only */
    }
}
