/* Quantities with units: units.parse exactly, units.parse_bytes as the
 * reference computes it, in floating point. */
#include <string.h>

#include "base/limits.h"
#include "rego/bigint.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"
#include "rego/extended.h"

struct quantity {
    struct span number;
    struct span unit;
};

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Is the e at an offset an exponent rather than a unit? */
static bool
begins_exponent(struct span s, size_t at)
{
    return at + 1 < s.len && (is_digit(s.ptr[at + 1]) || s.ptr[at + 1] == '+' ||
                              s.ptr[at + 1] == '-');
}

/* The unit begins at the first character that cannot belong to a number. */
static struct quantity
split(struct span s)
{
    size_t at = 0;

    while (at < s.len) {
        uint8_t c = s.ptr[at];
        bool is_e = c == 'e' || c == 'E';

        if (is_e && !begins_exponent(s, at))
            break;
        if (!is_e && !is_digit(c) && c != '.' && c != '+' && c != '-')
            break;
        at += is_e && !is_digit(s.ptr[at + 1]) ? 2 : 1;
    }
    return (struct quantity){ span_sub(s, 0, at), span_sub(s, at, s.len) };
}

/* sign digits x 10^exponent */
struct decimal {
    bool negative;
    struct span digits; /* point removed; in the arena */
    int64_t exponent;
    bool too_large; /* more than six digits of exponent */
};

enum { EXPONENT_DIGITS = 6 };

static bool
read_exponent(struct span s, struct decimal *d)
{
    bool negative = false;
    int64_t e = 0;

    if (s.len > 0 && (s.ptr[0] == '+' || s.ptr[0] == '-')) {
        negative = s.ptr[0] == '-';
        s = span_sub(s, 1, s.len);
    }
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.ptr[i]))
            return false;
        if (e < 10000000)
            e = 10 * e + (s.ptr[i] - '0');
    }
    d->too_large = s.len > EXPONENT_DIGITS;
    d->exponent += negative ? -e : e;
    return true;
}

static bool
read_decimal(struct arena *a, struct span s, struct decimal *d, bool *nomem)
{
    uint8_t *digits = arena_alloc(a, s.len + 1);
    size_t n = 0, at = 0;
    bool point = false;

    *d = (struct decimal){ 0 };
    *nomem = !digits;
    if (!digits)
        return false;
    if (s.len > 0 && (s.ptr[0] == '+' || s.ptr[0] == '-'))
        d->negative = s.ptr[at++] == '-';
    for (; at < s.len && (is_digit(s.ptr[at]) || s.ptr[at] == '.'); at++) {
        if (s.ptr[at] == '.' && point)
            return false;
        point = point || s.ptr[at] == '.';
        if (s.ptr[at] == '.')
            continue;
        digits[n++] = s.ptr[at];
        d->exponent -= point;
    }
    d->digits = span_of(digits, n);
    if (n == 0)
        return false;
    if (at == s.len)
        return true;
    return (s.ptr[at] == 'e' || s.ptr[at] == 'E') &&
           read_exponent(span_sub(s, at + 1, s.len), d);
}

/* --- Units --- */

struct unit {
    uint32_t base;
    unsigned power; /* of the base */
    bool milli;
};

/* The reference takes a thousandth for the nearest double, which is this many
 * times 2^-60. Rounding to ten decimals hides it, unless numbers are huge. */
#define MILLI UINT64_C(1152921504606847)
enum { MILLI_BITS = 60 };

static int
prefix_power(uint8_t c)
{
    static const char letters[] = "kmgtpe";
    const char *at = c ? strchr(letters, c | 0x20) : NULL;

    return at ? (int)(at - letters) + 1 : -1;
}

/* m is milli, M is mega; what follows the first letter has any case. */
static bool
find_unit(struct span s, struct unit *u)
{
    int power;

    *u = (struct unit){ .base = 1000 };
    if (s.len == 0)
        return true;
    if (s.len == 1 && s.ptr[0] == 'm') {
        u->milli = true;
        return true;
    }
    power = prefix_power(s.ptr[0]);
    if (power < 0 || s.len > 2 || (s.len == 2 && (s.ptr[1] | 0x20) != 'i'))
        return false;
    u->base = s.len == 2 ? 1024 : 1000;
    u->power = (unsigned)power;
    return true;
}

