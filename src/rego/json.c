#include "rego/json.h"

#include <string.h>

#include "base/num.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "rego/number.h"

/* --- Reading --- */

static bool
read_string(struct arena *a, const struct value_intern *intern,
            struct span text, struct value *out)
{
    uint32_t hash;
    struct value_string *known;

    if (!intern)
        return value_string(a, text, out);
    hash = value_hash_text(text);
    known = intern->find(intern->ctx, text, hash);
    if (known) {
        *out = (struct value){ .tag = VALUE_STRING, .string = known };
        return true;
    }
    if (!value_string(a, text, out))
        return false;
    atomic_store_explicit(&out->string->head.hash, hash, memory_order_relaxed);
    return true;
}

static bool convert(struct arena *a, const struct value_intern *intern,
                    const struct json *in, struct value *out);

static bool
convert_array(struct arena *a, const struct value_intern *intern,
              const struct json *in, struct value *out)
{
    struct value *items = arena_array(a, in->count, sizeof(*items));

    if (!items)
        return false;
    for (size_t i = 0; i < in->count; i++)
        if (!convert(a, intern, &in->items[i], &items[i]))
            return false;
    return value_array(a, items, in->count, out);
}

static bool
convert_object(struct arena *a, const struct value_intern *intern,
               const struct json *in, struct value *out)
{
    struct value_pair *pairs = arena_array(a, in->count, sizeof(*pairs));

    if (!pairs)
        return false;
    for (size_t i = 0; i < in->count; i++)
        if (!read_string(a, intern, in->members[i].key, &pairs[i].key) ||
            !convert(a, intern, &in->members[i].value, &pairs[i].value))
            return false;
    return value_object(a, pairs, in->count, NULL, out);
}

/* Recurses no deeper than json_parse let the text nest. */
static bool
convert(struct arena *a, const struct value_intern *intern,
        const struct json *in, struct value *out)
{
    bool ok;

    switch (in->type) {
    case JSON_NULL:
        *out = value_null();
        return true;
    case JSON_BOOL:
        *out = value_bool(in->boolean);
        return true;
    case JSON_NUMBER:
        return number_parse(a, in->text, &ok, out) && ok;
    case JSON_STRING:
        return read_string(a, intern, in->text, out);
    case JSON_ARRAY:
        return convert_array(a, intern, in, out);
    default:
        return convert_object(a, intern, in, out);
    }
}

enum assay_status
value_from_json(struct span text, const struct rego_json_options *opts,
                struct arena *arena, struct value *out, struct assay_error *err)
{
    struct json_options json_opts = {
        .name = opts ? opts->name : NULL,
        .max_bytes = opts ? opts->max_bytes : 0,
        .duplicates = JSON_DUPLICATES_LAST_WINS,
    };
    struct arena scratch;
    struct json tree;
    enum assay_status st;

    arena_init(&scratch, arena->left, arena->alloc);
    st = json_parse(text, &json_opts, &scratch, &tree, err);
    if (st == ASSAY_OK &&
        !convert(arena, opts ? opts->intern : NULL, &tree, out))
        st = assay_nomem(err, "json");
    arena_drop(&scratch);
    return st;
}

/* --- Writing JSON --- */

struct style {
    unsigned flags;
    const char *prefix; /* NULL: compact */
    const char *indent;
};

static void
write_escape(struct buffer *out, uint32_t rune)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = rune < 0x80 && rune ? strchr(from, (int)rune) : NULL;

    if (at)
        buffer_addf(out, "\\%c", to[at - from]);
    else
        buffer_addf(out, "\\u%04x", (unsigned)rune);
}

static bool
must_escape(uint32_t rune, unsigned flags)
{
    if (rune < 0x20 || rune == '"' || rune == '\\')
        return true;
    if (!(flags & VALUE_JSON_HTML))
        return false;
    return rune == '<' || rune == '>' || rune == '&' || rune == 0x2028 ||
           rune == 0x2029;
}

static void
write_string(struct buffer *out, struct span text, unsigned flags)
{
    size_t done = 0, at = 0;

    buffer_add_str(out, "\"");
    while (at < text.len) {
        uint32_t rune = text.ptr[at];
        size_t n = 1;

        if (rune >= 0x80)
            n = utf8_decode(span_sub(text, at, 4), &rune);
        if (n > 0 && !must_escape(rune, flags)) {
            at += n;
            continue;
        }
        buffer_add(out, span_sub(text, done, at - done));
        if (n == 0)
            buffer_add_str(out, "\xef\xbf\xbd"); /* U+FFFD */
        else
            write_escape(out, rune);
        at += n == 0 ? 1 : n;
        done = at;
    }
    buffer_add(out, span_sub(text, done, at - done));
    buffer_add_str(out, "\"");
}

static void
write_number(struct buffer *out, struct value v)
{
    char scratch[24];

    buffer_add(out, number_text(v, scratch));
}

