#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/num.h"

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t cap;
    alignas(max_align_t) uint8_t bytes[];
};

enum { BLOCK_MIN = 4096 };

void
arena_init(struct arena *a, size_t budget, const struct allocator *alloc)
{
    *a = (struct arena){ .alloc = alloc, .left = budget };
}

void
arena_drop(struct arena *a)
{
    while (a->head) {
        struct arena_block *next = a->head->next;

        a->left += a->head->used;
        mem_free(a->alloc, a->head);
        a->head = next;
    }
}

static struct arena_block *
block_for(struct arena *a, size_t size)
{
    struct arena_block *b = a->head;
    size_t cap = size < BLOCK_MIN ? BLOCK_MIN : size;
    size_t total;

    if (b && b->cap - b->used >= size)
        return b;
    if (!size_add(sizeof(*b), cap, &total))
        return NULL;
    b = mem_alloc(a->alloc, total);
    if (!b)
        return NULL;
    *b = (struct arena_block){ .next = a->head, .cap = cap };
    a->head = b;
    return b;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct arena_block *b;
    size_t rounded;
    void *ptr;

    if (!size_add(size, align - 1, &rounded))
        return NULL;
    rounded &= ~(align - 1);
    if (rounded > a->left)
        return NULL;
    b = block_for(a, rounded);
    if (!b)
        return NULL;
    ptr = b->bytes + b->used;
    b->used += rounded;
    a->left -= rounded;
    memset(ptr, 0, rounded);
    return ptr;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
    size_t total;

    return size_mul(count, size, &total) ? arena_alloc(a, total) : NULL;
}

char *
arena_strdup(struct arena *a, struct span text)
{
    size_t total;
    char *copy;

    if (!size_add(text.len, 1, &total))
        return NULL;
    copy = arena_alloc(a, total);
    if (copy && text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

bool
arena_dup(struct arena *a, struct span in, struct span *out)
{
    char *copy = arena_strdup(a, in);

    if (!copy)
        return false;
    *out = span_of(copy, in.len);
    return true;
}
