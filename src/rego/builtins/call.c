#include "rego/builtins/call.h"

#include <stdio.h>
#include <string.h>

#include "rego/number.h"

enum builtin_outcome
call_made(struct rego_call *call, bool made)
{
    return made ? BUILTIN_OK : call_nomem(call);
}

enum builtin_outcome
call_text(struct rego_call *call, struct span text, struct value *out)
{
    return call_made(call, value_string(call->arena, text, out));
}

void
call_buffer_init(struct rego_call *call, struct buffer *b)
{
    buffer_init(b, call->arena->left, call->arena->alloc);
}

enum builtin_outcome
call_buffer(struct rego_call *call, struct buffer *text, struct value *out)
{
    bool made =
        !text->failed && value_string(call->arena, buffer_span(text), out);

    buffer_free(text);
    return call_made(call, made);
}

enum builtin_outcome
call_bool(bool b, struct value *out)
{
    *out = value_bool(b);
    return BUILTIN_OK;
}

enum builtin_outcome
call_int(int64_t i, struct value *out)
{
    *out = value_int(i);
    return BUILTIN_OK;
}

/* --- Operands --- */

/* Alphabetical, as alternatives are listed. */
static const struct {
    unsigned type;
    const char *name;
} type_names[] = {
    { TYPE_ARRAY, "array" },   { TYPE_BOOL, "boolean" },  { TYPE_NULL, "null" },
    { TYPE_NUMBER, "number" }, { TYPE_OBJECT, "object" }, { TYPE_SET, "set" },
    { TYPE_STRING, "string" },
};

enum { TYPE_NAMES = sizeof(type_names) / sizeof(type_names[0]) };

static void
list_types(unsigned types, char *out, size_t size)
{
    bool several = (types & (types - 1)) != 0;
    size_t used = 0;

    used += (size_t)snprintf(out, size, "%s", several ? "one of {" : "");
    for (size_t i = 0, n = 0; i < TYPE_NAMES; i++)
        if (types & type_names[i].type)
            used += (size_t)snprintf(out + used, size - used, "%s%s",
                                     n++ > 0 ? ", " : "", type_names[i].name);
    if (several)
        snprintf(out + used, size - used, "}");
}

bool
arg_is(struct rego_call *call, const struct value *args, size_t i,
       unsigned types, enum builtin_outcome *outcome)
{
    char want[80];

    if (builtin_type_of(args[i]) & types)
        return true;
    list_types(types, want, sizeof(want));
    *outcome = call_type_error(call, "operand %zu must be %s but got %s", i + 1,
                               want, value_type_name(args[i]));
    return false;
}

bool
arg_in(struct rego_call *call, const struct value *args, size_t i,
       const char *types, enum builtin_outcome *outcome)
{
    const char *got = value_type_name(args[i]);

    if (strstr(types, got)) /* no type's name is part of another's */
        return true;
    *outcome = call_type_error(
        call, "operand %zu must be one of {%s} but got %s", i + 1, types, got);
    return false;
}

bool
arg_any_integer(struct rego_call *call, const struct value *args, size_t i,
                enum builtin_outcome *outcome)
{
    if (number_is_integer(args[i]))
        return true;
    if (value_is_number(args[i]))
        *outcome = call_type_error(call,
                                   "operand %zu must be integer number but got "
                                   "floating-point number",
                                   i + 1);
    else
        *outcome =
            call_type_error(call, "operand %zu must be integer but got %s",
                            i + 1, value_type_name(args[i]));
    return false;
}

enum builtin_outcome
call_number(struct rego_call *call, enum number_result result)
{
    switch (result) {
    case NUMBER_OK:
        return BUILTIN_OK;
    case NUMBER_NOMEM:
        return call_nomem(call);
    case NUMBER_DIV_ZERO:
        return call_fail(call, "divide by zero");
    case NUMBER_REM_ZERO:
        return call_fail(call, "modulo by zero");
    case NUMBER_REM_FRACTION:
        return call_fail(call, "modulo on floating-point number");
    default:
        return call_fail(call, "number too big");
    }
}

bool
arg_integer(struct rego_call *call, const struct value *args, size_t i,
            int64_t *out, enum builtin_outcome *outcome)
{
    if (!arg_is(call, args, i, TYPE_NUMBER, outcome))
        return false;
    if (args[i].tag != VALUE_INT) {
        *outcome = call_type_error(
            call,
            "operand %zu must be integer number but got floating-point number",
            i + 1);
        return false;
    }
    *out = args[i].integer;
    return true;
}

struct items
value_items(struct value collection)
{
    if (collection.tag == VALUE_ARRAY)
        return (struct items){ collection.array->items,
                               collection.array->head.count };
    if (collection.tag == VALUE_SET)
        return (struct items){ collection.set->items,
                               collection.set->head.count };
    return (struct items){ 0 };
}

bool
arg_elements(struct rego_call *call, const struct value *args, size_t i,
             unsigned types, enum builtin_outcome *outcome)
{
    struct items items = value_items(args[i]);
    const char *kind = value_type_name(args[i]);
    char want[80];

    for (size_t k = 0; k < items.count; k++) {
        if (builtin_type_of(items.at[k]) & types)
            continue;
        list_types(types, want, sizeof(want));
        *outcome = call_type_error(
            call, "operand %zu must be %s of %ss but got %s containing %s",
            i + 1, kind, want, kind, value_type_name(items.at[k]));
        return false;
    }
    return true;
}

bool
args_check(struct rego_call *call, const struct value *args, size_t n,
           enum builtin_outcome *outcome)
{
    for (size_t i = 0; i < n; i++)
        if (!arg_is(call, args, i, call->builtin->args[i], outcome))
            return false;
    return true;
}
