#include "rego/extended.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

enum { MANTISSA_BITS = 64 };

/* --- Rounding --- */

/* wide x 2^exponent, and a little more when sticky, to nearest even. */
static struct extended
round_wide(bool negative, u128 wide, int64_t exponent, bool sticky)
{
    struct extended x = { .negative = negative };
    uint64_t low;

    if (wide == 0)
        return x;
    while (!(wide >> 127)) {
        wide <<= 1;
        exponent--;
    }
    x.mantissa = (uint64_t)(wide >> 64);
    x.exponent = exponent + 64;
    low = (uint64_t)wide;
    if (low > UINT64_C(1) << 63 ||
        (low == UINT64_C(1) << 63 && (sticky || (x.mantissa & 1)))) {
        if (++x.mantissa == 0) {
            x.mantissa = UINT64_C(1) << 63;
            x.exponent++;
        }
    }
    return x;
}

static struct extended
round_big(struct big x, int64_t exponent, bool sticky)
{
    size_t bits = big_bit_length(x);
    size_t cut = bits > 128 ? bits - 128 : 0;
    u128 wide = 0;

    for (size_t i = bits; i-- > cut;)
        wide = wide << 1 | (unsigned)big_bit(x, i);
    return round_wide(x.negative, wide, exponent + (int64_t)cut,
                      sticky || big_any_bit_below(x, cut));
}

struct extended
extended_from_big(struct big x)
{
    return round_big(x, 0, false);
}

struct extended
extended_from_decimal(struct big_ctx *ctx, bool negative, struct span digits,
                      int64_t exponent)
{
    struct big n = big_from_digits(ctx, digits);
    struct big power =
        big_pow(ctx, 10, (size_t)(exponent < 0 ? -exponent : exponent));
    struct big rest = { 0 };
    size_t shift = 0, have, want;
    struct extended x;

    if (exponent >= 0) {
        n = big_mul(ctx, n, power);
    } else if (!ctx->failed && n.count > 0) {
        have = big_bit_length(n);
        want = big_bit_length(power) + MANTISSA_BITS + 2;
        shift = want > have ? want - have : 0;
        n = big_div(ctx, big_shl(ctx, n, shift), power, &rest);
    }
    if (ctx->failed)
        return (struct extended){ 0 };
    x = round_big(n, -(int64_t)shift, rest.count > 0);
    x.negative = negative && x.mantissa != 0;
    return x;
}

/* --- Arithmetic --- */

static bool
is_smaller(struct extended x, struct extended y)
{
    return x.exponent != y.exponent ? x.exponent < y.exponent
                                    : x.mantissa < y.mantissa;
}

struct extended
extended_add(struct extended x, struct extended y)
{
    struct extended swap = x;
    u128 a, b;
    uint64_t distance;

    if (x.mantissa == 0 && y.mantissa == 0)
        return (struct extended){ .negative = x.negative && y.negative };
    if (x.mantissa == 0 || y.mantissa == 0)
        return x.mantissa == 0 ? y : x;
    if (is_smaller(x, y)) {
        x = y;
        y = swap;
    }
    /* 63 bits below the mantissa; what falls off further sets the last one,
     * which decides ties and nothing else. */
    a = (u128)x.mantissa << 63;
    b = (u128)y.mantissa << 63;
    distance = (uint64_t)(x.exponent - y.exponent);
    if (distance > 126)
        b = 1;
    else
        b = b >> distance | ((b & (((u128)1 << distance) - 1)) != 0);
    if (a == b && x.negative != y.negative)
        return (struct extended){ 0 };
    return round_wide(x.negative, x.negative == y.negative ? a + b : a - b,
                      x.exponent - 63, false);
}

struct extended
extended_mul(struct extended x, struct extended y)
{
    return round_wide(x.negative != y.negative, (u128)x.mantissa * y.mantissa,
                      x.exponent + y.exponent, false);
}

struct extended
extended_div(struct extended x, struct extended y)
{
    u128 dividend = (u128)x.mantissa << 63;
    u128 quotient = dividend / y.mantissa; /* 63 or 64 bits */
    u128 rest = dividend % y.mantissa;

    /* Two bits more, for the rounding. */
    rest <<= 2;
    quotient = quotient << 2 | (rest / y.mantissa);
    rest %= y.mantissa;
    return round_wide(x.negative != y.negative, quotient << 1 | (rest != 0),
                      x.exponent - y.exponent - 66, false);
}

/* --- Integers --- */

bool
extended_is_integer(struct extended x)
{
    if (x.mantissa == 0 || x.exponent >= 0)
        return true;
    return x.exponent > -MANTISSA_BITS &&
           (x.mantissa & ((UINT64_C(1) << -x.exponent) - 1)) == 0;
}

struct big
extended_truncate(struct big_ctx *ctx, struct extended x, int *rest)
{
    struct big n = big_from_u64(ctx, x.mantissa);
    uint64_t cut, half;

    *rest = 2;
    if (x.mantissa != 0 && x.exponent >= 0) {
        n = big_shl(ctx, n, (size_t)x.exponent);
    } else if (x.exponent < -MANTISSA_BITS) {
        n = (struct big){ 0 };
        *rest = -1;
    } else if (x.mantissa != 0) {
        half = UINT64_C(1) << (-x.exponent - 1);
        cut = x.mantissa & (half | (half - 1));
        n = big_shr(ctx, n, (size_t)-x.exponent);
        if (cut != 0)
            *rest = (cut > half) - (cut < half);
    }
    return x.negative ? big_negate(n) : n;
}

