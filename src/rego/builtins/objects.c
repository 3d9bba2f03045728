/* Objects: keys, subsets, unions. */
#include <string.h>

#include "rego/builtins/call.h"
#include "rego/builtins/table.h"

static bool subset_of(struct value super, struct value sub);

enum builtin_outcome
bi_object_keys(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    for (size_t i = 0; i < args[0].object->head.count; i++)
        value_list_add(&list, args[0].object->pairs[i].key);
    return call_made(call, value_list_set(&list, out));
}

/* An array is a path; undefined where it leads nowhere. */
static struct value
follow(struct value at, struct value path)
{
    struct items steps = value_items(path);

    for (size_t i = 0; i < steps.count && at.tag != VALUE_UNDEFINED; i++)
        at = value_lookup(at, steps.at[i]);
    return at;
}

enum builtin_outcome
bi_object_get(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    enum builtin_outcome bad;
    struct value found;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_OBJECT, &bad))
        return bad;
    found = args[1].tag == VALUE_ARRAY ? follow(args[0], args[1])
                                       : value_lookup(args[0], args[1]);
    *out = found.tag == VALUE_UNDEFINED ? args[2] : found;
    return BUILTIN_OK;
}

static bool
names_key(struct value keys, struct value key)
{
    struct items items;

    if (keys.tag != VALUE_ARRAY)
        return value_lookup(keys, key).tag != VALUE_UNDEFINED;
    items = value_items(keys);
    for (size_t i = 0; i < items.count; i++)
        if (value_equal(items.at[i], key))
            return true;
    return false;
}

/* Keeps the members that are named, or the others. */
static enum builtin_outcome
select_keys(struct rego_call *call, const struct value *args, bool named,
            struct value *out)
{
    struct value_map map = value_map_in(call->arena);
    enum builtin_outcome bad;
    const struct value_object *o;
    size_t cost;

    if (!arg_is(call, args, 0, TYPE_OBJECT, &bad) ||
        !arg_in(call, args, 1, "object, set, array", &bad))
        return bad;
    o = args[0].object;
    cost = args[1].tag == VALUE_ARRAY ? value_count(args[1]) : 1;
    if (!call_charge(call, o->head.count * cost))
        return call_abort(call, ASSAY_ERR_LIMIT);
    for (size_t i = 0; i < o->head.count; i++)
        if (names_key(args[1], o->pairs[i].key) == named)
            value_map_add(&map, o->pairs[i].key, o->pairs[i].value);
    return call_made(call, value_map_object(&map, NULL, out));
}

enum builtin_outcome
bi_object_filter(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    (void)n;
    return select_keys(call, args, true, out);
}

enum builtin_outcome
bi_object_remove(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    (void)n;
    return select_keys(call, args, false, out);
}

/* --- Union --- */

/* Recursion is bounded by the depth of values. */
static bool
unite(struct arena *a, const struct value_object *left,
      const struct value_object *right, struct value *out)
{
    struct value_map map = value_map_in(a);
    size_t i = 0, k = 0;

    while (i < left->head.count || k < right->head.count) {
        struct value_pair p;
        int c;

        if (i == left->head.count || k == right->head.count)
            c = i == left->head.count ? 1 : -1;
        else
            c = value_compare(left->pairs[i].key, right->pairs[k].key);
        p = c < 0 ? left->pairs[i] : right->pairs[k];
        if (c == 0 && p.value.tag == VALUE_OBJECT &&
            left->pairs[i].value.tag == VALUE_OBJECT &&
            !unite(a, left->pairs[i].value.object, p.value.object, &p.value))
            return false;
        value_map_add(&map, p.key, p.value);
        i += c <= 0;
        k += c >= 0;
    }
    return value_map_object(&map, NULL, out);
}

enum builtin_outcome
bi_object_union(struct rego_call *call, const struct value *args, size_t n,
                struct value *out)
{
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    return call_made(call,
                     unite(call->arena, args[0].object, args[1].object, out));
}

enum builtin_outcome
bi_object_union_n(struct rego_call *call, const struct value *args, size_t n,
                  struct value *out)
{
    enum builtin_outcome bad;
    struct items items;
    struct value total;

    if (!args_check(call, args, n, &bad) ||
        !arg_elements(call, args, 0, TYPE_OBJECT, &bad))
        return bad;
    items = value_items(args[0]);
    if (!value_object(call->arena, NULL, 0, NULL, &total))
        return call_nomem(call);
    for (size_t i = 0; i < items.count; i++) {
        if (!call_charge(call, value_count(total)))
            return call_abort(call, ASSAY_ERR_LIMIT);
        if (!unite(call->arena, total.object, items.at[i].object, &total))
            return call_nomem(call);
    }
    *out = total;
    return BUILTIN_OK;
}

/* --- Subset --- */

static bool
object_contains(const struct value_object *super,
                const struct value_object *sub)
{
    for (size_t i = 0; i < sub->head.count; i++) {
        struct value want = sub->pairs[i].value;
        const struct value *got = value_object_get(super, sub->pairs[i].key);

        if (!got)
            return false;
        if (value_equal(*got, want))
            continue;
        if (got->tag != want.tag)
            return false;
        if (want.tag == VALUE_OBJECT) {
            if (!object_contains(got->object, want.object))
                return false;
        } else if (want.tag == VALUE_SET || want.tag == VALUE_ARRAY) {
            if (!subset_of(*got, want))
                return false;
        } else {
            return false;
        }
    }
    return true;
}

static bool
set_contains(struct value super, struct value sub)
{
    struct items items = value_items(sub);

    for (size_t i = 0; i < items.count; i++)
        if (!value_set_has(super.set, items.at[i]))
            return false;
    return true;
}

/* As a run of neighbours. */
static bool
array_contains(struct value super, struct value sub)
{
    struct items a = value_items(super), b = value_items(sub);

    for (size_t at = 0; at + b.count <= a.count; at++) {
        size_t k = 0;

        while (k < b.count && value_equal(a.at[at + k], b.at[k]))
            k++;
        if (k == b.count)
            return true;
    }
    return false;
}

static bool
array_has_all(struct value super, struct value sub)
{
    struct items want = value_items(sub), have = value_items(super);

    for (size_t i = 0; i < want.count; i++) {
        size_t k = 0;

        while (k < have.count && !value_equal(have.at[k], want.at[i]))
            k++;
        if (k == have.count)
            return false;
    }
    return true;
}

static bool
subset_of(struct value super, struct value sub)
{
    if (super.tag == VALUE_OBJECT)
        return object_contains(super.object, sub.object);
    if (super.tag == VALUE_SET)
        return set_contains(super, sub);
    return sub.tag == VALUE_SET ? array_has_all(super, sub)
                                : array_contains(super, sub);
}

enum builtin_outcome
bi_object_subset(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    (void)n;
    if (!call_charge(call, value_count(args[0]) * value_count(args[1]) / 16))
        return call_abort(call, ASSAY_ERR_LIMIT);
    if ((args[0].tag == VALUE_OBJECT && args[1].tag == VALUE_OBJECT) ||
        (args[0].tag == VALUE_SET && args[1].tag == VALUE_SET) ||
        (args[0].tag == VALUE_ARRAY &&
         (args[1].tag == VALUE_ARRAY || args[1].tag == VALUE_SET)))
        return call_bool(subset_of(args[0], args[1]), out);
    return call_type_error(
        call, "both arguments object.subset must be of the same type or array "
              "and set");
}
