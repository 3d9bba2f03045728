#include "rego/bigint.h"

#include <string.h>

enum { LIMB_BITS = 32 };

static uint32_t *
new_limbs(struct big_ctx *ctx, size_t count)
{
    uint32_t *limbs = NULL;

    if (!ctx->failed)
        limbs = arena_array(ctx->arena, count, sizeof(*limbs));
    if (!limbs)
        ctx->failed = true;
    return limbs;
}

static struct big
trimmed(bool negative, const uint32_t *limbs, size_t count)
{
    while (count > 0 && limbs[count - 1] == 0)
        count--;
    return (struct big){ negative && count > 0, count, limbs };
}

struct big
big_from_u64(struct big_ctx *ctx, uint64_t u)
{
    uint32_t *limbs = new_limbs(ctx, 2);

    if (!limbs)
        return (struct big){ 0 };
    limbs[0] = (uint32_t)u;
    limbs[1] = (uint32_t)(u >> LIMB_BITS);
    return trimmed(false, limbs, 2);
}

struct big
big_from_i64(struct big_ctx *ctx, int64_t i)
{
    struct big x = big_from_u64(ctx, i < 0 ? 0 - (uint64_t)i : (uint64_t)i);

    return i < 0 ? big_negate(x) : x;
}

/* limbs = limbs * factor + carry, in place; the result must fit. */
static size_t
scale(uint32_t *limbs, size_t count, uint32_t factor, uint32_t carry)
{
    uint64_t sum = carry;

    for (size_t i = 0; i < count; i++) {
        sum += (uint64_t)limbs[i] * factor;
        limbs[i] = (uint32_t)sum;
        sum >>= LIMB_BITS;
    }
    if (sum > 0)
        limbs[count++] = (uint32_t)sum;
    return count;
}

enum { CHUNK = 9 }; /* decimal digits that fit a limb */

static const uint32_t powers_of_ten[CHUNK + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
};

struct big
big_from_digits(struct big_ctx *ctx, struct span digits)
{
    uint32_t *limbs = new_limbs(ctx, digits.len / CHUNK + 2);
    size_t count = 0, at = 0;

    if (!limbs)
        return (struct big){ 0 };
    while (at < digits.len) {
        size_t n = digits.len - at < CHUNK ? digits.len - at : CHUNK;
        uint32_t chunk = 0;

        for (size_t i = 0; i < n; i++)
            chunk = 10 * chunk + (uint32_t)(digits.ptr[at + i] - '0');
        count = scale(limbs, count, powers_of_ten[n], chunk);
        at += n;
    }
    return trimmed(false, limbs, count);
}

struct big
big_pow(struct big_ctx *ctx, uint32_t base, size_t exponent)
{
    struct big result = big_from_u64(ctx, 1);
    struct big square = big_from_u64(ctx, base);

    while (exponent > 0 && !ctx->failed) {
        if (exponent & 1)
            result = big_mul(ctx, result, square);
        exponent >>= 1;
        if (exponent > 0)
            square = big_mul(ctx, square, square);
    }
    return result;
}

struct big
big_negate(struct big x)
{
    x.negative = !x.negative && x.count > 0;
    return x;
}

int
big_compare_magnitude(struct big x, struct big y)
{
    if (x.count != y.count)
        return x.count < y.count ? -1 : 1;
    for (size_t i = x.count; i-- > 0;)
        if (x.limbs[i] != y.limbs[i])
            return x.limbs[i] < y.limbs[i] ? -1 : 1;
    return 0;
}

static struct big
add_magnitudes(struct big_ctx *ctx, struct big x, struct big y)
{
    size_t n = x.count > y.count ? x.count : y.count;
    uint32_t *sum = new_limbs(ctx, n + 1);
    uint64_t carry = 0;

    if (!sum)
        return (struct big){ 0 };
    for (size_t i = 0; i < n; i++) {
        carry += i < x.count ? x.limbs[i] : 0;
        carry += i < y.count ? y.limbs[i] : 0;
        sum[i] = (uint32_t)carry;
        carry >>= LIMB_BITS;
    }
    sum[n] = (uint32_t)carry;
    return trimmed(false, sum, n + 1);
}

