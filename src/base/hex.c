#include "base/hex.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char b64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
hex_encode(struct span in, char *text)
{
    for (size_t i = 0; i < in.len; i++) {
        *text++ = hex_digits[in.ptr[i] >> 4];
        *text++ = hex_digits[in.ptr[i] & 15];
    }
    *text = '\0';
}

static int
hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool
hex_decode(struct span text, uint8_t *out, size_t out_len)
{
    if (text.len % 2 != 0 || text.len / 2 != out_len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (hex_value(text.ptr[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < out_len; i++)
        out[i] = (uint8_t)(hex_value(text.ptr[2 * i]) * 16 +
                           hex_value(text.ptr[2 * i + 1]));
    return true;
}

size_t
base64_encoded_len(size_t n)
{
    return (n / 3 + (n % 3 != 0)) * 4;
}

size_t
base64_decoded_max(size_t n)
{
    return n / 4 * 3;
}

void
base64_encode(struct span in, char *text)
{
    for (size_t i = 0; i < in.len; i += 3) {
        size_t have = in.len - i < 3 ? in.len - i : 3;
        uint32_t group = (uint32_t)in.ptr[i] << 16;

        if (have > 1)
            group |= (uint32_t)in.ptr[i + 1] << 8;
        if (have > 2)
            group |= in.ptr[i + 2];
        *text++ = b64_digits[group >> 18];
        *text++ = b64_digits[group >> 12 & 63];
        *text++ = have > 1 ? b64_digits[group >> 6 & 63] : '=';
        *text++ = have > 2 ? b64_digits[group & 63] : '=';
    }
    *text = '\0';
}

static int
b64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* One group of four; returns the bytes written (1 to 3), or 0. */
static size_t
b64_group(const uint8_t *in, bool last, uint8_t out[3])
{
    size_t pad = 0;
    uint32_t group = 0;

    if (last && in[3] == '=')
        pad = in[2] == '=' ? 2 : 1;
    for (size_t i = 0; i < 4; i++) {
        int v = i >= 4 - pad ? 0 : b64_value(in[i]);

        if (v < 0)
            return 0;
        group = group << 6 | (uint32_t)v;
    }
    if ((pad == 1 && (group & 0xff) != 0) ||
        (pad == 2 && (group & 0xffff) != 0))
        return 0;
    out[0] = (uint8_t)(group >> 16);
    out[1] = (uint8_t)(group >> 8);
    out[2] = (uint8_t)group;
    return 3 - pad;
}

bool
base64_decode(struct span text, uint8_t *out, size_t *out_len)
{
    size_t used = 0;

    if (text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        uint8_t group[3];
        size_t got = b64_group(text.ptr + i, i + 4 == text.len, group);

        if (got == 0 || *out_len - used < got)
            return false;
        memcpy(out + used, group, got);
        used += got;
    }
    *out_len = used;
    return true;
}
