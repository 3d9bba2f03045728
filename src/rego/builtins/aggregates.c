/* Functions over the elements of a collection. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"

size_t
text_runes(struct span text)
{
    size_t runes = 0;

    for (size_t at = 0; at < text.len; runes++) {
        uint32_t rune;
        size_t n =
            text.ptr[at] < 0x80 ? 1 : utf8_decode(span_sub(text, at, 4), &rune);

        at += n > 0 ? n : 1; /* a stray byte counts for one */
    }
    return runes;
}

enum builtin_outcome
bi_count(struct rego_call *call, const struct value *args, size_t n,
         struct value *out)
{
    enum builtin_outcome bad;

    (void)n;
    if (!arg_in(call, args, 0, "array, object, set, string", &bad))
        return bad;
    if (args[0].tag == VALUE_STRING)
        return call_int((int64_t)text_runes(value_text(args[0])), out);
    return call_int((int64_t)value_count(args[0]), out);
}

static enum builtin_outcome
fold(struct rego_call *call, enum number_op op, int64_t start,
     const struct value *args, struct value *out)
{
    enum builtin_outcome bad;
    struct items items;
    struct value total = value_int(start);
    bool exact;

    if (!arg_in(call, args, 0, "set, array", &bad) ||
        !arg_elements(call, args, 0, TYPE_NUMBER, &bad))
        return bad;
    items = value_items(args[0]);
    if (!call_charge(call, items.count))
        return call_abort(call, ASSAY_ERR_LIMIT);
    /* One fraction among them takes all of them to floating point. */
    exact = true;
    for (size_t i = 0; i < items.count; i++)
        exact = exact && number_is_integer(items.at[i]);
    for (size_t i = 0; i < items.count; i++) {
        bad =
            call_number(call, (exact ? number_arith : number_arith_float)(
                                  call->arena, op, total, items.at[i], &total));
        if (bad != BUILTIN_OK)
            return bad;
    }
    *out = total;
    return BUILTIN_OK;
}

enum builtin_outcome
bi_sum(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)n;
    return fold(call, NUMBER_ADD, 0, args, out);
}

enum builtin_outcome
bi_product(struct rego_call *call, const struct value *args, size_t n,
           struct value *out)
{
    (void)n;
    return fold(call, NUMBER_MUL, 1, args, out);
}

static enum builtin_outcome
extreme(struct rego_call *call, int sign, const struct value *args,
        struct value *out)
{
    enum builtin_outcome bad;
    struct items items;
    struct value best;

    if (!arg_in(call, args, 0, "set, array", &bad))
        return bad;
    items = value_items(args[0]);
    if (items.count == 0)
        return BUILTIN_UNDEFINED;
    /* The reference starts the search of a set's least element at null, and
     * so passes over it where there is another. */
    if (sign < 0 && args[0].tag == VALUE_SET && items.count > 1 &&
        items.at[0].tag == VALUE_NULL)
        items.at++, items.count--;
    best = items.at[0];
    for (size_t i = 1; i < items.count; i++) {
        int c = value_compare(items.at[i], best);

        if (sign > 0 ? c > 0 : c < 0)
            best = items.at[i];
    }
    *out = best;
    return BUILTIN_OK;
}

enum builtin_outcome
bi_max(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)n;
    return extreme(call, 1, args, out);
}

enum builtin_outcome
bi_min(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)n;
    return extreme(call, -1, args, out);
}

static struct value *
copy_items(struct rego_call *call, struct items items)
{
    struct value *copy = arena_array(call->arena, items.count, sizeof(*copy));

    if (copy && items.count > 0)
        memcpy(copy, items.at, items.count * sizeof(*copy));
    return copy;
}

static int
compare_cells(const void *a, const void *b)
{
    return value_compare(*(const struct value *)a, *(const struct value *)b);
}

/* Equal elements print differently at most (1 and 1.0): the order among them
 * is left to qsort. */
