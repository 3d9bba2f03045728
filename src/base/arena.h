/* An arena: what dies together is allocated together.
 *
 * One arena per parse, evaluation or request, with a byte budget; it is
 * dropped whole. Allocation fails (NULL) when the budget is spent or memory
 * is out; both are ASSAY_ERR_NOMEM to the caller. Nothing is freed singly. */
#ifndef ASSAY_BASE_ARENA_H
#define ASSAY_BASE_ARENA_H

#include "base/alloc.h"
#include "base/span.h"

struct arena_block;

struct arena {
    struct arena_block *head;
    const struct allocator *alloc; /* borrowed; NULL is the C library's */
    size_t left;                   /* bytes of budget still unspent */
};

/* alloc may be NULL. No memory is taken before the first arena_alloc. */
void arena_init(struct arena *a, size_t budget, const struct allocator *alloc);
void arena_drop(struct arena *a); /* frees everything; a may be reused */

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for all */
void *arena_array(struct arena *a, size_t count, size_t size); /* zeroed */
char *arena_strdup(struct arena *a, struct span text); /* NUL-terminated */
bool arena_dup(struct arena *a, struct span in, struct span *out);

#endif
