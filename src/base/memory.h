/* SPDX-License-Identifier: MIT */
/* Every allocation of mproc passes here, so that tests can count them and make the nth one fail. */
#ifndef MPROC_BASE_MEMORY_H
#define MPROC_BASE_MEMORY_H

#include <stddef.h>

/* size bytes, zeroed; NULL, with the thread's error set, where there is no room. */
void *memory_allocate(size_t size);
/* As realloc: new bytes are not zeroed; on failure the old block stays, and NULL is returned with the error set. */
void *memory_resize(void *block, size_t size);
char *memory_copy_text(const char *text);
void memory_free(void *block);

/* Releases a block that was not allocated here. */
typedef void memory_release(void *context, void *block, size_t size);

/* Has mproc_free release such a block, which begins with a page. MPROC_ENOMEM: then nothing is kept. */
int memory_keep_foreign(void *block, size_t size, memory_release *release, void *context);

/* For tests: the nth allocation from now on (1: the next one) fails, once; 0 switches it off. */
void memory_fail_at(long nth);
/* For tests: blocks that are allocated now. */
long memory_blocks(void);

#endif
