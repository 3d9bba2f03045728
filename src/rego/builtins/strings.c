/* Text: searching, cutting, joining. Positions and lengths count code
 * points. */
#include "rego/builtins/text.h"

#include <string.h>

#include "base/utf8.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/unicode.h"

size_t
text_find(struct span text, struct span part, size_t from)
{
    const uint8_t *hit;

    if (from > text.len)
        return SIZE_MAX;
    if (part.len == 0)
        return from;
    hit = memmem(text.ptr + from, text.len - from, part.ptr, part.len);
    return hit ? (size_t)(hit - text.ptr) : SIZE_MAX;
}

bool
text_begins(struct span text, struct span prefix)
{
    return text.len >= prefix.len &&
           (prefix.len == 0 || memcmp(text.ptr, prefix.ptr, prefix.len) == 0);
}

bool
text_ends(struct span text, struct span suffix)
{
    return text.len >= suffix.len &&
           text_begins(span_sub(text, text.len - suffix.len, suffix.len),
                       suffix);
}

size_t
text_rune(struct span text, size_t at, uint32_t *rune)
{
    size_t n;

    *rune = text.ptr[at];
    if (*rune < 0x80)
        return 1;
    n = utf8_decode(span_sub(text, at, 4), rune);
    if (n > 0)
        return n;
    *rune = 0xfffd;
    return 1;
}

size_t
text_skip(struct span text, size_t at, size_t runes)
{
    uint32_t rune;

    while (runes-- > 0 && at < text.len)
        at += text_rune(text, at, &rune);
    return at;
}

/* --- Searching --- */

enum builtin_outcome
bi_contains(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    return call_bool(text_find(value_text(args[0]), value_text(args[1]), 0) !=
                         SIZE_MAX,
                     out);
}

enum builtin_outcome
bi_startswith(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    return call_bool(text_begins(value_text(args[0]), value_text(args[1])),
                     out);
}

enum builtin_outcome
bi_endswith(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    return call_bool(text_ends(value_text(args[0]), value_text(args[1])), out);
}

enum builtin_outcome
bi_indexof(struct rego_call *call, const struct value *args, size_t n,
           struct value *out)
{
    enum builtin_outcome bad;
    struct span text, part;
    size_t at;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    part = value_text(args[1]);
    if (part.len == 0)
        return call_fail(call, "empty search character");
    at = text_find(text, part, 0);
    if (at == SIZE_MAX)
        return call_int(-1, out);
    return call_int((int64_t)text_runes(span_sub(text, 0, at)), out);
}

/* Overlapping ones too. */
enum builtin_outcome
bi_indexof_n(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    enum builtin_outcome bad;
    struct span text, part;
    size_t done = 0, runes = 0;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    part = value_text(args[1]);
    if (part.len == 0)
        return call_fail(call, "empty search character");
    for (size_t at = text_find(text, part, 0); at != SIZE_MAX;
         at = text_find(text, part, text_skip(text, at, 1))) {
        runes += text_runes(span_sub(text, done, at - done));
        done = at;
        value_list_add(&list, value_int((int64_t)runes));
    }
    return call_made(call, value_list_array(&list, out));
}

enum builtin_outcome
bi_strings_count(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    enum builtin_outcome bad;
    struct span text, part;
    int64_t count = 0;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    part = value_text(args[1]);
    if (part.len == 0)
        return call_int((int64_t)text_runes(text) + 1, out);
    for (size_t at = text_find(text, part, 0); at != SIZE_MAX;
         at = text_find(text, part, at + part.len))
        count++;
    return call_int(count, out);
}

/* --- Any of several texts with any of several affixes --- */

static bool
arg_texts(struct rego_call *call, const struct value *args, size_t i,
          struct items *out, enum builtin_outcome *bad)
{
    if (!arg_in(call, args, i, "string, set, array", bad) ||
        !arg_elements(call, args, i, TYPE_STRING, bad))
        return false;
    *out = args[i].tag == VALUE_STRING ? (struct items){ &args[i], 1 }
                                       : value_items(args[i]);
    return true;
}

static enum builtin_outcome
any_affix(struct rego_call *call, const struct value *args,
          bool (*has)(struct span, struct span), struct value *out)
{
    enum builtin_outcome bad;
    struct items texts, affixes;

    if (!arg_texts(call, args, 0, &texts, &bad) ||
        !arg_texts(call, args, 1, &affixes, &bad))
        return bad;
    for (size_t i = 0; i < texts.count; i++) {
        if (!call_charge(call, affixes.count))
            return call_abort(call, ASSAY_ERR_LIMIT);
        for (size_t k = 0; k < affixes.count; k++)
            if (has(value_text(texts.at[i]), value_text(affixes.at[k])))
                return call_bool(true, out);
    }
    return call_bool(false, out);
}

enum builtin_outcome
bi_strings_any_prefix_match(struct rego_call *call, const struct value *args,
                            size_t n, struct value *out)
{
    (void)n;
    return any_affix(call, args, text_begins, out);
}

enum builtin_outcome
bi_strings_any_suffix_match(struct rego_call *call, const struct value *args,
                            size_t n, struct value *out)
{
    (void)n;
    return any_affix(call, args, text_ends, out);
}

/* --- Cutting --- */