/* --- Shortest decimal --- */

static struct span
scaled_digits(struct big_ctx *ctx, struct big n, struct big factor)
{
    return big_text(ctx, big_mul(ctx, n, factor), 10);
}

static char
digit_at(struct span s, size_t width, size_t i)
{
    size_t pad = width - s.len; /* zeros in front */

    return i < pad ? '0' : (char)s.ptr[i - pad];
}

static size_t
significant(struct span s, size_t width)
{
    size_t n = s.len;

    while (n > 0 && s.ptr[n - 1] == '0')
        n--;
    return width - s.len + n;
}

static void
round_digits_up(char *digits, size_t *n)
{
    while (*n > 0 && digits[*n - 1] == '9')
        --*n;
    if (*n > 0)
        digits[*n - 1]++;
}

/* Half up or to even, judged by the digits behind the first n. */
static bool
nearest_is_up(const char *digits, size_t n, size_t width)
{
    bool more = false;

    if (n >= width)
        return false;
    for (size_t i = n + 1; i < width; i++)
        more = more || digits[i] != '0';
    if (digits[n] != '5' || more)
        return digits[n] >= '5';
    return n > 0 && (digits[n - 1] - '0') % 2 == 1;
}

/* Cuts digits where every number between low and high is nearer to x than to
 * any of its neighbours; returns how many stay. digits has a spare zero in
 * front, so that rounding up always fits. */
static size_t
shorten(char *digits, size_t width, struct span low, struct span high,
        bool inclusive)
{
    size_t low_end = significant(low, width);
    size_t high_end = significant(high, width);

    for (size_t i = 0; i < width; i++) {
        char l = digit_at(low, width, i), m = digits[i];
        char u = digit_at(high, width, i);
        size_t n = i + 1;
        bool down = l != m || (inclusive && n >= low_end);
        bool up = m != u && (inclusive || m + 1 < u || n < high_end);

        if (!down && !up)
            continue;
        if (up && (!down || nearest_is_up(digits, n, width)))
            round_digits_up(digits, &n);
        return n;
    }
    return width;
}

/* d.ddde+XX */
static size_t
layout_exponent(char *text, const char *digits, size_t n, int64_t exponent)
{
    size_t used = 0;

    text[used++] = digits[0];
    if (n > 1)
        text[used++] = '.';
    memcpy(text + used, digits + 1, n - 1);
    used += n - 1;
    used += (size_t)snprintf(text + used, 24, "e%c%02" PRId64,
                             exponent < 0 ? '-' : '+',
                             exponent < 0 ? -exponent : exponent);
    return used;
}

/* ddd.ddd, ddd000 or 0.00ddd: the point is behind that many digits. */
static size_t
layout_plain(char *text, const char *digits, size_t n, int64_t point)
{
    size_t used = 0;

    if (point <= 0)
        used = (size_t)snprintf(text, 8, "0.%.*s", (int)-point, "0000");
    for (size_t i = 0; i < n; i++) {
        if (point > 0 && i == (size_t)point)
            text[used++] = '.';
        text[used++] = digits[i];
    }
    for (int64_t i = (int64_t)n; i < point; i++)
        text[used++] = '0';
    return used;
}

/* The point is behind the first so many digits. */
static struct span
layout(struct big_ctx *ctx, bool negative, bool plain, const char *digits,
       size_t n, int64_t point)
{
    char *text =
        arena_alloc(ctx->arena, n + 40 + (point < 0 ? 0 : (size_t)point));
    size_t used = 0;

    if (!text) {
        ctx->failed = true;
        return (struct span){ 0 };
    }
    for (; n > 1 && digits[0] == '0'; digits++, n--)
        point--;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (negative)
        text[used++] = '-';
    if (!plain && (point - 1 < -4 || point - 1 >= 6))
        used += layout_exponent(text + used, digits, n, point - 1);
    else
        used += layout_plain(text + used, digits, n, point);
    return span_of(text, used);
}

/* x is not zero. Twice the mantissa, so that half a unit can be added. */
static struct span
shortest_text(struct big_ctx *ctx, struct extended x)
{
    bool is_integer = extended_is_integer(x);
    int64_t exponent = x.exponent - 1;
    size_t fraction = exponent < 0 ? (size_t)-exponent : 0; /* digits */
    struct big one = big_from_u64(ctx, 1), factor = big_pow(ctx, 5, fraction);
    struct big twice = big_shl(ctx, big_from_u64(ctx, x.mantissa), 1);
    struct span exact, low, high;
    size_t width, n;
    char *digits;

    if (exponent > 0)
        factor = big_shl(ctx, factor, (size_t)exponent);
    exact = scaled_digits(ctx, twice, factor);
    low = scaled_digits(ctx, big_sub(ctx, twice, one), factor);
    high = scaled_digits(ctx, big_add(ctx, twice, one), factor);
    width = high.len + 1;
    digits = ctx->failed ? NULL : arena_alloc(ctx->arena, width + 1);
    if (!digits) {
        ctx->failed = true;
        return (struct span){ 0 };
    }
    memset(digits, '0', width);
    memcpy(digits + width - exact.len, exact.ptr, exact.len);
    n = shorten(digits, width, low, high, (x.mantissa & 1) == 0);
    return layout(ctx, x.negative, is_integer, digits, n,
                  (int64_t)width - (int64_t)fraction);
}

struct span
extended_text(struct big_ctx *ctx, struct extended x)
{
    if (x.mantissa == 0)
        return span_str(x.negative ? "-0" : "0");
    return shortest_text(ctx, x);
}
