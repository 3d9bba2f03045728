/* Arithmetic, rounding, bits, ranges. */
#include "base/limits.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"

static uint64_t
number_length(struct value v)
{
    return v.tag == VALUE_NUMBER ? v.number->text.len : 0;
}

/* What multiplying or dividing these may take, in steps. */
static bool
charge_numbers(struct rego_call *call, struct value x, struct value y)
{
    uint64_t a = number_length(x), b = number_length(y);

    return a + b == 0 || call_charge(call, (a + b) / 8 + a * b / 4096);
}

static enum builtin_outcome
arith(struct rego_call *call, enum number_op op, const struct value *args,
      struct value *out)
{
    enum builtin_outcome bad;

    if (!arg_is(call, args, 0, TYPE_NUMBER, &bad) ||
        !arg_is(call, args, 1, TYPE_NUMBER, &bad))
        return bad;
    if (!charge_numbers(call, args[0], args[1]))
        return call_abort(call, ASSAY_ERR_LIMIT);
    return call_number(call,
                       number_arith(call->arena, op, args[0], args[1], out));
}

enum builtin_outcome
bi_plus(struct rego_call *call, const struct value *args, size_t n,
        struct value *out)
{
    (void)n;
    return arith(call, NUMBER_ADD, args, out);
}

enum builtin_outcome
bi_mul(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)n;
    return arith(call, NUMBER_MUL, args, out);
}

enum builtin_outcome
bi_div(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)n;
    return arith(call, NUMBER_DIV, args, out);
}

enum builtin_outcome
bi_rem(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)n;
    return arith(call, NUMBER_REM, args, out);
}

/* Of numbers, or of sets: both operands alike. */
enum builtin_outcome
bi_minus(struct rego_call *call, const struct value *args, size_t n,
         struct value *out)
{
    enum builtin_outcome bad;

    if (!arg_in(call, args, 0, "number, set", &bad))
        return bad;
    if (args[0].tag != VALUE_SET)
        return arith(call, NUMBER_SUB, args, out);
    if (!arg_is(call, args, 1,
                value_is_number(args[1]) || args[1].tag == VALUE_SET
                    ? TYPE_SET
                    : TYPE_NUMBER,
                &bad))
        return bad;
    return bi_set_diff(call, args, n, out);
}

/* --- Rounding --- */

static enum builtin_outcome
rounded(struct rego_call *call, enum number_round how, const struct value *args,
        struct value *out)
{
    enum builtin_outcome bad;

    if (!arg_is(call, args, 0, TYPE_NUMBER, &bad))
        return bad;
    return call_number(call, number_rounded(call->arena, how, args[0], out));
}

enum builtin_outcome
bi_abs(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)n;
    return rounded(call, NUMBER_ABS, args, out);
}

enum builtin_outcome
bi_round(struct rego_call *call, const struct value *args, size_t n,
         struct value *out)
{
    (void)n;
    return rounded(call, NUMBER_ROUND, args, out);
}

enum builtin_outcome
bi_ceil(struct rego_call *call, const struct value *args, size_t n,
        struct value *out)
{
    (void)n;
    return rounded(call, NUMBER_CEIL, args, out);
}

enum builtin_outcome
bi_floor(struct rego_call *call, const struct value *args, size_t n,
         struct value *out)
{
    (void)n;
    return rounded(call, NUMBER_FLOOR, args, out);
}

/* --- Bits --- */

static enum builtin_outcome
bitwise(struct rego_call *call, enum number_bits op, const struct value *args,
        struct value *out)
{
    enum builtin_outcome bad;

    if (!arg_any_integer(call, args, 0, &bad) ||
        !arg_any_integer(call, args, 1, &bad))
        return bad;
    return call_number(call,
                       number_bitwise(call->arena, op, args[0], args[1], out));
}

enum builtin_outcome
bi_bits_and(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    (void)n;
    return bitwise(call, NUMBER_AND, args, out);
}

enum builtin_outcome
bi_bits_or(struct rego_call *call, const struct value *args, size_t n,
           struct value *out)
{
    (void)n;
    return bitwise(call, NUMBER_OR, args, out);
}

