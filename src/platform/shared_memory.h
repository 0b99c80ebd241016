/* SPDX-License-Identifier: MIT */
/* Memory that several processes see. It has no name, so that nobody else can open it and nothing is left behind: it is gone
 * with its last handle and its last view. */
#ifndef MPROC_PLATFORM_SHARED_MEMORY_H
#define MPROC_PLATFORM_SHARED_MEMORY_H

#include <stddef.h>

#include "platform/handle.h"

/* Makes zeroed memory of `size` bytes, which is not 0. MPROC_ENOMEM; MPROC_ESYSTEM. */
int shared_memory_create(size_t size, handle *memory);

/* Makes memory that holds a copy of these bytes; size is not 0. Errors as shared_memory_create and shared_memory_map. */
int shared_memory_create_from(const void *data, size_t size, handle *memory);

/* Maps all of it, aligned to a page; the handle may be closed then. MPROC_ENOMEM; MPROC_ESYSTEM. */
int shared_memory_map(handle memory, size_t size, void **view);

/* NULL is fine. */
void shared_memory_unmap(void *view, size_t size);

#endif
