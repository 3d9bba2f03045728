#include "base/utf8.h"

/* The length a first byte announces, and the payload bits it carries. */
static size_t
lead(uint8_t c, uint32_t *bits)
{
    if (c < 0x80) {
        *bits = c;
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        *bits = c & 0x1fu;
        return 2;
    }
    if (c >= 0xe0 && c <= 0xef) {
        *bits = c & 0x0fu;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        *bits = c & 0x07u;
        return 4;
    }
    return 0;
}

size_t
utf8_decode(struct span s, uint32_t *rune)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t value = 0;
    size_t len = s.len > 0 ? lead(s.ptr[0], &value) : 0;

    if (len == 0 || len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((s.ptr[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s.ptr[i] & 0x3fu);
    }
    if (value < least[len] || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *rune = value;
    return len;
}

size_t
utf8_encode(uint32_t rune, uint8_t out[4])
{
    size_t len = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    static const uint8_t mark[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    for (size_t i = len; i-- > 1;) {
        out[i] = (uint8_t)(0x80 | (rune & 0x3f));
        rune >>= 6;
    }
    out[0] = (uint8_t)(mark[len] | rune);
    return len;
}

bool
utf8_valid(struct span s)
{
    for (size_t at = 0; at < s.len;) {
        uint32_t rune;
        size_t len = utf8_decode(span_sub(s, at, s.len - at), &rune);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}
