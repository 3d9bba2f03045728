/* The allocator is a parameter, so that a test can fail each allocation.
 *
 * NULL means the C library's. Objects remember the allocator they came from
 * only where they free themselves; arenas always do. */
#ifndef ASSAY_BASE_ALLOC_H
#define ASSAY_BASE_ALLOC_H

#include <stddef.h>

struct allocator {
    void *(*resize)(void *ctx, void *ptr, size_t size); /* like realloc */
    void (*release)(void *ctx, void *ptr);              /* like free */
    void *ctx;
};

/* Uninitialised memory of size > 0 bytes, or NULL. */
void *mem_alloc(const struct allocator *a, size_t size);
void *mem_zalloc(const struct allocator *a, size_t size);
/* ptr keeps its value when NULL is returned. */
void *mem_resize(const struct allocator *a, void *ptr, size_t size);
void mem_free(const struct allocator *a, void *ptr);

#endif
