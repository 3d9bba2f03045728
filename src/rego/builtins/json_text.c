/* JSON as text: writing, reading, checking. */
#include <string.h>

#include "base/limits.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/json.h"

enum builtin_outcome
bi_json_marshal(struct rego_call *call, const struct value *args, size_t n,
                struct value *out)
{
    struct buffer b;

    (void)n;
    call_buffer_init(call, &b);
    value_write_json(&b, args[0], VALUE_JSON_HTML);
    return call_buffer(call, &b, out);
}

struct layout {
    bool pretty;
    const char *prefix, *indent;
};

static bool
read_option(struct rego_call *call, const struct value_pair *p,
            struct layout *layout, enum builtin_outcome *bad)
{
    struct span key = value_text(p->key);
    bool is_prefix = span_equal_str(key, "prefix");

    if (span_equal_str(key, "pretty")) {
        if (p->value.tag != VALUE_BOOL) {
            *bad = call_type_error(
                call, "operand 2 key \"pretty\" failed cast to bool");
            return false;
        }
        layout->pretty = value_is_true(p->value);
        return true;
    }
    if (!is_prefix && !span_equal_str(key, "indent")) {
        *bad = call_type_error(
            call, "operand 2 object contained unknown key \"%.*s\"",
            (int)key.len, (const char *)key.ptr);
        return false;
    }
    if (p->value.tag != VALUE_STRING) {
        *bad =
            call_type_error(call, "operand 2 key \"%s\" failed cast to string",
                            is_prefix ? "prefix" : "indent");
        return false;
    }
    *(is_prefix ? &layout->prefix : &layout->indent) = p->value.string->text;
    return true;
}

enum builtin_outcome
bi_json_marshal_with_options(struct rego_call *call, const struct value *args,
                             size_t n, struct value *out)
{
    struct layout layout = { false, "", "\t" };
    enum builtin_outcome bad;
    const struct value_object *o;
    struct buffer b;

    (void)n;
    if (!arg_is(call, args, 1, TYPE_OBJECT, &bad))
        return bad;
    o = args[1].object;
    /* Giving a layout asks for it, unless "pretty" says otherwise. */
    layout.pretty =
        value_object_get_str(o, "indent") || value_object_get_str(o, "prefix");
    for (size_t i = 0; i < o->head.count; i++) {
        if (o->pairs[i].key.tag != VALUE_STRING)
            return call_type_error(call, "failed to parse option");
        if (!read_option(call, &o->pairs[i], &layout, &bad))
            return bad;
    }
    call_buffer_init(call, &b);
    if (layout.pretty)
        value_write_json_pretty(&b, args[0], layout.prefix, layout.indent,
                                VALUE_JSON_HTML);
    else
        value_write_json(&b, args[0], VALUE_JSON_HTML);
    return call_buffer(call, &b, out);
}

static enum assay_status
read_json(struct rego_call *call, struct value text, struct value *out,
          struct assay_error *err)
{
    struct rego_json_options opts = { .name = "json" };

    return value_from_json(value_text(text), &opts, call->arena, out, err);
}

enum builtin_outcome
bi_json_unmarshal(struct rego_call *call, const struct value *args, size_t n,
                  struct value *out)
{
    enum builtin_outcome bad;
    struct assay_error err;
    enum assay_status st;

    if (!args_check(call, args, n, &bad))
        return bad;
    st = read_json(call, args[0], out, &err);
    if (st == ASSAY_ERR_NOMEM)
        return call_nomem(call);
    return st == ASSAY_OK ? BUILTIN_OK : call_fail(call, "%s", err.text);
}

enum builtin_outcome
bi_json_is_valid(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    struct assay_error err;
    struct value ignored;
    enum assay_status st;

    (void)n;
    if (args[0].tag != VALUE_STRING)
        return call_bool(false, out);
    st = read_json(call, args[0], &ignored, &err);
    if (st == ASSAY_ERR_NOMEM)
        return call_nomem(call);
    return call_bool(st == ASSAY_OK, out);
}
