#include "codec/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"

struct json_writer
json_writer_over(struct buffer *out, unsigned indent)
{
    return (struct json_writer){ .out = out, .indent = indent };
}

/* None outside, nor beyond the deepest level, where the buffer has failed
 * already. */
static uint64_t
level_bit(const struct json_writer *w)
{
    if (w->depth == 0 || w->depth > LIMIT_JSON_DEPTH)
        return 0;
    return UINT64_C(1) << (w->depth - 1);
}

static void
new_line(struct json_writer *w)
{
    if (w->indent == 0)
        return;
    buffer_add_str(w->out, "\n");
    for (unsigned i = 0; i < w->depth * w->indent; i++)
        buffer_add_str(w->out, " ");
}

/* Comma and line break in front of a member or element. */
static void
separate(struct json_writer *w)
{
    if (w->depth == 0)
        return;
    if (w->filled & level_bit(w))
        buffer_add_str(w->out, ",");
    w->filled |= level_bit(w);
    new_line(w);
}

static void
begin_value(struct json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    assert(w->depth == 0 || !(w->objects & level_bit(w)));
    separate(w);
}

static void
open_level(struct json_writer *w, bool is_object)
{
    begin_value(w);
    if (++w->depth > LIMIT_JSON_DEPTH)
        w->out->failed = true;
    w->filled &= ~level_bit(w);
    w->objects &= ~level_bit(w);
    if (is_object)
        w->objects |= level_bit(w);
    buffer_add_str(w->out, is_object ? "{" : "[");
}

void
jw_object(struct json_writer *w)
{
    open_level(w, true);
}

void
jw_array(struct json_writer *w)
{
    open_level(w, false);
}

void
jw_end(struct json_writer *w)
{
    bool filled, is_object;

    assert(w->depth > 0 && !w->after_key);
    filled = w->filled & level_bit(w);
    is_object = w->objects & level_bit(w);
    w->depth--;
    if (filled)
        new_line(w);
    buffer_add_str(w->out, is_object ? "}" : "]");
}

static void
add_rune(struct buffer *out, struct span raw, uint32_t rune)
{
    switch (rune) {
    case '"':
        buffer_add_str(out, "\\\"");
        return;
    case '\\':
        buffer_add_str(out, "\\\\");
        return;
    case '\n':
        buffer_add_str(out, "\\n");
        return;
    case '\t':
        buffer_add_str(out, "\\t");
        return;
    default:
        break;
    }
    if (rune < 0x20 || (rune >= 0x7f && rune <= 0x9f))
        buffer_addf(out, "\\u%04" PRIx32, rune);
    else
        buffer_add(out, raw);
}

/* How many bytes at the front need no escape. */
static size_t
plain_run(struct span s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] >= 0x20 && s.ptr[n] < 0x7f &&
           s.ptr[n] != '"' && s.ptr[n] != '\\')
        n++;
    return n;
}

static void
add_quoted(struct buffer *out, struct span text)
{
    buffer_add_str(out, "\"");
    while (text.len > 0) {
        size_t len = plain_run(text);
        uint32_t rune;

        if (len > 0) {
            buffer_add(out, span_sub(text, 0, len));
        } else if ((len = utf8_decode(text, &rune)) > 0) {
            add_rune(out, span_sub(text, 0, len), rune);
        } else {
            buffer_add_str(out, "\xef\xbf\xbd"); /* U+FFFD */
            len = 1;
        }
        text = span_sub(text, len, text.len - len);
    }
    buffer_add_str(out, "\"");
}

void
jw_key_span(struct json_writer *w, struct span key)
{
    assert(w->depth > 0 && !w->after_key);
    assert(w->out->failed || w->objects & level_bit(w));
    separate(w);
    add_quoted(w->out, key);
    buffer_add_str(w->out, w->indent > 0 ? ": " : ":");
    w->after_key = true;
}

void
jw_key(struct json_writer *w, const char *key)
{
    jw_key_span(w, span_str(key));
}

void
jw_string(struct json_writer *w, struct span text)
{
    begin_value(w);
    add_quoted(w->out, text);
}

void
jw_str(struct json_writer *w, const char *text)
{
    if (text)
        jw_string(w, span_str(text));
    else
        jw_null(w);
}

void
jw_u64(struct json_writer *w, uint64_t value)
{
    begin_value(w);
    buffer_addf(w->out, "%" PRIu64, value);
}

void
jw_i64(struct json_writer *w, int64_t value)
{
    begin_value(w);
    buffer_addf(w->out, "%" PRId64, value);
}

void
jw_bool(struct json_writer *w, bool value)
{
    begin_value(w);
    buffer_add_str(w->out, value ? "true" : "false");
}

void
jw_null(struct json_writer *w)
{
    begin_value(w);
    buffer_add_str(w->out, "null");
}

void
jw_hex(struct json_writer *w, struct span bytes)
{
    begin_value(w);
    buffer_add_str(w->out, "\"");
    buffer_add_hex(w->out, bytes);
    buffer_add_str(w->out, "\"");
}

void
jw_base64(struct json_writer *w, struct span bytes)
{
    char text[5];

    begin_value(w);
    buffer_add_str(w->out, "\"");
    for (size_t at = 0; at < bytes.len; at += 3) {
        base64_encode(span_sub(bytes, at, 3), text);
        buffer_add_str(w->out, text);
    }
    buffer_add_str(w->out, "\"");
}

static void
put_scalar(struct json_writer *w, const struct json *v)
{
    switch (v->type) {
    case JSON_BOOL:
        jw_bool(w, v->boolean);
        break;
    case JSON_NUMBER:
        begin_value(w);
        buffer_add(w->out, v->text);
        break;
    case JSON_STRING:
        jw_string(w, v->text);
        break;
    default:
        jw_null(w);
        break;
    }
}

/* The parser's limit bounds the recursion. */
void
jw_value(struct json_writer *w, const struct json *v)
{
    if (v->type != JSON_ARRAY && v->type != JSON_OBJECT) {
        put_scalar(w, v);
        return;
    }
    open_level(w, v->type == JSON_OBJECT);
    for (size_t i = 0; i < v->count; i++) {
        if (v->type == JSON_OBJECT) {
            jw_key_span(w, v->members[i].key);
            jw_value(w, &v->members[i].value);
        } else {
            jw_value(w, &v->items[i]);
        }
    }
    jw_end(w);
}

void
jw_put_str(struct json_writer *w, const char *key, const char *text)
{
    jw_key(w, key);
    jw_str(w, text);
}

void
jw_put_string(struct json_writer *w, const char *key, struct span text)
{
    jw_key(w, key);
    jw_string(w, text);
}

void
jw_put_u64(struct json_writer *w, const char *key, uint64_t value)
{
    jw_key(w, key);
    jw_u64(w, value);
}

void
jw_put_i64(struct json_writer *w, const char *key, int64_t value)
{
    jw_key(w, key);
    jw_i64(w, value);
}

void
jw_put_bool(struct json_writer *w, const char *key, bool value)
{
    jw_key(w, key);
    jw_bool(w, value);
}

void
jw_put_hex(struct json_writer *w, const char *key, struct span bytes)
{
    jw_key(w, key);
    jw_hex(w, bytes);
}

void
jw_put_base64(struct json_writer *w, const char *key, struct span bytes)
{
    jw_key(w, key);
    jw_base64(w, bytes);
}