/* |x| >= |y| */
static struct big
sub_magnitudes(struct big_ctx *ctx, struct big x, struct big y)
{
    uint32_t *rest = new_limbs(ctx, x.count);
    int64_t borrow = 0;

    if (!rest)
        return (struct big){ 0 };
    for (size_t i = 0; i < x.count; i++) {
        borrow += x.limbs[i];
        borrow -= i < y.count ? y.limbs[i] : 0;
        rest[i] = (uint32_t)borrow;
        borrow >>= LIMB_BITS; /* arithmetic: -1 or 0 */
    }
    return trimmed(false, rest, x.count);
}

struct big
big_add(struct big_ctx *ctx, struct big x, struct big y)
{
    struct big sum;

    if (x.negative == y.negative) {
        sum = add_magnitudes(ctx, x, y);
        return x.negative ? big_negate(sum) : sum;
    }
    if (big_compare_magnitude(x, y) >= 0) {
        sum = sub_magnitudes(ctx, x, y);
        return x.negative ? big_negate(sum) : sum;
    }
    sum = sub_magnitudes(ctx, y, x);
    return y.negative ? big_negate(sum) : sum;
}

struct big
big_sub(struct big_ctx *ctx, struct big x, struct big y)
{
    return big_add(ctx, x, big_negate(y));
}

struct big
big_mul(struct big_ctx *ctx, struct big x, struct big y)
{
    uint32_t *product = new_limbs(ctx, x.count + y.count);

    if (!product)
        return (struct big){ 0 };
    for (size_t i = 0; i < x.count; i++) {
        uint64_t carry = 0;

        for (size_t j = 0; j < y.count; j++) {
            carry += (uint64_t)x.limbs[i] * y.limbs[j] + product[i + j];
            product[i + j] = (uint32_t)carry;
            carry >>= LIMB_BITS;
        }
        product[i + y.count] = (uint32_t)carry;
    }
    return trimmed(x.negative != y.negative, product, x.count + y.count);
}

/* --- Shifts and bits --- */

struct big
big_shl(struct big_ctx *ctx, struct big x, size_t bits)
{
    size_t whole = bits / LIMB_BITS, part = bits % LIMB_BITS;
    uint32_t *limbs = new_limbs(ctx, x.count + whole + 1);

    if (!limbs)
        return (struct big){ 0 };
    for (size_t i = 0; i < x.count; i++) {
        uint64_t wide = (uint64_t)x.limbs[i] << part;

        limbs[i + whole] |= (uint32_t)wide;
        limbs[i + whole + 1] = (uint32_t)(wide >> LIMB_BITS);
    }
    return trimmed(x.negative, limbs, x.count + whole + 1);
}

struct big
big_shr(struct big_ctx *ctx, struct big x, size_t bits)
{
    size_t whole = bits / LIMB_BITS, part = bits % LIMB_BITS;
    uint32_t *limbs;

    if (whole >= x.count)
        return (struct big){ 0 };
    limbs = new_limbs(ctx, x.count - whole);
    if (!limbs)
        return (struct big){ 0 };
    for (size_t i = whole; i < x.count; i++) {
        uint64_t wide = x.limbs[i];

        if (i + 1 < x.count)
            wide |= (uint64_t)x.limbs[i + 1] << LIMB_BITS;
        limbs[i - whole] = (uint32_t)(wide >> part);
    }
    return trimmed(x.negative, limbs, x.count - whole);
}

size_t
big_bit_length(struct big x)
{
    if (x.count == 0)
        return 0;
    return x.count * LIMB_BITS - (size_t)__builtin_clz(x.limbs[x.count - 1]);
}

bool
big_bit(struct big x, size_t i)
{
    return i / LIMB_BITS < x.count &&
           (x.limbs[i / LIMB_BITS] >> (i % LIMB_BITS) & 1);
}

