#include "rego/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static size_t
digits_at(struct span s, size_t at)
{
    size_t n = 0;

    while (at + n < s.len && is_digit(s.ptr[at + n]))
        n++;
    return n;
}

/* The parts of a number's text. */
struct parts {
    bool negative;
    struct span whole;
    struct span fraction; /* digits behind the point */
    bool has_exponent;
    int64_t exponent; /* clamped to +-EXPONENT_MAX */
};

enum { EXPONENT_MAX = 1000000000 };

static int64_t
read_exponent(struct span digits, bool negative)
{
    int64_t e = 0;

    for (size_t i = 0; i < digits.len; i++) {
        e = 10 * e + (digits.ptr[i] - '0');
        if (e > EXPONENT_MAX)
            e = EXPONENT_MAX;
    }
    return negative ? -e : e;
}

static bool
split_exponent(struct span text, size_t at, struct parts *p)
{
    bool negative = false;
    size_t n;

    if (at == text.len)
        return true;
    if (text.ptr[at] != 'e' && text.ptr[at] != 'E')
        return false;
    at++;
    if (at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-'))
        negative = text.ptr[at++] == '-';
    n = digits_at(text, at);
    p->has_exponent = true;
    p->exponent = read_exponent(span_sub(text, at, n), negative);
    return n > 0 && at + n == text.len;
}

static bool
split_text(struct span text, struct parts *p)
{
    size_t at = 0, n;

    *p = (struct parts){ 0 };
    if (text.len > 0 && text.ptr[0] == '-')
        p->negative = at++ == 0;
    n = digits_at(text, at);
    if (n == 0 || (n > 1 && text.ptr[at] == '0'))
        return false;
    p->whole = span_sub(text, at, n);
    at += n;
    if (at < text.len && text.ptr[at] == '.') {
        n = digits_at(text, at + 1);
        p->fraction = span_sub(text, at + 1, n);
        if (n == 0)
            return false;
        at += 1 + n;
    }
    return split_exponent(text, at, p);
}

/* --- Canonical form --- */

/* True when a number with these digits is an integer below 2^63 (2^63 too
 * when negative). */
static bool
small_integer(const struct value_number *n, int64_t *out)
{
    uint64_t limit = (uint64_t)INT64_MAX + (n->negative ? 1 : 0);
    uint64_t u = 0;

    if (!n->integer || n->exponent > 19)
        return false;
    for (int64_t i = 0; i < n->exponent; i++) {
        unsigned digit = (uint64_t)i < n->digits.len
                             ? (unsigned)(n->digits.ptr[i] - '0')
                             : 0;

        if (__builtin_mul_overflow(u, 10, &u) ||
            __builtin_add_overflow(u, digit, &u) || u > limit)
            return false;
    }
    *out = n->negative ? (int64_t)(0 - u) : (int64_t)u;
    return true;
}

/* Finds the first and last non-zero digit of whole and fraction together. */
static bool
canonical_digits(struct arena *a, const struct parts *p, struct value_number *n)
{
    size_t total = p->whole.len + p->fraction.len;
    char *all = arena_alloc(a, total);
    size_t first = 0, last = total;

    if (!all)
        return false;
    if (p->whole.len > 0)
        memcpy(all, p->whole.ptr, p->whole.len);
    if (p->fraction.len > 0)
        memcpy(all + p->whole.len, p->fraction.ptr, p->fraction.len);
    while (first < last && all[first] == '0')
        first++;
    while (last > first && all[last - 1] == '0')
        last--;
    n->digits = span_of(all + first, last - first);
    if (n->digits.len > 0)
        n->exponent = p->exponent + (int64_t)p->whole.len - (int64_t)first;
    return true;
}

static bool
new_number(struct arena *a, struct span text, const struct parts *p,
           struct value *out)
{
    struct value_number *n = arena_alloc(a, sizeof(*n));

    if (!n || text.len > LIMIT_REGO_COUNT || !canonical_digits(a, p, n) ||
        !arena_dup(a, text, &n->text))
        return false;
    n->negative = p->negative && n->digits.len > 0;
    n->plain = p->fraction.len == 0 && !p->has_exponent;
    n->integer = (int64_t)n->digits.len <= n->exponent || n->digits.len == 0;
    n->fits = small_integer(n, &n->small);
    *out = (struct value){ .tag = VALUE_NUMBER, .number = n };
    return true;
}

/* Up to 18 digits: the common case, without any object. */
static bool
plain_small(const struct parts *p, struct value *out)
{
    int64_t i = 0;

    if (p->fraction.len > 0 || p->has_exponent || p->whole.len > 18 ||
        (p->negative && p->whole.len > 0 &&
         p->whole.ptr[0] == '0')) /* -0 stays as written */
        return false;
    for (size_t k = 0; k < p->whole.len; k++)
        i = 10 * i + (p->whole.ptr[k] - '0');
    *out = value_int(p->negative ? -i : i);
    return true;
}

bool
number_parse(struct arena *a, struct span text, bool *ok, struct value *out)
{
    struct parts p;
    struct value v;

    *ok = split_text(text, &p);
    if (!*ok || plain_small(&p, out))
        return true;
    if (!new_number(a, text, &p, &v))
        return false;
    if (v.number->plain && v.number->fits && v.number->digits.len > 0)
        v = value_int(v.number->small);
    *out = v;
    return true;
}

/* --- Comparison --- */

/* A number of either kind in canonical form; the digits of an int64_t go to
 * scratch. */
struct canonical {
    bool negative;
    int64_t exponent;
    struct span digits;
};

static struct canonical
canonical_of(struct value v, char scratch[24])
{
    struct canonical c = { 0 };
    size_t len;

    if (v.tag == VALUE_NUMBER)
        return (struct canonical){ v.number->negative, v.number->exponent,
                                   v.number->digits };
    c.negative = v.integer < 0;
    len = (size_t)snprintf(scratch, 24, "%" PRIu64,
                           c.negative ? 0 - (uint64_t)v.integer
                                      : (uint64_t)v.integer);
    c.exponent = (int64_t)len;
    while (len > 0 && scratch[len - 1] == '0')
        len--;
    if (len == 0)
        c.exponent = 0;
    c.digits = span_of(scratch, len);
    return c;
}

static int
compare_magnitude(const struct canonical *x, const struct canonical *y)
{
    size_t n = x->digits.len < y->digits.len ? x->digits.len : y->digits.len;
    int c;

    if (x->digits.len == 0 || y->digits.len == 0)
        return (x->digits.len > 0) - (y->digits.len > 0);
    if (x->exponent != y->exponent)
        return x->exponent < y->exponent ? -1 : 1;
    c = memcmp(x->digits.ptr, y->digits.ptr, n);
    return c != 0 ? c
                  : (x->digits.len > y->digits.len) -
                        (x->digits.len < y->digits.len);
}

static bool
fits_i64(struct value v, int64_t *out)
{
    if (v.tag == VALUE_INT)
        *out = v.integer;
    else if (v.number->fits)
        *out = v.number->small;
    else
        return false;
    return true;
}

int
number_compare(struct value a, struct value b)
{
    char sa[24], sb[24];
    struct canonical x, y;
    int64_t i, j;
    int c;

    if (fits_i64(a, &i) && fits_i64(b, &j))
        return (i > j) - (i < j);
    x = canonical_of(a, sa);
    y = canonical_of(b, sb);
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    c = compare_magnitude(&x, &y);
    return x.negative ? -c : c;
}

uint32_t
number_hash(struct value v)
{
    const struct value_number *n = v.number;
    int64_t i;
    uint64_t h;

    if (fits_i64(v, &i))
        h = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
    else
        h = (value_hash_text(n->digits) ^ (uint64_t)n->exponent << 8 ^
             n->negative) *
            UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32) | 1;
}

struct span
number_text(struct value v, char scratch[24])
{
    if (v.tag == VALUE_NUMBER)
        return v.number->text;
    return span_of(scratch,
                   (size_t)snprintf(scratch, 24, "%" PRId64, v.integer));
}

bool
number_is_integer(struct value v)
{
    return v.tag == VALUE_INT || (v.tag == VALUE_NUMBER && v.number->integer);
}

bool
number_is_plain_i64(struct value v)
{
    return v.tag == VALUE_INT;
}

double
number_to_double(struct value v)
{
    if (v.tag == VALUE_INT)
        return (double)v.integer;
    return strtod((const char *)v.number->text.ptr, NULL);
}

bool
number_from_double(struct arena *a, double d, struct value *out)
{
    char text[40];
    bool ok;

    /* 17 digits always suffice; the fewest that read back equal are wanted. */
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    return number_parse(a, span_str(text), &ok, out) && ok;
}