static void
line_break(struct buffer *out, const struct style *style, unsigned depth)
{
    if (!style->prefix)
        return;
    buffer_add_str(out, "\n");
    buffer_add_str(out, style->prefix);
    for (unsigned i = 0; i < depth; i++)
        buffer_add_str(out, style->indent);
}

static void write_json(struct buffer *out, struct value v,
                       const struct style *style, unsigned depth);

static void
write_items(struct buffer *out, const struct value *items, size_t count,
            const struct style *style, unsigned depth)
{
    buffer_add_str(out, "[");
    for (size_t i = 0; i < count; i++) {
        buffer_add_str(out, i > 0 ? "," : "");
        line_break(out, style, depth + 1);
        write_json(out, items[i], style, depth + 1);
    }
    if (count > 0)
        line_break(out, style, depth);
    buffer_add_str(out, "]");
}

static void
write_key(struct buffer *out, struct value key, const struct style *style)
{
    struct buffer text;

    if (key.tag == VALUE_STRING) {
        write_string(out, value_text(key), style->flags);
        return;
    }
    buffer_init(&text, out->limit, out->alloc);
    value_write_json(&text, key, 0);
    if (text.failed) {
        out->failed = true;
        out->over_limit = text.over_limit;
    } else {
        write_string(out, buffer_span(&text), style->flags);
    }
    buffer_free(&text);
}

static void
write_member(struct buffer *out, const struct value_pair *pair,
             const struct style *style, unsigned depth)
{
    line_break(out, style, depth);
    write_key(out, pair->key, style);
    buffer_add_str(out, style->prefix ? ": " : ":");
    write_json(out, pair->value, style, depth);
}

static bool
all_keys_are_strings(const struct value_object *o)
{
    for (size_t i = 0; i < o->head.count; i++)
        if (o->pairs[i].key.tag != VALUE_STRING)
            return false;
    return true;
}

/* Members whose keys are no strings sort by the text they become: make that
 * object first. */
static void
write_mixed_object(struct buffer *out, const struct value_object *o,
                   const struct style *style, unsigned depth)
{
    struct arena scratch;
    struct value_map map;
    struct value made;

    arena_init(&scratch, out->limit, out->alloc);
    map = value_map_in(&scratch);
    for (size_t i = 0; i < o->head.count; i++) {
        struct value key = o->pairs[i].key;
        struct buffer text;

        if (key.tag == VALUE_STRING) {
            value_map_add(&map, key, o->pairs[i].value);
            continue;
        }
        buffer_init(&text, out->limit, out->alloc);
        value_write_json(&text, key, 0);
        map.failed = map.failed || text.failed;
        value_map_put_text(&map, "", buffer_span(&text));
        if (!map.failed) { /* put as a value: it is the key */
            map.pairs[map.count - 1].key = map.pairs[map.count - 1].value;
            map.pairs[map.count - 1].value = o->pairs[i].value;
        }
        buffer_free(&text);
    }
    if (value_map_object(&map, NULL, &made))
        write_json(out, made, style, depth);
    else
        out->failed = true;
    arena_drop(&scratch);
}

static void
write_object(struct buffer *out, const struct value_object *o,
             const struct style *style, unsigned depth)
{
    if (!all_keys_are_strings(o)) {
        write_mixed_object(out, o, style, depth);
        return;
    }
    buffer_add_str(out, "{");
    for (size_t i = 0; i < o->head.count; i++) {
        buffer_add_str(out, i > 0 ? "," : "");
        write_member(out, &o->pairs[i], style, depth + 1);
    }
    if (o->head.count > 0)
        line_break(out, style, depth);
    buffer_add_str(out, "}");
}

static void
write_json(struct buffer *out, struct value v, const struct style *style,
           unsigned depth)
{
    if (out->failed)
        return;
    switch ((enum value_tag)v.tag) {
    case VALUE_BOOL:
        buffer_add_str(out, v.integer ? "true" : "false");
        return;
    case VALUE_INT:
    case VALUE_NUMBER:
        write_number(out, v);
        return;
    case VALUE_STRING:
        write_string(out, value_text(v), style->flags);
        return;
    case VALUE_ARRAY:
        write_items(out, v.array->items, v.array->head.count, style, depth);
        return;
    case VALUE_SET:
        write_items(out, v.set->items, v.set->head.count, style, depth);
        return;
    case VALUE_OBJECT:
        write_object(out, v.object, style, depth);
        return;
    default:
        buffer_add_str(out, "null");
    }
}

void
value_write_json(struct buffer *out, struct value v, unsigned flags)
{
    const struct style style = { .flags = flags };

    write_json(out, v, &style, 0);
}

void
value_write_json_pretty(struct buffer *out, struct value v, const char *prefix,
                        const char *indent, unsigned flags)
{
    const struct style style = { flags, prefix, indent };

    buffer_add_str(out, prefix);
    write_json(out, v, &style, 0);
}
