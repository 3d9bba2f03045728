/* Set operations. Elements are sorted, so that merging does the work. */
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"

enum keep { KEEP_LEFT = 1, KEEP_RIGHT = 2, KEEP_BOTH = 4 };

/* The elements that are in the left set only, the right only, or both. */
static bool
merge(struct arena *arena, struct value left, struct value right, unsigned keep,
      struct value *out)
{
    struct value_list list = value_list_in(arena);
    struct items a = value_items(left), b = value_items(right);
    size_t i = 0, k = 0;

    while (i < a.count || k < b.count) {
        int c;

        if (i == a.count || k == b.count)
            c = i == a.count ? 1 : -1;
        else
            c = value_compare(a.at[i], b.at[k]);
        if (c < 0   ? keep & KEEP_LEFT
            : c > 0 ? keep & KEEP_RIGHT
                    : keep & KEEP_BOTH)
            value_list_add(&list, c <= 0 ? a.at[i] : b.at[k]);
        i += c <= 0;
        k += c >= 0;
    }
    return value_list_set(&list, out);
}

static enum builtin_outcome
combine(struct rego_call *call, const struct value *args, unsigned keep,
        struct value *out)
{
    enum builtin_outcome bad;

    if (!arg_is(call, args, 0, TYPE_SET, &bad) ||
        !arg_is(call, args, 1, TYPE_SET, &bad))
        return bad;
    if (!call_charge(call, value_count(args[0]) + value_count(args[1])))
        return call_abort(call, ASSAY_ERR_LIMIT);
    return call_made(call, merge(call->arena, args[0], args[1], keep, out));
}

enum builtin_outcome
bi_and(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)n;
    return combine(call, args, KEEP_BOTH, out);
}

enum builtin_outcome
bi_or(struct rego_call *call, const struct value *args, size_t n,
      struct value *out)
{
    (void)n;
    return combine(call, args, KEEP_LEFT | KEEP_RIGHT | KEEP_BOTH, out);
}

enum builtin_outcome
bi_set_diff(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    (void)n;
    return combine(call, args, KEEP_LEFT, out);
}

enum builtin_outcome
bi_intersection(struct rego_call *call, const struct value *args, size_t n,
                struct value *out)
{
    enum builtin_outcome bad;
    struct items sets;
    struct value total;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_SET, &bad) ||
        !arg_elements(call, args, 0, TYPE_SET, &bad))
        return bad;
    sets = value_items(args[0]);
    if (sets.count == 0) {
        *out = args[0];
        return BUILTIN_OK;
    }
    total = sets.at[0];
    for (size_t i = 1; i < sets.count; i++) {
        if (!call_charge(call, value_count(sets.at[i])))
            return call_abort(call, ASSAY_ERR_LIMIT);
        if (!merge(call->arena, total, sets.at[i], KEEP_BOTH, &total))
            return call_nomem(call);
    }
    *out = total;
    return BUILTIN_OK;
}

enum builtin_outcome
bi_union(struct rego_call *call, const struct value *args, size_t n,
         struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    enum builtin_outcome bad;
    struct items sets;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_SET, &bad) ||
        !arg_elements(call, args, 0, TYPE_SET, &bad))
        return bad;
    sets = value_items(args[0]);
    for (size_t i = 0; i < sets.count; i++) {
        struct items items = value_items(sets.at[i]);

        if (!call_charge(call, items.count))
            return call_abort(call, ASSAY_ERR_LIMIT);
        for (size_t k = 0; k < items.count; k++)
            value_list_add(&list, items.at[k]);
    }
    return call_made(call, value_list_set(&list, out));
}
