/* The language's own text form of values (specification 6.3). */
#include <string.h>

#include "base/utf8.h"
#include "rego/json.h"
#include "rego/number.h"
#include "rego/unicode.h"

/* As Go's strconv.Quote. */
static void
quote_rune(struct buffer *out, uint32_t rune)
{
    static const char from[] = "\"\\\a\b\f\n\r\t\v", to[] = "\"\\abfnrtv";
    const char *at = rune < 0x80 && rune ? strchr(from, (int)rune) : NULL;

    if (at)
        buffer_addf(out, "\\%c", to[at - from]);
    else if (rune < 0x80)
        buffer_addf(out, "\\x%02x", (unsigned)rune);
    else if (rune < 0x10000)
        buffer_addf(out, "\\u%04x", (unsigned)rune);
    else
        buffer_addf(out, "\\U%08x", (unsigned)rune);
}

void
value_write_quoted(struct buffer *out, struct span text)
{
    buffer_add_str(out, "\"");
    for (size_t at = 0; at < text.len;) {
        uint32_t rune;
        size_t n = utf8_decode(span_sub(text, at, 4), &rune);

        if (n == 0)
            buffer_addf(out, "\\x%02x", text.ptr[at]);
        else if (rune == '"' || rune == '\\' || !unicode_is_print(rune))
            quote_rune(out, rune);
        else
            buffer_add(out, span_sub(text, at, n));
        at += n == 0 ? 1 : n;
    }
    buffer_add_str(out, "\"");
}

static void
write_items(struct buffer *out, const struct value *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_add_str(out, i > 0 ? ", " : "");
        value_write_term(out, items[i]);
    }
}

static void
write_array(struct buffer *out, const struct value_array *a)
{
    buffer_add_str(out, "[");
    write_items(out, a->items, a->head.count);
    buffer_add_str(out, "]");
}

static void
write_set(struct buffer *out, const struct value_set *s)
{
    if (s->head.count == 0) {
        buffer_add_str(out, "set()");
        return;
    }
    buffer_add_str(out, "{");
    write_items(out, s->items, s->head.count);
    buffer_add_str(out, "}");
}

static void
write_object(struct buffer *out, const struct value_object *o)
{
    buffer_add_str(out, "{");
    for (size_t i = 0; i < o->head.count; i++) {
        buffer_add_str(out, i > 0 ? ", " : "");
        value_write_term(out, o->pairs[i].key);
        buffer_add_str(out, ": ");
        value_write_term(out, o->pairs[i].value);
    }
    buffer_add_str(out, "}");
}

void
value_write_term(struct buffer *out, struct value v)
{
    if (out->failed)
        return;
    switch ((enum value_tag)v.tag) {
    case VALUE_STRING:
        value_write_quoted(out, value_text(v));
        return;
    case VALUE_ARRAY:
        write_array(out, v.array);
        return;
    case VALUE_OBJECT:
        write_object(out, v.object);
        return;
    case VALUE_SET:
        write_set(out, v.set);
        return;
    case VALUE_UNDEFINED:
        buffer_add_str(out, "<undefined>");
        return;
    default:
        value_write_json(out, v, 0);
    }
}

void
value_write_text(struct buffer *out, struct value v)
{
    if (v.tag == VALUE_STRING)
        buffer_add(out, value_text(v));
    else
        value_write_term(out, v);
}