enum builtin_outcome
bi_substring(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    enum builtin_outcome bad;
    int64_t start, length;
    struct span text;
    size_t from, to;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_STRING, &bad) ||
        !arg_integer(call, args, 1, &start, &bad) ||
        !arg_integer(call, args, 2, &length, &bad))
        return bad;
    if (start < 0)
        return call_fail(call, "negative offset");
    text = value_text(args[0]);
    from = text_skip(text, 0, (size_t)start);
    to = length < 0 ? text.len : text_skip(text, from, (size_t)length);
    return call_text(call, span_sub(text, from, to - from), out);
}

/* Each rune a part when the separator is empty. */
static void
add_parts(struct value_list *list, struct span text, struct span separator)
{
    size_t done = 0;

    if (separator.len == 0) {
        while (done < text.len) {
            size_t next = text_skip(text, done, 1);

            value_list_add_text(list, span_sub(text, done, next - done));
            done = next;
        }
        return;
    }
    for (size_t at = text_find(text, separator, 0); at != SIZE_MAX;
         at = text_find(text, separator, done)) {
        value_list_add_text(list, span_sub(text, done, at - done));
        done = at + separator.len;
    }
    value_list_add_text(list, span_sub(text, done, text.len));
}

enum builtin_outcome
bi_split(struct rego_call *call, const struct value *args, size_t n,
         struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    if (!call_charge(call, value_count(args[0]) / 16))
        return call_abort(call, ASSAY_ERR_LIMIT);
    add_parts(&list, value_text(args[0]), value_text(args[1]));
    return call_made(call, value_list_array(&list, out));
}

/* The first parts, or the last ones for a negative number. */
enum builtin_outcome
bi_strings_split_n(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    enum builtin_outcome bad;
    uint64_t want;
    int64_t count;
    size_t from = 0;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_STRING, &bad) ||
        !arg_is(call, args, 1, TYPE_STRING, &bad) ||
        !arg_integer(call, args, 2, &count, &bad))
        return bad;
    add_parts(&list, value_text(args[0]), value_text(args[1]));
    if (list.failed)
        return call_nomem(call);
    want = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    if (want > list.count)
        want = list.count;
    if (count < 0)
        from = list.count - (size_t)want;
    return call_made(call, value_array(call->arena,
                                       list.items ? list.items + from : NULL,
                                       (size_t)want, out));
}

enum side { LEFT = 1, RIGHT = 2 };

static bool
in_cutset(struct span cutset, uint32_t rune)
{
    for (size_t at = 0; at < cutset.len;) {
        uint32_t c;

        at += text_rune(cutset, at, &c);
        if (c == rune)
            return true;
    }
    return false;
}

static bool
is_cut(const struct span *cutset, uint32_t rune)
{
    return cutset ? in_cutset(*cutset, rune) : unicode_is_space(rune);
}

/* Where the rune that ends at an offset begins. */
static size_t
rune_before(struct span text, size_t at)
{
    size_t from = at > 4 ? at - 4 : 0;
    uint32_t rune;

    for (; from < at; from++)
        if (utf8_decode(span_sub(text, from, at - from), &rune) == at - from)
            return from;
    return at - 1;
}

/* White space when cutset is NULL. */
static struct span
cut(struct span text, const struct span *cutset, unsigned sides)
{
    size_t from = 0, to = text.len;
    uint32_t rune;

    while ((sides & LEFT) && from < to) {
        size_t next = text_rune(text, from, &rune);

        if (!is_cut(cutset, rune))
            break;
        from += next;
    }
    while ((sides & RIGHT) && from < to) {
        size_t before = rune_before(text, to);

        (void)text_rune(text, before, &rune);
        if (!is_cut(cutset, rune))
            break;
        to = before;
    }
    return span_sub(text, from, to - from);
}

static enum builtin_outcome
trim(struct rego_call *call, const struct value *args, size_t n, unsigned sides,
     struct value *out)
{
    enum builtin_outcome bad;
    struct span cutset;

    if (!args_check(call, args, n, &bad))
        return bad;
    cutset = value_text(args[1]);
    if (!call_charge(call, value_count(args[0]) / 64 * (1 + cutset.len)))
        return call_abort(call, ASSAY_ERR_LIMIT);
    return call_text(call, cut(value_text(args[0]), &cutset, sides), out);
}

enum builtin_outcome
bi_trim(struct rego_call *call, const struct value *args, size_t n,
        struct value *out)
{
    return trim(call, args, n, LEFT | RIGHT, out);
}

enum builtin_outcome
bi_trim_left(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    return trim(call, args, n, LEFT, out);
}

enum builtin_outcome
bi_trim_right(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    return trim(call, args, n, RIGHT, out);
}

enum builtin_outcome
bi_trim_space(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    return call_text(call, cut(value_text(args[0]), NULL, LEFT | RIGHT), out);
}

enum builtin_outcome
bi_trim_prefix(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    enum builtin_outcome bad;
    struct span text, prefix;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    prefix = value_text(args[1]);
    if (text_begins(text, prefix))
        text = span_sub(text, prefix.len, text.len);
    return call_text(call, text, out);
}

enum builtin_outcome
bi_trim_suffix(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    enum builtin_outcome bad;
    struct span text, suffix;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    suffix = value_text(args[1]);
    if (text_ends(text, suffix))
        text = span_sub(text, 0, text.len - suffix.len);
    return call_text(call, text, out);
}