static bool
find_byte_unit(struct span s, struct unit *u)
{
    int power = s.len > 0 ? prefix_power(s.ptr[0]) : 0;
    struct span rest = span_sub(s, 1, s.len);

    *u = (struct unit){ .base = 1000 };
    if (s.len == 0)
        return true;
    if (power < 0)
        return false;
    u->power = (unsigned)power;
    if (rest.len > 0 && (rest.ptr[0] | 0x20) == 'i') {
        u->base = 1024;
        rest = span_sub(rest, 1, rest.len);
    }
    return rest.len == 0 || (rest.len == 1 && (rest.ptr[0] | 0x20) == 'b');
}

/* --- Both --- */

struct reading {
    struct decimal number;
    struct unit unit;
};

static bool
strip_quotes(struct rego_call *call, struct span text, struct span *out)
{
    uint8_t *copy = arena_alloc(call->arena, text.len + 1);
    size_t n = 0;

    if (!copy)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '"')
            copy[n++] = text.ptr[i];
    *out = span_of(copy, n);
    return true;
}

static void
lower_ascii(struct span s, char out[64])
{
    size_t n = s.len < 63 ? s.len : 63;

    for (size_t i = 0; i < n; i++)
        out[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] + 32
                                                           : s.ptr[i]);
    out[n] = 0;
}

/* The name stands in the sentence once more, as in the reference. */
static enum builtin_outcome
refuse_exponent(struct rego_call *call)
{
    return call_fail(call, "%s: exponent too large", call->builtin->name);
}

static enum builtin_outcome
refuse_amount(struct rego_call *call, bool bytes, bool missing)
{
    return call_fail(call, "%s: %s %samount %s", call->builtin->name,
                     missing ? "no" : "could not parse", bytes ? "byte " : "",
                     missing ? "provided" : "to a number");
}

/* In the order in which the reference complains. */
static bool
read_quantity(struct rego_call *call, struct value arg, bool bytes,
              struct reading *r, enum builtin_outcome *bad)
{
    struct quantity q;
    struct span text;
    char unit[64];
    bool nomem = false, parsed;

    if (!strip_quotes(call, value_text(arg), &text)) {
        *bad = call_nomem(call);
        return false;
    }
    if (text.len > 0 && memchr(text.ptr, ' ', text.len)) {
        *bad = call_fail(call, "%s: spaces not allowed in resource strings",
                         call->builtin->name);
        return false;
    }
    q = split(text);
    if (q.number.len == 0) {
        *bad = refuse_amount(call, bytes, true);
        return false;
    }
    parsed = read_decimal(call->arena, q.number, &r->number, &nomem);
    if (nomem || r->number.too_large) {
        *bad = nomem ? call_nomem(call) : refuse_exponent(call);
        return false;
    }
    if (!(bytes ? find_byte_unit : find_unit)(q.unit, &r->unit)) {
        lower_ascii(q.unit, unit);
        if (!bytes && q.unit.len > 0)
            unit[0] = (char)q.unit.ptr[0];
        *bad = call_fail(call, "%s: %sunit %s not recognized",
                         call->builtin->name, bytes ? "byte " : "", unit);
        return false;
    }
    if (!parsed)
        *bad = refuse_amount(call, bytes, false);
    return parsed;
}

static bool
is_computable(const struct reading *r)
{
    return r->number.exponent <= LIMIT_REGO_NUMBER_DIGITS &&
           r->number.exponent >= -LIMIT_REGO_NUMBER_DIGITS &&
           r->number.digits.len <= LIMIT_REGO_NUMBER_DIGITS;
}

static enum builtin_outcome
answer(struct rego_call *call, struct arena *scratch, bool failed,
       struct span text, struct value *out)
{
    bool ok = false;
    bool made = !failed && number_parse(call->arena, text, &ok, out) && ok;