enum builtin_outcome
bi_sort(struct rego_call *call, const struct value *args, size_t n,
        struct value *out)
{
    enum builtin_outcome bad;
    struct items items;
    struct value *sorted;

    (void)n;
    if (!arg_in(call, args, 0, "set, array", &bad))
        return bad;
    items = value_items(args[0]);
    sorted = copy_items(call, items);
    if (!sorted)
        return call_nomem(call);
    if (args[0].tag == VALUE_ARRAY && items.count > 1)
        qsort(sorted, items.count, sizeof(*sorted), compare_cells);
    return call_made(call, value_array(call->arena, sorted, items.count, out));
}

enum builtin_outcome
bi_all(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    enum builtin_outcome bad;
    struct items items;
    bool all = true;

    (void)n;
    if (!arg_in(call, args, 0, "array, set", &bad))
        return bad;
    items = value_items(args[0]);
    for (size_t i = 0; i < items.count; i++)
        all = all && value_is_true(items.at[i]);
    return call_bool(all, out);
}

enum builtin_outcome
bi_any(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    enum builtin_outcome bad;
    struct items items;
    bool any = false;

    (void)n;
    if (!arg_in(call, args, 0, "array, set", &bad))
        return bad;
    items = value_items(args[0]);
    for (size_t i = 0; i < items.count; i++)
        any = any || value_is_true(items.at[i]);
    return call_bool(any, out);
}

/* --- Arrays --- */

enum builtin_outcome
bi_array_concat(struct rego_call *call, const struct value *args, size_t n,
                struct value *out)
{
    enum builtin_outcome bad;
    struct items a, b;
    struct value *joined;

    if (!args_check(call, args, n, &bad))
        return bad;
    a = value_items(args[0]);
    b = value_items(args[1]);
    joined = arena_array(call->arena, a.count + b.count, sizeof(*joined));
    if (!joined)
        return call_nomem(call);
    if (a.count > 0)
        memcpy(joined, a.at, a.count * sizeof(*joined));
    if (b.count > 0)
        memcpy(joined + a.count, b.at, b.count * sizeof(*joined));
    return call_made(call,
                     value_array(call->arena, joined, a.count + b.count, out));
}

enum builtin_outcome
bi_array_flatten(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    enum builtin_outcome bad;
    struct items items;

    if (!args_check(call, args, n, &bad))
        return bad;
    items = value_items(args[0]);
    for (size_t i = 0; i < items.count; i++) {
        struct items inner = { &items.at[i], 1 };

        if (items.at[i].tag == VALUE_ARRAY)
            inner = value_items(items.at[i]);
        for (size_t k = 0; k < inner.count; k++)
            value_list_add(&list, inner.at[k]);
    }
    return call_made(call, value_list_array(&list, out));
}

enum builtin_outcome
bi_array_reverse(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    enum builtin_outcome bad;
    struct items items;
    struct value *copy;

    if (!args_check(call, args, n, &bad))
        return bad;
    items = value_items(args[0]);
    copy = copy_items(call, items);
    if (!copy)
        return call_nomem(call);
    for (size_t i = 0; i < items.count; i++)
        copy[i] = items.at[items.count - 1 - i];
    return call_made(call, value_array(call->arena, copy, items.count, out));
}

static size_t
clamp(int64_t i, size_t most)
{
    if (i < 0)
        return 0;
    return (uint64_t)i > most ? most : (size_t)i;
}

enum builtin_outcome
bi_array_slice(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    enum builtin_outcome bad;
    struct items items;
    int64_t start, stop;
    size_t from, to;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_ARRAY, &bad) ||
        !arg_integer(call, args, 1, &start, &bad) ||
        !arg_integer(call, args, 2, &stop, &bad))
        return bad;
    items = value_items(args[0]);
    from = clamp(start, items.count);
    to = clamp(stop, items.count);
    if (to < from)
        to = from;
    return call_made(call,
                     value_array(call->arena, items.at + from, to - from, out));
}
