#include "base/span.h"

#include <string.h>

struct span
span_of(const void *ptr, size_t len)
{
    return (struct span){ ptr, len };
}

struct span
span_str(const char *text)
{
    return span_of(text, text ? strlen(text) : 0);
}

bool
span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
span_equal_str(struct span a, const char *text)
{
    return span_equal(a, span_str(text));
}

bool
span_is_zero(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != 0)
            return false;
    }
    return true;
}

struct span
span_sub(struct span s, size_t at, size_t len)
{
    if (at > s.len)
        at = s.len;
    if (len > s.len - at)
        len = s.len - at;
    return span_of(s.ptr ? s.ptr + at : NULL, len);
}