    arena_drop(scratch);
    return call_made(call, made);
}

enum { DECIMALS = 10 }; /* of a result that is no integer */

/* Digits of n x 10^-DECIMALS with a point. */
static struct span
with_point(struct big_ctx *ctx, struct big n)
{
    struct span all = big_text(ctx, n, 10);
    size_t sign = all.len > 0 && all.ptr[0] == '-';
    size_t digits = all.len - sign;
    size_t zeros = digits <= DECIMALS ? DECIMALS + 1 - digits : 0;
    char *text =
        ctx->failed ? NULL : arena_alloc(ctx->arena, all.len + zeros + 2);
    size_t used = 0, whole = digits + zeros - DECIMALS;

    if (!text) {
        ctx->failed = true;
        return (struct span){ 0 };
    }
    if (sign)
        text[used++] = '-';
    for (size_t i = 0; i < digits + zeros; i++) {
        if (i == whole)
            text[used++] = '.';
        text[used++] = i < zeros ? '0' : (char)all.ptr[sign + i - zeros];
    }
    return span_of(text, used);
}

static struct span
exact_text(struct big_ctx *ctx, const struct reading *r)
{
    int64_t exponent = r->number.exponent;
    struct big n = big_from_digits(ctx, r->number.digits);
    struct big by = big_pow(ctx, 10, (size_t)(exponent < 0 ? -exponent : 0));
    struct big rest = { 0 }, q;

    n = big_mul(ctx, n, big_pow(ctx, 10, exponent > 0 ? (size_t)exponent : 0));
    n = big_mul(ctx, n, big_pow(ctx, r->unit.base, r->unit.power));
    if (r->unit.milli) {
        n = big_mul(ctx, n, big_from_u64(ctx, MILLI));
        by = big_shl(ctx, by, MILLI_BITS);
    }
    if (r->number.negative)
        n = big_negate(n);
    if (ctx->failed)
        return (struct span){ 0 };
    q = big_div(ctx, n, by, &rest);
    if (rest.count == 0)
        return big_text(ctx, q, 10);
    q = big_div(ctx, big_mul(ctx, n, big_pow(ctx, 10, DECIMALS)), by, &rest);
    if (big_compare_magnitude(big_shl(ctx, rest, 1), by) >= 0)
        q = big_add(ctx, q, big_from_i64(ctx, n.negative ? -1 : 1));
    return with_point(ctx, q);
}

enum builtin_outcome
bi_units_parse(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    enum builtin_outcome bad;
    struct reading r;
    struct arena scratch;
    struct big_ctx ctx = { .arena = &scratch };
    struct span text;

    if (!args_check(call, args, n, &bad) ||
        !read_quantity(call, args[0], false, &r, &bad))
        return bad;
    if (!is_computable(&r))
        return refuse_exponent(call);
    arena_init(&scratch, call->arena->left, call->arena->alloc);
    text = exact_text(&ctx, &r);
    return answer(call, &scratch, ctx.failed, text, out);
}

enum builtin_outcome
bi_units_parse_bytes(struct rego_call *call, const struct value *args, size_t n,
                     struct value *out)
{
    enum builtin_outcome bad;
    struct reading r;
    struct arena scratch;
    struct big_ctx ctx = { .arena = &scratch };
    struct extended x, factor;
    struct span text = { 0 };
    int rest;

    if (!args_check(call, args, n, &bad) ||
        !read_quantity(call, args[0], true, &r, &bad))
        return bad;
    if (!is_computable(&r))
        return refuse_exponent(call);
    arena_init(&scratch, call->arena->left, call->arena->alloc);
    x = extended_from_decimal(&ctx, r.number.negative, r.number.digits,
                              r.number.exponent);
    factor = extended_from_big(big_pow(&ctx, r.unit.base, r.unit.power));
    if (!ctx.failed)
        text = big_text(
            &ctx, extended_truncate(&ctx, extended_mul(x, factor), &rest), 10);
    return answer(call, &scratch, ctx.failed, text, out);
}
