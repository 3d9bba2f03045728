/* Form encoding (application/x-www-form-urlencoded). */
#include <string.h>

#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"

static bool
is_unreserved(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' ||
           c == '~';
}

static void
add_escaped(struct buffer *b, struct span text)
{
    for (size_t i = 0; i < text.len && !b->failed; i++) {
        uint8_t c = text.ptr[i];

        if (c == ' ')
            buffer_add_str(b, "+");
        else if (is_unreserved(c))
            buffer_add(b, span_sub(text, i, 1));
        else
            buffer_addf(b, "%%%02X", c);
    }
}

enum builtin_outcome
bi_urlquery_encode(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    enum builtin_outcome bad;
    struct buffer b;

    if (!args_check(call, args, n, &bad))
        return bad;
    call_buffer_init(call, &b);
    add_escaped(&b, value_text(args[0]));
    return call_buffer(call, &b, out);
}

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decoded text in the arena; *fault is the bad escape when there is one. */
static bool
unescape(struct arena *a, struct span text, struct span *out,
         struct span *fault)
{
    uint8_t *copy = arena_alloc(a, text.len + 1);
    size_t n = 0;

    *fault = span_of(NULL, 0);
    if (!copy)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;

            if (high < 0 || low < 0) {
                *fault = span_sub(text, i, 3);
                return false;
            }
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        copy[n++] = c;
    }
    *out = span_of(copy, n);
    return true;
}

static enum builtin_outcome
refuse_escape(struct rego_call *call, struct span fault)
{
    if (fault.len == 0)
        return call_nomem(call);
    return call_fail(call, "invalid URL escape \"%.*s\"", (int)fault.len,
                     (const char *)fault.ptr);
}

enum builtin_outcome
bi_urlquery_decode(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    enum builtin_outcome bad;
    struct span text, fault;

    if (!args_check(call, args, n, &bad))
        return bad;
    if (!unescape(call->arena, value_text(args[0]), &text, &fault))
        return refuse_escape(call, fault);
    return call_text(call, text, out);
}

/* --- Objects --- */

static void
add_pair(struct buffer *b, struct span key, struct span value)
{
    if (b->len > 0)
        buffer_add_str(b, "&");
    add_escaped(b, key);
    buffer_add_str(b, "=");
    add_escaped(b, value);
}

enum builtin_outcome
bi_urlquery_encode_object(struct rego_call *call, const struct value *args,
                          size_t n, struct value *out)
{
    enum builtin_outcome bad = BUILTIN_OK;
    const struct value_object *o;
    struct buffer b;

    if (!args_check(call, args, n, &bad))
        return bad;
    bad = BUILTIN_OK;
    o = args[0].object;
    call_buffer_init(call, &b);
    for (size_t i = 0; i < o->head.count && bad == BUILTIN_OK; i++) {
        struct value key = o->pairs[i].key, v = o->pairs[i].value;
        struct items items = value_items(v);

        if (v.tag == VALUE_STRING)
            items = (struct items){ &o->pairs[i].value, 1 };
        else if (v.tag != VALUE_ARRAY && v.tag != VALUE_SET)
            bad = call_type_error(call,
                                  "operand 1 values must be string, array of "
                                  "strings or set of strings but got %s",
                                  value_type_name(v));
        if (key.tag != VALUE_STRING)
            bad = call_type_error(call,
                                  "operand 1 keys must be string but got %s",
                                  value_type_name(key));
        for (size_t k = 0; k < items.count && bad == BUILTIN_OK; k++) {
            if (items.at[k].tag == VALUE_STRING)
                add_pair(&b, value_text(key), value_text(items.at[k]));
            else
                bad = call_type_error(
                    call,
                    "operand 1 must be %s of strings but got %s "
                    "containing %s",
                    value_type_name(v), value_type_name(v),
                    value_type_name(items.at[k]));
        }
    }
    if (bad == BUILTIN_OK)
        return call_buffer(call, &b, out);
    buffer_free(&b);
    return bad;
}

/* Values of one key, in the order of the text. */
struct entry {
    struct span key;
    struct value_list values;
    struct entry *next;
};

static struct entry *
entry_of(struct arena *a, struct entry **first, struct span key)
{
    struct entry **at = first;

    while (*at && !span_equal((*at)->key, key))
        at = &(*at)->next;
    if (!*at) {
        *at = arena_alloc(a, sizeof(**at));
        if (*at)
            **at = (struct entry){ key, value_list_in(a), NULL };
    }
    return *at;
}

static bool
add_field(struct rego_call *call, struct entry **first, struct span field,
          enum builtin_outcome *bad)
{
    size_t at = text_find(field, span_str("="), 0);
    struct span key, value = { 0 }, fault = { 0 };
    struct entry *e;

    if (field.len == 0)
        return true;
    if (memchr(field.ptr, ';', field.len)) {
        *bad = call_fail(call, "invalid semicolon separator in query");
        return false;
    }
    if (!unescape(call->arena, span_sub(field, 0, at), &key, &fault) ||
        (at != SIZE_MAX &&
         !unescape(call->arena, span_sub(field, at + 1, field.len), &value,
                   &fault))) {
        *bad = refuse_escape(call, fault);
        return false;
    }
    e = entry_of(call->arena, first, key);
    if (!e) {
        *bad = call_nomem(call);
        return false;
    }
    value_list_add_text(&e->values, value);
    return true;
}

enum builtin_outcome
bi_urlquery_decode_object(struct rego_call *call, const struct value *args,
                          size_t n, struct value *out)
{
    struct value_map map = value_map_in(call->arena);
    struct entry *first = NULL;
    enum builtin_outcome bad;
    struct span text, key;
    uint64_t fields = 0;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    while (text.len > 0) {
        size_t at = text_find(text, span_str("&"), 0);

        if (!call_charge(call, 1 + fields++ / 16))
            return call_abort(call, ASSAY_ERR_LIMIT);
        if (!add_field(call, &first, span_sub(text, 0, at), &bad))
            return bad;
        text = at == SIZE_MAX ? span_of(NULL, 0)
                              : span_sub(text, at + 1, text.len);
    }
    for (struct entry *e = first; e; e = e->next) {
        struct value k, list;

        key = e->key;
        if (!value_string(call->arena, key, &k) ||
            !value_list_array(&e->values, &list))
            return call_nomem(call);
        value_map_add(&map, k, list);
    }
    return call_made(call, value_map_object(&map, NULL, out));
}
