/* A growable byte buffer with a ceiling. Failure is sticky, as in a writer:
 * append freely, check once. Always NUL-terminated behind len, so that text
 * can be printed. */
#ifndef ASSAY_BASE_BUFFER_H
#define ASSAY_BASE_BUFFER_H

#include "base/alloc.h"
#include "base/error.h"

struct buffer {
    uint8_t *ptr; /* NULL until something is appended */
    size_t len;
    size_t cap;
    size_t limit; /* most bytes it may hold */
    const struct allocator *alloc;
    bool failed;     /* an append was lost, and every later one */
    bool over_limit; /* ... because of limit rather than memory */
    /* Holds, or may hold, secrets: memory is overwritten before it is given
     * back, also when the buffer grows. Set after buffer_init. */
    bool wipe;
};

void buffer_init(struct buffer *b, size_t limit, const struct allocator *alloc);
void buffer_free(struct buffer *b);

void buffer_add(struct buffer *b, struct span bytes);
void buffer_add_str(struct buffer *b, const char *text);
void buffer_addf(struct buffer *b, const char *fmt, ...) ASSAY_PRINTF(2, 3);
void buffer_add_hex(struct buffer *b, struct span bytes); /* lower case */
/* Text of strangers for a terminal or a log: control characters, those that
 * turn the direction of writing, and what is not UTF-8 become \xNN. */
void buffer_add_escaped(struct buffer *b, struct span text);
void buffer_clear(struct buffer *b); /* keeps the memory, clears failed */

struct span buffer_span(const struct buffer *b);
const char *buffer_str(const struct buffer *b); /* "" when empty */

/* ASSAY_ERR_LIMIT or ASSAY_ERR_NOMEM when an append was lost. */
ASSAY_MUST_CHECK
enum assay_status buffer_check(const struct buffer *b, const char *what,
                               struct assay_error *err);

#endif
