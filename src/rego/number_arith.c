#include <string.h>

#include "base/limits.h"
#include "rego/bigint.h"
#include "rego/extended.h"
#include "rego/number.h"

/* Intermediate numbers live in an arena of their own. */
struct work {
    struct arena scratch;
    struct big_ctx ctx;
};

static void
work_begin(struct work *w, struct arena *a)
{
    arena_init(&w->scratch, a->left, a->alloc);
    w->ctx = (struct big_ctx){ .arena = &w->scratch };
}

static enum number_result
work_end(struct work *w, struct arena *a, struct span text, struct value *out)
{
    enum number_result r = NUMBER_OK;
    bool ok = false;

    if (w->ctx.failed)
        r = NUMBER_NOMEM;
    else if (text.len > LIMIT_REGO_NUMBER_DIGITS + 1)
        r = NUMBER_TOO_BIG;
    else if (!number_parse(a, text, &ok, out) || !ok)
        r = NUMBER_NOMEM;
    arena_drop(&w->scratch);
    return r;
}

/* Would writing it out take more digits than we compute with? */
static bool
is_too_big(struct value v)
{
    const struct value_number *n = v.number;

    return v.tag == VALUE_NUMBER && (n->exponent > LIMIT_REGO_NUMBER_DIGITS ||
                                     n->exponent < -LIMIT_REGO_NUMBER_DIGITS ||
                                     n->digits.len > LIMIT_REGO_NUMBER_DIGITS);
}

static struct big
to_big(struct big_ctx *ctx, struct value v)
{
    const struct value_number *n = v.number;
    struct big x;

    if (v.tag == VALUE_INT)
        return big_from_i64(ctx, v.integer);
    x = big_from_digits(ctx, n->digits);
    if (n->exponent > (int64_t)n->digits.len)
        x = big_mul(ctx, x,
                    big_pow(ctx, 10, (size_t)n->exponent - n->digits.len));
    return n->negative ? big_negate(x) : x;
}

static struct extended
to_extended(struct big_ctx *ctx, struct value v)
{
    const struct value_number *n = v.number;

    if (v.tag == VALUE_INT)
        return extended_from_big(big_from_i64(ctx, v.integer));
    return extended_from_decimal(ctx, n->negative, n->digits,
                                 n->exponent - (int64_t)n->digits.len);
}

static bool
is_zero(struct value v)
{
    return v.tag == VALUE_INT ? v.integer == 0 : v.number->digits.len == 0;
}

/* --- Arithmetic --- */

static bool
small_arith(enum number_op op, int64_t x, int64_t y, struct value *out)
{
    int64_t i;
    bool overflow = true;

    if (op == NUMBER_ADD)
        overflow = __builtin_add_overflow(x, y, &i);
    else if (op == NUMBER_SUB)
        overflow = __builtin_sub_overflow(x, y, &i);
    else if (op == NUMBER_MUL)
        overflow = __builtin_mul_overflow(x, y, &i);
    else if (y != 0 && y != -1 && (op == NUMBER_REM || x % y == 0)) {
        i = op == NUMBER_REM ? x % y : x / y;
        overflow = false;
    }
    if (!overflow)
        *out = value_int(i);
    return !overflow;
}

static enum number_result
integer_arith(struct arena *a, enum number_op op, struct value x,
              struct value y, struct value *out)
{
    struct work w;
    struct big p, q, r = { 0 };

    work_begin(&w, a);
    p = to_big(&w.ctx, x);
    q = to_big(&w.ctx, y);
    if (op == NUMBER_ADD)
        r = big_add(&w.ctx, p, q);
    else if (op == NUMBER_SUB)
        r = big_sub(&w.ctx, p, q);
    else if (op == NUMBER_MUL)
        r = big_mul(&w.ctx, p, q);
    else if (!w.ctx.failed)
        (void)big_div(&w.ctx, p, q, &r);
    return work_end(&w, a, big_text(&w.ctx, r, 10), out);
}

static enum number_result
extended_arith(struct arena *a, enum number_op op, struct value x,
               struct value y, struct value *out)
{
    struct work w;
    struct extended p, q;
    struct span text;

    work_begin(&w, a);
    p = to_extended(&w.ctx, x);
    q = to_extended(&w.ctx, y);
    if (op == NUMBER_SUB)
        q.negative = !q.negative;
    if (op == NUMBER_MUL)
        p = extended_mul(p, q);
    else if (op == NUMBER_DIV)
        p = w.ctx.failed ? p : extended_div(p, q);
    else
        p = extended_add(p, q);
    if (p.exponent > EXTENDED_EXPONENT_MAX ||
        p.exponent < -EXTENDED_EXPONENT_MAX) {
        arena_drop(&w.scratch);
        return NUMBER_TOO_BIG;
    }
    text = extended_text(&w.ctx, p);
    return work_end(&w, a, text, out);
}

enum number_result
number_arith(struct arena *a, enum number_op op, struct value x, struct value y,
             struct value *out)
{
    bool integers = number_is_integer(x) && number_is_integer(y);

