#include "base/reader.h"

#include <string.h>

struct reader
reader_over(struct span input)
{
    return (struct reader){ .rest = input };
}

struct span
rd_span(struct reader *rd, size_t n)
{
    struct span got = { 0 };

    if (rd->failed || rd->rest.len < n) {
        rd->failed = true;
        return got;
    }
    got = span_of(rd->rest.ptr, n);
    rd->rest = span_sub(rd->rest, n, rd->rest.len - n);
    rd->offset += n;
    return got;
}

void
rd_copy(struct reader *rd, void *out, size_t n)
{
    struct span got = rd_span(rd, n);

    if (got.len == n && n > 0)
        memcpy(out, got.ptr, n);
    else
        memset(out, 0, n);
}

static uint64_t
rd_le(struct reader *rd, size_t n)
{
    struct span got = rd_span(rd, n);
    uint64_t value = 0;

    for (size_t i = got.len; i > 0; i--)
        value = value << 8 | got.ptr[i - 1];
    return value;
}

static uint64_t
rd_be(struct reader *rd, size_t n)
{
    struct span got = rd_span(rd, n);
    uint64_t value = 0;

    for (size_t i = 0; i < got.len; i++)
        value = value << 8 | got.ptr[i];
    return value;
}

uint8_t
rd_u8(struct reader *rd)
{
    return (uint8_t)rd_le(rd, 1);
}

uint16_t
rd_u16le(struct reader *rd)
{
    return (uint16_t)rd_le(rd, 2);
}

uint32_t
rd_u32le(struct reader *rd)
{
    return (uint32_t)rd_le(rd, 4);
}

uint64_t
rd_u64le(struct reader *rd)
{
    return rd_le(rd, 8);
}

uint16_t
rd_u16be(struct reader *rd)
{
    return (uint16_t)rd_be(rd, 2);
}

uint32_t
rd_u32be(struct reader *rd)
{
    return (uint32_t)rd_be(rd, 4);
}

uint64_t
rd_u64be(struct reader *rd)
{
    return rd_be(rd, 8);
}

void
rd_skip_to(struct reader *rd, size_t offset)
{
    if (rd->failed || offset < rd->offset) {
        rd->failed = true;
        return;
    }
    (void)rd_span(rd, offset - rd->offset);
}

void
rd_zeros_to(struct reader *rd, size_t offset)
{
    while (!rd->failed && rd->offset < offset) {
        size_t at = rd->offset;

        if (rd_u8(rd) != 0) {
            rd->failed = true;
            rd->offset = at;
        }
    }
    rd_skip_to(rd, offset);
}

bool
rd_ok(const struct reader *rd)
{
    return !rd->failed;
}

bool
rd_done(const struct reader *rd)
{
    return !rd->failed && rd->rest.len == 0;
}
