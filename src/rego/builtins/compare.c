/* Comparison and membership. */
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"

enum builtin_outcome
bi_equal(struct rego_call *call, const struct value *args, size_t n,
         struct value *out)
{
    (void)call, (void)n;
    return call_bool(value_equal(args[0], args[1]), out);
}

enum builtin_outcome
bi_neq(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)call, (void)n;
    return call_bool(!value_equal(args[0], args[1]), out);
}

enum builtin_outcome
bi_lt(struct rego_call *call, const struct value *args, size_t n,
      struct value *out)
{
    (void)call, (void)n;
    return call_bool(value_compare(args[0], args[1]) < 0, out);
}

enum builtin_outcome
bi_lte(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)call, (void)n;
    return call_bool(value_compare(args[0], args[1]) <= 0, out);
}

enum builtin_outcome
bi_gt(struct rego_call *call, const struct value *args, size_t n,
      struct value *out)
{
    (void)call, (void)n;
    return call_bool(value_compare(args[0], args[1]) > 0, out);
}

enum builtin_outcome
bi_gte(struct rego_call *call, const struct value *args, size_t n,
       struct value *out)
{
    (void)call, (void)n;
    return call_bool(value_compare(args[0], args[1]) >= 0, out);
}

static bool
array_has(const struct value_array *a, struct value item)
{
    for (size_t i = 0; i < a->head.count; i++)
        if (value_equal(a->items[i], item))
            return true;
    return false;
}

static bool
object_has_value(const struct value_object *o, struct value item)
{
    for (size_t i = 0; i < o->head.count; i++)
        if (value_equal(o->pairs[i].value, item))
            return true;
    return false;
}

enum builtin_outcome
bi_internal_member_2(struct rego_call *call, const struct value *args, size_t n,
                     struct value *out)
{
    struct value xs = args[1];
    bool in = false;

    (void)call, (void)n;
    if (xs.tag == VALUE_ARRAY)
        in = array_has(xs.array, args[0]);
    else if (xs.tag == VALUE_SET)
        in = value_set_has(xs.set, args[0]);
    else if (xs.tag == VALUE_OBJECT)
        in = object_has_value(xs.object, args[0]);
    return call_bool(in, out);
}

enum builtin_outcome
bi_internal_member_3(struct rego_call *call, const struct value *args, size_t n,
                     struct value *out)
{
    struct value found = value_lookup(args[2], args[0]);

    (void)call, (void)n;
    return call_bool(
        found.tag != VALUE_UNDEFINED && value_equal(found, args[1]), out);
}