    if (x.tag == VALUE_INT && y.tag == VALUE_INT &&
        small_arith(op, x.integer, y.integer, out))
        return NUMBER_OK;
    if (op == NUMBER_REM && !integers)
        return NUMBER_REM_FRACTION;
    if ((op == NUMBER_DIV || op == NUMBER_REM) && is_zero(y))
        return op == NUMBER_DIV ? NUMBER_DIV_ZERO : NUMBER_REM_ZERO;
    if (is_too_big(x) || is_too_big(y))
        return NUMBER_TOO_BIG;
    if (integers && op != NUMBER_DIV)
        return integer_arith(a, op, x, y, out);
    return extended_arith(a, op, x, y, out);
}

enum number_result
number_arith_float(struct arena *a, enum number_op op, struct value x,
                   struct value y, struct value *out)
{
    if (op == NUMBER_DIV && is_zero(y))
        return NUMBER_DIV_ZERO;
    if (is_too_big(x) || is_too_big(y))
        return NUMBER_TOO_BIG;
    return extended_arith(a, op, x, y, out);
}

/* --- Rounding --- */

static struct big
round_away(struct big_ctx *ctx, enum number_round how, struct extended x)
{
    int rest;
    struct big n = extended_truncate(ctx, x, &rest);
    bool away;

    if (rest == 2) /* nothing was cut off */
        return n;
    away = how == NUMBER_ROUND  ? rest >= 0
           : how == NUMBER_CEIL ? !x.negative
                                : x.negative;
    if (!away)
        return n;
    return big_add(ctx, n, big_from_i64(ctx, x.negative ? -1 : 1));
}

enum number_result
number_rounded(struct arena *a, enum number_round how, struct value x,
               struct value *out)
{
    struct work w;
    struct extended e;
    struct span text;

    if (x.tag == VALUE_INT && (how != NUMBER_ABS || x.integer >= 0)) {
        *out = x;
        return NUMBER_OK;
    }
    if (is_too_big(x))
        return NUMBER_TOO_BIG;
    work_begin(&w, a);
    e = to_extended(&w.ctx, x);
    if (how == NUMBER_ABS) {
        e.negative = false;
        text = extended_text(&w.ctx, e);
    } else {
        text = big_text(&w.ctx, round_away(&w.ctx, how, e), 10);
    }
    return work_end(&w, a, text, out);
}

/* --- Bits --- */

/* Rounds towards minus infinity, as two's complement does. */
static struct big
shift_right(struct big_ctx *ctx, struct big x, size_t bits)
{
    bool lost = big_any_bit_below(x, bits);
    struct big n = big_shr(ctx, x, bits);

    if (x.negative && (lost || n.count == 0))
        n = big_sub(ctx, n, big_from_u64(ctx, lost ? 1 : 0));
    return n;
}

enum { SHIFT_MAX = 100000 }; /* bits: the largest literal's */

static enum number_result
shifted(struct arena *a, enum number_bits op, struct value x, int64_t bits,
        struct value *out)
{
    struct work w;
    struct big n;

    if (op == NUMBER_LSH && bits > SHIFT_MAX && !is_zero(x))
        return NUMBER_TOO_BIG;
    work_begin(&w, a);
    n = to_big(&w.ctx, x);
    if (op == NUMBER_LSH)
        n = n.count == 0 ? n : big_shl(&w.ctx, n, (size_t)bits);
    else
        n = shift_right(&w.ctx, n, (size_t)bits);
    return work_end(&w, a, big_text(&w.ctx, n, 10), out);
}

enum number_result
number_bitwise(struct arena *a, enum number_bits op, struct value x,
               struct value y, struct value *out)
{
    static const enum big_bits ops[] = { BIG_AND, BIG_OR, BIG_XOR };
    struct work w;
    struct big n;

    if (is_too_big(x) || is_too_big(y))
        return NUMBER_TOO_BIG;
    if (op == NUMBER_LSH || op == NUMBER_RSH) {
        if (y.tag != VALUE_INT && y.number->fits)
            y = value_int(y.number->small);
        if (y.tag != VALUE_INT)
            return NUMBER_TOO_BIG;
        return shifted(a, op, x, y.integer, out);
    }
    work_begin(&w, a);
    n = big_bitwise(&w.ctx, ops[op], to_big(&w.ctx, x), to_big(&w.ctx, y));
    return work_end(&w, a, big_text(&w.ctx, n, 10), out);
}

enum number_result
number_format(struct arena *a, struct value x, unsigned base, struct span *text)
{
    struct work w;
    struct big n;
    struct span made;
    int rest;
    bool kept;

    if (is_too_big(x))
        return NUMBER_TOO_BIG;
    work_begin(&w, a);
    if (number_is_integer(x))
        n = to_big(&w.ctx, x);
    else
        n = extended_truncate(&w.ctx, to_extended(&w.ctx, x), &rest);
    made = big_text(&w.ctx, n, base);
    kept = !w.ctx.failed && arena_dup(a, made, text);
    arena_drop(&w.scratch);
    return kept ? NUMBER_OK : NUMBER_NOMEM;
}
