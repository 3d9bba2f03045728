/* Types: asking and converting. */
#include <string.h>

#include "rego/builtins/call.h"
#include "rego/builtins/table.h"

enum builtin_outcome
bi_type_name(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    (void)n;
    return call_text(call, span_str(value_type_name(args[0])), out);
}

static enum builtin_outcome
is_type(const struct value *args, unsigned type, struct value *out)
{
    return call_bool((builtin_type_of(args[0]) & type) != 0, out);
}

enum builtin_outcome
bi_is_null(struct rego_call *call, const struct value *args, size_t n,
           struct value *out)
{
    (void)call, (void)n;
    return is_type(args, TYPE_NULL, out);
}

enum builtin_outcome
bi_is_boolean(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    (void)call, (void)n;
    return is_type(args, TYPE_BOOL, out);
}

enum builtin_outcome
bi_is_number(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    (void)call, (void)n;
    return is_type(args, TYPE_NUMBER, out);
}

enum builtin_outcome
bi_is_string(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    (void)call, (void)n;
    return is_type(args, TYPE_STRING, out);
}

enum builtin_outcome
bi_is_array(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    (void)call, (void)n;
    return is_type(args, TYPE_ARRAY, out);
}

enum builtin_outcome
bi_is_object(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    (void)call, (void)n;
    return is_type(args, TYPE_OBJECT, out);
}

enum builtin_outcome
bi_is_set(struct rego_call *call, const struct value *args, size_t n,
          struct value *out)
{
    (void)call, (void)n;
    return is_type(args, TYPE_SET, out);
}

/* --- Casts: the operand itself, or an error --- */

static enum builtin_outcome
cast(struct rego_call *call, const struct value *args, unsigned type,
     struct value *out)
{
    enum builtin_outcome bad;

    if (!arg_is(call, args, 0, type, &bad))
        return bad;
    *out = args[0];
    return BUILTIN_OK;
}

enum builtin_outcome
bi_cast_null(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    (void)n;
    return cast(call, args, TYPE_NULL, out);
}

enum builtin_outcome
bi_cast_boolean(struct rego_call *call, const struct value *args, size_t n,
                struct value *out)
{
    (void)n;
    return cast(call, args, TYPE_BOOL, out);
}

enum builtin_outcome
bi_cast_string(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    (void)n;
    return cast(call, args, TYPE_STRING, out);
}

enum builtin_outcome
bi_cast_object(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    (void)n;
    return cast(call, args, TYPE_OBJECT, out);
}

static enum builtin_outcome
convert(struct rego_call *call, const struct value *args, bool to_set,
        struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    enum builtin_outcome bad;
    struct items items;

    if (!arg_in(call, args, 0, "array, set", &bad))
        return bad;
    items = value_items(args[0]);
    for (size_t i = 0; i < items.count; i++)
        value_list_add(&list, items.at[i]);
    return call_made(call, to_set ? value_list_set(&list, out)
                                  : value_list_array(&list, out));
}

enum builtin_outcome
bi_cast_array(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    (void)n;
    return convert(call, args, false, out);
}

enum builtin_outcome
bi_cast_set(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    (void)n;
    return convert(call, args, true, out);
}

/* --- Numbers from text --- */

/* The reference reads with Go's ParseFloat, then keeps the text: signs,
 * leading zeros and bare points are fine there, and the number they mean is
 * what counts. Writes JSON's spelling to copy; false when it is no number. */
static bool
respell(struct span text, char *copy, size_t *len)
{
    size_t at = 0, used = 0, digits = 0;

    if (at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-'))
        if (text.ptr[at++] == '-')
            copy[used++] = '-';
    while (at + 1 < text.len && text.ptr[at] == '0' &&
           text.ptr[at + 1] >= '0' && text.ptr[at + 1] <= '9') {
        at++;
        digits++;
    }
    if (at < text.len && text.ptr[at] == '.')
        copy[used++] = '0';
    for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';
         digits++)
        copy[used++] = (char)text.ptr[at++];
    if (at < text.len && text.ptr[at] == '.') {
        size_t point = used;

        copy[used++] = (char)text.ptr[at++];
        for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';
             digits++)
            copy[used++] = (char)text.ptr[at++];
        if (used == point + 1)
            used = point;
    }
    memcpy(copy + used, text.ptr + at, text.len - at);
    *len = used + text.len - at;
    return digits > 0;
}

static enum builtin_outcome
parse_number(struct rego_call *call, struct span text, struct value *out)
{
    char *copy = arena_alloc(call->arena, text.len + 2);
    size_t len;
    bool ok = false;

    if (!copy)
        return call_nomem(call);
    if (text.len > 0 && respell(text, copy, &len) &&
        !number_parse(call->arena, span_of(copy, len), &ok, out))
        return call_nomem(call);
    if (ok)
        return BUILTIN_OK;
    return call_fail(call, "strconv.ParseFloat: parsing \"%.*s\": %s",
                     (int)(text.len > 200 ? 200 : text.len),
                     (const char *)text.ptr, "invalid syntax");
}

enum builtin_outcome
bi_to_number(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    enum builtin_outcome bad;

    (void)n;
    if (!arg_in(call, args, 0, "null, boolean, number, string", &bad))
        return bad;
    switch ((enum value_tag)args[0].tag) {
    case VALUE_NULL:
        return call_int(0, out);
    case VALUE_BOOL:
        return call_int(args[0].integer, out);
    case VALUE_STRING:
        return parse_number(call, value_text(args[0]), out);
    default:
        *out = args[0];
        return BUILTIN_OK;
    }
}