enum builtin_outcome
bi_bits_xor(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    (void)n;
    return bitwise(call, NUMBER_XOR, args, out);
}

/* -x - 1 */
enum builtin_outcome
bi_bits_negate(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    enum builtin_outcome bad;

    (void)n;
    if (!arg_any_integer(call, args, 0, &bad))
        return bad;
    return call_number(call, number_bitwise(call->arena, NUMBER_XOR, args[0],
                                            value_int(-1), out));
}

static enum builtin_outcome
shift(struct rego_call *call, enum number_bits op, const struct value *args,
      struct value *out)
{
    enum builtin_outcome bad;

    if (!arg_any_integer(call, args, 0, &bad) ||
        !arg_any_integer(call, args, 1, &bad))
        return bad;
    if (value_compare(args[1], value_int(0)) < 0)
        return call_type_error(call,
                               "operand 2 must be an unsigned integer number "
                               "but got a negative integer");
    return call_number(call,
                       number_bitwise(call->arena, op, args[0], args[1], out));
}

enum builtin_outcome
bi_bits_lsh(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    (void)n;
    return shift(call, NUMBER_LSH, args, out);
}

enum builtin_outcome
bi_bits_rsh(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    (void)n;
    return shift(call, NUMBER_RSH, args, out);
}

enum builtin_outcome
bi_format_int(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    enum builtin_outcome bad;
    struct span text;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_NUMBER, &bad) ||
        !arg_is(call, args, 1, TYPE_NUMBER, &bad))
        return bad;
    if (args[1].tag != VALUE_INT ||
        (args[1].integer != 2 && args[1].integer != 8 &&
         args[1].integer != 10 && args[1].integer != 16))
        return call_type_error(call, "operand 2 must be one of {2, 8, 10, 16}");
    bad = call_number(call, number_format(call->arena, args[0],
                                          (unsigned)args[1].integer, &text));
    return bad == BUILTIN_OK ? call_text(call, text, out) : bad;
}

/* --- Ranges --- */

static bool
small_integer(struct value v, int64_t *out)
{
    if (v.tag != VALUE_INT && !v.number->fits)
        return false;
    *out = v.tag == VALUE_INT ? v.integer : v.number->small;
    return true;
}

static enum builtin_outcome
fill_range(struct rego_call *call, const struct value *args, int64_t step,
           struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    int64_t from, to;
    uint64_t distance, count;

    if (!small_integer(args[0], &from) || !small_integer(args[1], &to))
        return call_fail(call, "range too large");
    distance = from <= to ? (uint64_t)to - (uint64_t)from
                          : (uint64_t)from - (uint64_t)to;
    count = distance / (uint64_t)step;
    if (count >= LIMIT_REGO_RANGE)
        return call_fail(call, "range too large");
    if (!call_charge(call, count))
        return call_abort(call, ASSAY_ERR_LIMIT);
    for (uint64_t i = 0; i <= count; i++) {
        uint64_t by = i * (uint64_t)step;

        value_list_add(&list,
                       value_int((int64_t)(from <= to ? (uint64_t)from + by
                                                      : (uint64_t)from - by)));
    }
    return call_made(call, value_list_array(&list, out));
}

enum builtin_outcome
bi_numbers_range(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    enum builtin_outcome bad;

    (void)n;
    if (!arg_any_integer(call, args, 0, &bad) ||
        !arg_any_integer(call, args, 1, &bad))
        return bad;
    return fill_range(call, args, 1, out);
}

enum builtin_outcome
bi_numbers_range_step(struct rego_call *call, const struct value *args,
                      size_t n, struct value *out)
{
    enum builtin_outcome bad;
    int64_t step = INT64_MAX;

    (void)n;
    if (!arg_any_integer(call, args, 0, &bad) ||
        !arg_any_integer(call, args, 1, &bad) ||
        !arg_any_integer(call, args, 2, &bad))
        return bad;
    if (value_compare(args[2], value_int(0)) <= 0)
        return call_fail(call, "%s: step must be a positive integer",
                         call->builtin->name);
    (void)small_integer(args[2], &step);
    return fill_range(call, args, step, out);
}
