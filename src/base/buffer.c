#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/num.h"
#include "base/utf8.h"

void
buffer_init(struct buffer *b, size_t limit, const struct allocator *alloc)
{
    *b = (struct buffer){ .limit = limit, .alloc = alloc };
}

/* explicit_bzero: no compiler may find it superfluous. */
static void
give_back(struct buffer *b)
{
    if (b->wipe && b->ptr)
        explicit_bzero(b->ptr, b->cap);
    mem_free(b->alloc, b->ptr);
}

void
buffer_free(struct buffer *b)
{
    bool wipe = b->wipe;

    give_back(b);
    buffer_init(b, b->limit, b->alloc);
    b->wipe = wipe;
}

static uint8_t *
grow(struct buffer *b, size_t cap)
{
    uint8_t *ptr;

    if (!b->wipe)
        return mem_resize(b->alloc, b->ptr, cap);
    ptr = mem_alloc(b->alloc, cap);
    if (!ptr)
        return NULL;
    if (b->len > 0)
        memcpy(ptr, b->ptr, b->len);
    give_back(b);
    return ptr;
}

/* Makes room for n more bytes and a NUL. */
static bool
reserve(struct buffer *b, size_t n)
{
    size_t need, cap;
    uint8_t *ptr;

    if (b->failed)
        return false;
    if (n > b->limit - b->len || !size_add(b->len, n, &need) ||
        !size_add(need, 1, &need)) {
        b->failed = b->over_limit = true;
        return false;
    }
    if (need <= b->cap)
        return true;
    cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    ptr = grow(b, cap);
    if (!ptr) {
        b->failed = true;
        return false;
    }
    b->ptr = ptr;
    b->cap = cap;
    return true;
}

void
buffer_add(struct buffer *b, struct span bytes)
{
    if (!reserve(b, bytes.len))
        return;
    if (bytes.len > 0)
        memcpy(b->ptr + b->len, bytes.ptr, bytes.len);
    b->len += bytes.len;
    b->ptr[b->len] = '\0';
}

void
buffer_add_str(struct buffer *b, const char *text)
{
    buffer_add(b, span_str(text));
}

void
buffer_addf(struct buffer *b, const char *fmt, ...)
{
    va_list args, again;
    int need;

    va_start(args, fmt);
    va_copy(again, args);
    need = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (need < 0)
        b->failed = true;
    else if (reserve(b, (size_t)need)) {
        (void)vsnprintf((char *)b->ptr + b->len, (size_t)need + 1, fmt, again);
        b->len += (size_t)need;
    }
    va_end(again);
}

void
buffer_add_hex(struct buffer *b, struct span bytes)
{
    size_t text_len;

    if (!size_mul(bytes.len, 2, &text_len))
        text_len = SIZE_MAX; /* over any limit */
    if (!reserve(b, text_len))
        return;
    hex_encode(bytes, (char *)b->ptr + b->len);
    b->len += text_len;
}

/* Unicode 15, section 23.2 and UAX 9: marks and overrides of direction. */
static bool
turns_direction(uint32_t rune)
{
    return rune == 0x061c || rune == 0x200e || rune == 0x200f ||
           (rune >= 0x202a && rune <= 0x202e) ||
           (rune >= 0x2066 && rune <= 0x2069);
}

static bool
is_shown(uint32_t rune)
{
    return rune >= 0x20 && (rune < 0x7f || rune > 0x9f) &&
           !turns_direction(rune);
}

void
buffer_add_escaped(struct buffer *b, struct span text)
{
    while (text.len > 0) {
        uint32_t rune = 0;
        size_t len = utf8_decode(text, &rune);

        if (len > 0 && is_shown(rune)) {
            buffer_add(b, span_sub(text, 0, len));
        } else {
            buffer_addf(b, "\\x%02x", text.ptr[0]);
            len = 1;
        }
        text = span_sub(text, len, text.len - len);
    }
}

void
buffer_clear(struct buffer *b)
{
    b->len = 0;
    b->failed = b->over_limit = false;
    if (b->ptr)
        b->ptr[0] = '\0';
}

struct span
buffer_span(const struct buffer *b)
{
    return span_of(b->ptr, b->len);
}

const char *
buffer_str(const struct buffer *b)
{
    return b->ptr ? (const char *)b->ptr : "";
}

enum assay_status
buffer_check(const struct buffer *b, const char *what, struct assay_error *err)
{
    if (!b->failed)
        return ASSAY_OK;
    if (b->over_limit)
        return assay_fail(err, ASSAY_ERR_LIMIT, "%s: more than %zu bytes", what,
                          b->limit);
    return assay_nomem(err, what);
}
