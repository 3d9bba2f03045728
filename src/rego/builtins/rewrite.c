/* Text made from text: joining, replacing, changing case. */
#include <string.h>

#include "base/num.h"
#include "base/utf8.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"
#include "rego/unicode.h"

enum builtin_outcome
bi_concat(struct rego_call *call, const struct value *args, size_t n,
          struct value *out)
{
    enum builtin_outcome bad;
    struct items items;
    struct span separator;
    size_t total = 0;
    struct value v;
    char *at;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_STRING, &bad) ||
        !arg_in(call, args, 1, "set, array", &bad) ||
        !arg_elements(call, args, 1, TYPE_STRING, &bad))
        return bad;
    separator = value_text(args[0]);
    items = value_items(args[1]);
    for (size_t i = 0; i < items.count; i++)
        if (!size_add(total, value_count(items.at[i]), &total) ||
            (i > 0 && !size_add(total, separator.len, &total)))
            return call_nomem(call);
    if (!value_string_blank(call->arena, total, &v))
        return call_nomem(call);
    at = v.string->text;
    for (size_t i = 0; i < items.count; i++) {
        struct span part = value_text(items.at[i]);

        if (i > 0 && separator.len > 0)
            at = mempcpy(at, separator.ptr, separator.len);
        if (part.len > 0)
            at = mempcpy(at, part.ptr, part.len);
    }
    *out = v;
    return BUILTIN_OK;
}

/* --- Case --- */

static enum builtin_outcome
map_runes(struct rego_call *call, const struct value *args, size_t n,
          uint32_t (*map)(uint32_t), struct value *out)
{
    enum builtin_outcome bad;
    struct span text;
    struct value v;
    size_t used = 0;
    char *copy;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    /* A mapped rune, or U+FFFD, takes up to three times the bytes. */
    copy = arena_array(call->arena, text.len + 1, 3);
    if (!copy)
        return call_nomem(call);
    for (size_t at = 0; at < text.len;) {
        uint32_t rune;

        at += text_rune(text, at, &rune);
        used += utf8_encode(map(rune), (uint8_t *)copy + used);
    }
    if (!value_string(call->arena, span_of(copy, used), &v))
        return call_nomem(call);
    *out = v;
    return BUILTIN_OK;
}

enum builtin_outcome
bi_lower(struct rego_call *call, const struct value *args, size_t n,
         struct value *out)
{
    return map_runes(call, args, n, unicode_lower, out);
}

enum builtin_outcome
bi_upper(struct rego_call *call, const struct value *args, size_t n,
         struct value *out)
{
    return map_runes(call, args, n, unicode_upper, out);
}

enum builtin_outcome
bi_strings_reverse(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    enum builtin_outcome bad;
    struct span text;
    struct value v;
    char *end;

    if (!arg_is(call, args, 0, TYPE_STRING, &bad))
        return bad;
    (void)n;
    text = value_text(args[0]);
    if (!value_string_blank(call->arena, text.len, &v))
        return call_nomem(call);
    end = v.string->text + text.len;
    for (size_t at = 0; at < text.len;) {
        uint32_t rune;
        size_t bytes = text_rune(text, at, &rune);

        end -= bytes;
        memcpy(end, text.ptr + at, bytes);
        at += bytes;
    }
    *out = v;
    return BUILTIN_OK;
}

/* --- Replacing --- */

/* An empty part matches between all runes and at both ends. */
static void
replace_empty(struct buffer *b, struct span text, struct span by)
{
    size_t at = 0;

    buffer_add(b, by);
    while (at < text.len && !b->failed) {
        size_t next = text_skip(text, at, 1);

        buffer_add(b, span_sub(text, at, next - at));
        buffer_add(b, by);
        at = next;
    }
}

static void
replace_all(struct buffer *b, struct span text, struct span part,
            struct span by)
{
    size_t done = 0;

    for (size_t at = text_find(text, part, 0); at != SIZE_MAX && !b->failed;
         at = text_find(text, part, done)) {
        buffer_add(b, span_sub(text, done, at - done));
        buffer_add(b, by);
        done = at + part.len;
    }
    buffer_add(b, span_sub(text, done, text.len));
}

enum builtin_outcome
bi_replace(struct rego_call *call, const struct value *args, size_t n,
           struct value *out)
{
    enum builtin_outcome bad;
    struct span text, part;
    struct buffer b;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    part = value_text(args[1]);
    if (part.len > 0 && text_find(text, part, 0) == SIZE_MAX) {
        *out = args[0];
        return BUILTIN_OK;
    }
    if (!call_charge(call, text.len / 64))
        return call_abort(call, ASSAY_ERR_LIMIT);
    call_buffer_init(call, &b);
    if (part.len == 0)
        replace_empty(&b, text, value_text(args[2]));
    else
        replace_all(&b, text, part, value_text(args[2]));
    return call_buffer(call, &b, out);
}

/* The first pair, in the order of keys, that matches at an offset. An empty
 * key does not match where one has just matched. */
static const struct value_pair *
pair_at(const struct value_object *pairs, struct span rest, bool after_empty)
{
    for (size_t i = 0; i < pairs->head.count; i++) {
        struct span key = value_text(pairs->pairs[i].key);

        if (text_begins(rest, key) && !(after_empty && key.len == 0))
            return &pairs->pairs[i];
    }
    return NULL;
}

static void
replace_pairs(struct buffer *b, struct span text,
              const struct value_object *pairs)
{
    size_t done = 0;
    bool after_empty = false;

    for (size_t at = 0; at <= text.len && !b->failed;) {
        const struct value_pair *pair =
            pair_at(pairs, span_sub(text, at, text.len), after_empty);

        after_empty = pair && value_count(pair->key) == 0;
        if (!pair) {
            at++;
            continue;
        }
        buffer_add(b, span_sub(text, done, at - done));
        buffer_add(b, value_text(pair->value));
        at += value_count(pair->key);
        done = at;
    }
    buffer_add(b, span_sub(text, done, text.len));
}

enum builtin_outcome
bi_strings_replace_n(struct rego_call *call, const struct value *args, size_t n,
                     struct value *out)
{
    enum builtin_outcome bad;
    const struct value_object *pairs;
    struct buffer b;

    if (!args_check(call, args, n, &bad))
        return bad;
    pairs = args[0].object;
    for (size_t i = 0; i < pairs->head.count; i++) {
        if (pairs->pairs[i].key.tag != VALUE_STRING)
            return call_type_error(call, "operand 1 non-string key found in "
                                         "pattern object");
        if (pairs->pairs[i].value.tag != VALUE_STRING)
            return call_type_error(call, "operand 1 non-string value found in "
                                         "pattern object");
    }
    if (!call_charge(call, value_count(args[1]) / 8 * (1 + pairs->head.count)))
        return call_abort(call, ASSAY_ERR_LIMIT);
    call_buffer_init(call, &b);
    replace_pairs(&b, value_text(args[1]), pairs);
    return call_buffer(call, &b, out);
}