bool
big_any_bit_below(struct big x, size_t i)
{
    size_t whole = i / LIMB_BITS;

    for (size_t k = 0; k < whole && k < x.count; k++)
        if (x.limbs[k] != 0)
            return true;
    return whole < x.count &&
           (x.limbs[whole] & ((UINT32_C(1) << (i % LIMB_BITS)) - 1)) != 0;
}

uint64_t
big_low_u64(struct big x)
{
    uint64_t u = x.count > 0 ? x.limbs[0] : 0;

    return x.count > 1 ? u | (uint64_t)x.limbs[1] << LIMB_BITS : u;
}

/* Limb i of x in two's complement; *carry is 1 before the first limb of a
 * negative number. */
static uint32_t
complement_limb(struct big x, size_t i, uint32_t *carry)
{
    uint32_t limb = i < x.count ? x.limbs[i] : 0;

    if (!x.negative)
        return limb;
    limb = ~limb + *carry;
    *carry = *carry && limb == 0;
    return limb;
}

static uint32_t
combine(enum big_bits op, uint32_t a, uint32_t b)
{
    if (op == BIG_AND)
        return a & b;
    return op == BIG_OR ? a | b : a ^ b;
}

struct big
big_bitwise(struct big_ctx *ctx, enum big_bits op, struct big x, struct big y)
{
    size_t n = (x.count > y.count ? x.count : y.count) + 1;
    uint32_t *limbs = new_limbs(ctx, n);
    uint32_t cx = 1, cy = 1, carry = 1;
    bool negative;

    if (!limbs)
        return (struct big){ 0 };
    for (size_t i = 0; i < n; i++)
        limbs[i] =
            combine(op, complement_limb(x, i, &cx), complement_limb(y, i, &cy));
    negative = limbs[n - 1] >> (LIMB_BITS - 1);
    for (size_t i = 0; negative && i < n; i++) {
        limbs[i] = ~limbs[i] + carry;
        carry = carry && limbs[i] == 0;
    }
    return trimmed(negative, limbs, n);
}

/* --- Division --- */

