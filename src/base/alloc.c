#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void *
mem_resize(const struct allocator *a, void *ptr, size_t size)
{
    return a ? a->resize(a->ctx, ptr, size) : realloc(ptr, size);
}

void *
mem_alloc(const struct allocator *a, size_t size)
{
    return mem_resize(a, NULL, size);
}

void *
mem_zalloc(const struct allocator *a, size_t size)
{
    void *ptr = mem_alloc(a, size);

    if (ptr)
        memset(ptr, 0, size);
    return ptr;
}

void
mem_free(const struct allocator *a, void *ptr)
{
    if (!ptr)
        return;
    if (a)
        a->release(a->ctx, ptr);
    else
        free(ptr);
}
