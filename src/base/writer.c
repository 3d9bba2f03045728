#include "base/writer.h"

#include <string.h>

struct writer
writer_over(void *ptr, size_t cap)
{
    return (struct writer){ .ptr = ptr, .cap = cap };
}

void
wr_span(struct writer *wr, struct span bytes)
{
    if (wr->failed || wr->cap - wr->len < bytes.len) {
        wr->failed = true;
        return;
    }
    if (bytes.len > 0)
        memcpy(wr->ptr + wr->len, bytes.ptr, bytes.len);
    wr->len += bytes.len;
}

static void
wr_le(struct writer *wr, uint64_t value, size_t n)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    wr_span(wr, span_of(bytes, n));
}

static void
wr_be(struct writer *wr, uint64_t value, size_t n)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
    wr_span(wr, span_of(bytes, n));
}

void
wr_u8(struct writer *wr, uint8_t value)
{
    wr_le(wr, value, 1);
}

void
wr_u16le(struct writer *wr, uint16_t value)
{
    wr_le(wr, value, 2);
}

void
wr_u32le(struct writer *wr, uint32_t value)
{
    wr_le(wr, value, 4);
}

void
wr_u64le(struct writer *wr, uint64_t value)
{
    wr_le(wr, value, 8);
}

void
wr_u16be(struct writer *wr, uint16_t value)
{
    wr_be(wr, value, 2);
}

void
wr_u32be(struct writer *wr, uint32_t value)
{
    wr_be(wr, value, 4);
}

void
wr_u64be(struct writer *wr, uint64_t value)
{
    wr_be(wr, value, 8);
}

void
wr_zeros_to(struct writer *wr, size_t offset)
{
    if (wr->failed || offset < wr->len || offset > wr->cap) {
        wr->failed = true;
        return;
    }
    if (offset > wr->len)
        memset(wr->ptr + wr->len, 0, offset - wr->len);
    wr->len = offset;
}

size_t
wr_len16_begin(struct writer *wr)
{
    size_t mark = wr->len;

    wr_u16be(wr, 0);
    return mark;
}

void
wr_len16_end(struct writer *wr, size_t mark)
{
    size_t len;

    if (wr->failed)
        return;
    len = wr->len - mark - 2;
    if (len > UINT16_MAX) {
        wr->failed = true;
        return;
    }
    wr->ptr[mark] = (uint8_t)(len >> 8);
    wr->ptr[mark + 1] = (uint8_t)len;
}

bool
wr_ok(const struct writer *wr)
{
    return !wr->failed;
}

struct span
wr_written(const struct writer *wr)
{
    return wr->failed ? span_of(NULL, 0) : span_of(wr->ptr, wr->len);
}