/* In place; returns the remainder. */
static uint32_t
divide_small(uint32_t *limbs, size_t count, uint32_t by)
{
    uint64_t rest = 0;

    for (size_t i = count; i-- > 0;) {
        rest = rest << LIMB_BITS | limbs[i];
        limbs[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    return (uint32_t)rest;
}

/* u[0..n] -= q * v[0..n-1]; true when it went below zero. */
static bool
subtract_multiple(uint32_t *u, const uint32_t *v, size_t n, uint32_t q)
{
    uint64_t carry = 0;
    int64_t borrow = 0;

    for (size_t i = 0; i < n; i++) {
        carry += (uint64_t)q * v[i];
        borrow += (int64_t)u[i] - (int64_t)(uint32_t)carry;
        u[i] = (uint32_t)borrow;
        borrow >>= LIMB_BITS;
        carry >>= LIMB_BITS;
    }
    borrow += (int64_t)u[n] - (int64_t)carry;
    u[n] = (uint32_t)borrow;
    return borrow < 0;
}

static void
add_back(uint32_t *u, const uint32_t *v, size_t n)
{
    uint64_t carry = 0;

    for (size_t i = 0; i < n; i++) {
        carry += (uint64_t)u[i] + v[i];
        u[i] = (uint32_t)carry;
        carry >>= LIMB_BITS;
    }
    u[n] += (uint32_t)carry;
}

/* One digit of the quotient: Knuth, TAOCP 4.3.1, algorithm D, steps D3-D6. */
static uint32_t
quotient_digit(uint32_t *u, const uint32_t *v, size_t n)
{
    uint64_t top = (uint64_t)u[n] << LIMB_BITS | u[n - 1];
    uint64_t guess = top / v[n - 1];
    uint64_t rest = top % v[n - 1];

    while (guess > UINT32_MAX ||
           guess * v[n - 2] > (rest << LIMB_BITS | u[n - 2])) {
        guess--;
        rest += v[n - 1];
        if (rest > UINT32_MAX)
            break;
    }
    if (subtract_multiple(u, v, n, (uint32_t)guess)) {
        guess--;
        add_back(u, v, n);
    }
    return (uint32_t)guess;
}

static struct big
divide_by_limb(struct big_ctx *ctx, struct big x, uint32_t by, struct big *rest)
{
    uint32_t *limbs = new_limbs(ctx, x.count);

    if (!limbs)
        return (struct big){ 0 };
    memcpy(limbs, x.limbs, x.count * sizeof(*limbs));
    *rest = big_from_u64(ctx, divide_small(limbs, x.count, by));
    return trimmed(false, limbs, x.count);
}

/* Both positive, y of at least two limbs, x not smaller. */
static struct big
divide_long(struct big_ctx *ctx, struct big x, struct big y, struct big *rest)
{
    size_t shift = (size_t)__builtin_clz(y.limbs[y.count - 1]);
    struct big v = big_shl(ctx, y, shift);
    struct big scaled = big_shl(ctx, x, shift);
    size_t m = x.count - y.count;
    uint32_t *u = new_limbs(ctx, x.count + 1);
    uint32_t *q = new_limbs(ctx, m + 1);

    if (!u || !q || ctx->failed)
        return (struct big){ 0 };
    memcpy(u, scaled.limbs, scaled.count * sizeof(*u));
    for (size_t j = m + 1; j-- > 0;)
        q[j] = quotient_digit(u + j, v.limbs, v.count);
    *rest = big_shr(ctx, trimmed(false, u, x.count + 1), shift);
    return trimmed(false, q, m + 1);
}

struct big
big_div(struct big_ctx *ctx, struct big x, struct big y, struct big *rest)
{
    struct big ax = x, ay = y, q, r = { 0 };

    ax.negative = ay.negative = false;
    if (big_compare_magnitude(x, y) < 0) {
        q = (struct big){ 0 };
        r = ax;
    } else if (y.count == 1) {
        q = divide_by_limb(ctx, ax, y.limbs[0], &r);
    } else {
        q = divide_long(ctx, ax, ay, &r);
    }
    *rest = x.negative ? big_negate(r) : r;
    return x.negative != y.negative ? big_negate(q) : q;
}

/* --- Text --- */

/* Writes backwards from end; returns the first character. */
static char *
write_decimal(uint32_t *limbs, size_t count, char *end)
{
    while (count > 0) {
        uint32_t chunk = divide_small(limbs, count, powers_of_ten[CHUNK]);

        while (count > 0 && limbs[count - 1] == 0)
            count--;
        for (int i = 0; i < CHUNK && (count > 0 || chunk > 0); i++) {
            *--end = (char)('0' + chunk % 10);
            chunk /= 10;
        }
    }
    return end;
}

static char *
write_bits(struct big x, unsigned base, char *end)
{
    unsigned width = base == 16 ? 4 : base == 8 ? 3 : 1;
    size_t bits = big_bit_length(x);

    for (size_t i = 0; i < bits; i += width) {
        unsigned digit = 0;

        for (unsigned k = 0; k < width; k++)
            digit |= (unsigned)big_bit(x, i + k) << k;
        *--end = "0123456789abcdef"[digit];
    }
    return end;
}

struct span
big_text(struct big_ctx *ctx, struct big x, unsigned base)
{
    size_t room = (base == 10 ? x.count * 10 : x.count * LIMB_BITS) + 2;
    char *text = ctx->failed ? NULL : arena_alloc(ctx->arena, room);
    uint32_t *copy = new_limbs(ctx, x.count);
    char *end, *at;

    if (!text || !copy) {
        ctx->failed = true;
        return (struct span){ 0 };
    }
    end = text + room;
    if (x.count > 0)
        memcpy(copy, x.limbs, x.count * sizeof(*copy));
    at = base == 10 ? write_decimal(copy, x.count, end)
                    : write_bits(x, base, end);
    if (at == end)
        *--at = '0';
    if (x.negative)
        *--at = '-';
    return span_of(at, (size_t)(end - at));
}
