/* Regular expressions. Patterns are compiled once per evaluator and kept. */
#include "rego/regex.h"

#include <string.h>

#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"

struct matching {
    struct rego_call *call;
    const struct regex *re;
    struct regex_matcher *matcher;
    struct regex_range *groups; /* of the last match; the whole is 0 */
    size_t count;
};

/* Charges for searching a text, in steps of 64 instructions. */
static bool
charge(struct matching *m, struct span text)
{
    return call_charge(m->call, (text.len + 1) * regex_size(m->re) / 64 + 1);
}

static bool
prepare(struct rego_call *call, struct span pattern, bool with_groups,
        struct matching *m, enum builtin_outcome *bad)
{
    struct regex_cache *cache = call->env->regexes;
    struct assay_error err;
    enum assay_status st = regex_cache_get(cache, pattern, &m->re, &err);

    *bad = BUILTIN_OK;
    if (st == ASSAY_ERR_NOMEM)
        *bad = call_nomem(call);
    else if (st != ASSAY_OK)
        *bad = call_fail(call, "%s", err.text);
    if (*bad != BUILTIN_OK)
        return false;
    m->call = call;
    m->matcher = regex_cache_matcher(cache);
    m->count = with_groups ? regex_groups(m->re) + 1 : 1;
    m->groups = arena_array(call->arena, m->count, sizeof(*m->groups));
    if (!m->groups)
        *bad = call_nomem(call);
    return m->groups != NULL;
}

static bool
search(struct matching *m, struct span text, size_t from, bool *found)
{
    return regex_search(m->matcher, m->re, text, from, m->groups, m->count,
                        found) == ASSAY_OK;
}

static enum builtin_outcome
is_match(struct rego_call *call, struct span pattern, struct span text,
         struct value *out)
{
    struct matching m;
    enum builtin_outcome bad;
    bool found;

    if (!prepare(call, pattern, false, &m, &bad))
        return bad;
    if (!charge(&m, text))
        return call_abort(call, ASSAY_ERR_LIMIT);
    if (regex_search(m.matcher, m.re, text, 0, NULL, 0, &found) != ASSAY_OK)
        return call_nomem(call);
    return call_bool(found, out);
}

enum builtin_outcome
bi_regex_match(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    return is_match(call, value_text(args[0]), value_text(args[1]), out);
}

enum builtin_outcome
bi_re_match(struct rego_call *call, const struct value *args, size_t n,
            struct value *out)
{
    return bi_regex_match(call, args, n, out);
}

enum builtin_outcome
bi_regex_is_valid(struct rego_call *call, const struct value *args, size_t n,
                  struct value *out)
{
    const struct regex *re;
    struct assay_error err;
    enum assay_status st;

    (void)n;
    if (args[0].tag != VALUE_STRING)
        return call_bool(false, out);
    st = regex_cache_get(call->env->regexes, value_text(args[0]), &re, &err);
    if (st == ASSAY_ERR_NOMEM)
        return call_nomem(call);
    return call_bool(st == ASSAY_OK, out);
}

/* --- All matches --- */

/* Goes from match to match; an empty one right behind another is none. */
struct walk {
    size_t from;
    size_t last_end; /* of the match before, or SIZE_MAX */
};

/* False at the end or on failure, when *failed is set. */
static bool
next_match(struct matching *m, struct span text, struct walk *w, bool *failed)
{
    bool found;

    *failed = false;
    while (w->from <= text.len) {
        struct regex_range whole;
        bool empty;

        if (!charge(m, span_sub(text, w->from, text.len)) ||
            !search(m, text, w->from, &found)) {
            *failed = true;
            return false;
        }
        if (!found)
            return false;
        whole = m->groups[0];
        empty = whole.to == w->from && whole.from == whole.to;
        if (whole.to > w->from)
            w->from = whole.to;
        else
            w->from =
                w->from < text.len ? text_skip(text, w->from, 1) : text.len + 1;
        if (empty && whole.from == w->last_end) {
            w->last_end = whole.to;
            continue;
        }
        w->last_end = whole.to;
        return true;
    }
    return false;
}

static enum builtin_outcome
gave_up(struct rego_call *call)
{
    return call_abort(call, call->env->steps_left == 0 ? ASSAY_ERR_LIMIT
                                                       : ASSAY_ERR_NOMEM);
}

static struct span
group_text(struct span text, struct regex_range g)
{
    if (g.from == SIZE_MAX || g.to == SIZE_MAX)
        return span_of(NULL, 0);
    return span_sub(text, g.from, g.to - g.from);
}

static void
add_groups(struct matching *m, struct span text, struct value_list *list)
{
    struct value_list groups = value_list_in(m->call->arena);
    struct value v;

    for (size_t i = 0; i < m->count; i++)
        value_list_add_text(&groups, group_text(text, m->groups[i]));
    if (value_list_array(&groups, &v))
        value_list_add(list, v);
    else
        list->failed = true;
}

static enum builtin_outcome
find_n(struct rego_call *call, const struct value *args, bool with_groups,
       struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    struct walk walk = { 0, SIZE_MAX };
    enum builtin_outcome bad;
    struct matching m;
    struct span text;
    int64_t most;
    bool failed = false;

    if (!arg_is(call, args, 0, TYPE_STRING, &bad) ||
        !arg_is(call, args, 1, TYPE_STRING, &bad) ||
        !arg_integer(call, args, 2, &most, &bad) ||
        !prepare(call, value_text(args[0]), with_groups, &m, &bad))
        return bad;
    text = value_text(args[1]);
    while ((most < 0 || list.count < (uint64_t)most) && !list.failed &&
           next_match(&m, text, &walk, &failed)) {
        if (with_groups)
            add_groups(&m, text, &list);
        else
            value_list_add_text(&list, group_text(text, m.groups[0]));
    }
    if (failed)
        return gave_up(call);
    return call_made(call, value_list_array(&list, out));
}

enum builtin_outcome
bi_regex_find_n(struct rego_call *call, const struct value *args, size_t n,
                struct value *out)
{
    (void)n;
    return find_n(call, args, false, out);
}

enum builtin_outcome
bi_regex_find_all_string_submatch_n(struct rego_call *call,
                                    const struct value *args, size_t n,
                                    struct value *out)
{
    (void)n;
    return find_n(call, args, true, out);
}

enum builtin_outcome
bi_regex_split(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    struct walk walk = { 0, SIZE_MAX };
    size_t begin = 0, end = 0;
    enum builtin_outcome bad;
    struct matching m;
    struct span text;
    bool failed = false;

    if (!args_check(call, args, n, &bad) ||
        !prepare(call, value_text(args[0]), false, &m, &bad))
        return bad;
    text = value_text(args[1]);
    while (text.len > 0 && next_match(&m, text, &walk, &failed)) {
        end = m.groups[0].from;
        if (m.groups[0].to != 0)
            value_list_add_text(&list, span_sub(text, begin, end - begin));
        begin = m.groups[0].to;
    }
    if (failed)
        return gave_up(call);
    if (end != text.len || (text.len == 0 && value_count(args[0]) > 0))
        value_list_add_text(&list, span_sub(text, begin, text.len));
    return call_made(call, value_list_array(&list, out));
}

/* --- Replacing --- */

static bool
is_name_byte(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_';
}

/* The name behind a $, in braces or not; 0 when there is none. */
static size_t
take_name(struct span rest, struct span *name)
{
    bool braces = rest.len > 0 && rest.ptr[0] == '{';
    size_t n = braces;

    while (n < rest.len && is_name_byte(rest.ptr[n]))
        n++;
    *name = span_sub(rest, braces, n - braces);
    if (name->len == 0 || (braces && (n == rest.len || rest.ptr[n] != '}')))
        return 0;
    return n + braces;
}

static bool
is_number(struct span name, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < '0' || name.ptr[i] > '9' || *out > 100000000)
            return false;
        *out = 10 * *out + (size_t)(name.ptr[i] - '0');
    }
    return name.len == 1 || name.ptr[0] != '0';
}

static struct span
named_group(struct matching *m, struct span text, struct span name)
{
    size_t i;

    if (is_number(name, &i))
        return i < m->count ? group_text(text, m->groups[i]) : span_of(NULL, 0);
    for (i = 1; i < m->count; i++)
        if (span_equal(regex_group_name(m->re, i), name) &&
            m->groups[i].from != SIZE_MAX)
            return group_text(text, m->groups[i]);
    return span_of(NULL, 0);
}

static void
expand(struct matching *m, struct span text, struct span by, struct buffer *b)
{
    while (by.len > 0 && !b->failed) {
        size_t at = text_find(by, span_str("$"), 0), n;
        struct span name;

        buffer_add(b, span_sub(by, 0, at));
        if (at == SIZE_MAX)
            return;
        by = span_sub(by, at + 1, by.len);
        if (by.len > 0 && by.ptr[0] == '$') {
            buffer_add_str(b, "$");
            by = span_sub(by, 1, by.len);
            continue;
        }
        n = take_name(by, &name);
        if (n == 0)
            buffer_add_str(b, "$"); /* malformed: as it is */
        else
            buffer_add(b, named_group(m, text, name));
        by = span_sub(by, n, by.len);
    }
}

static bool
replace_all(struct matching *m, struct span text, struct span by,
            struct buffer *b)
{
    size_t from = 0, last_end = 0;
    bool found = true;

    while (from <= text.len && !b->failed) {
        struct regex_range whole;
        size_t step;

        if (!charge(m, span_sub(text, from, text.len)) ||
            !search(m, text, from, &found))
            return false;
        if (!found)
            break;
        whole = m->groups[0];
        buffer_add(b, span_sub(text, last_end, whole.from - last_end));
        if (whole.to > last_end || whole.from == 0)
            expand(m, text, by, b);
        last_end = whole.to;
        step = from < text.len ? text_skip(text, from, 1) : from + 1;
        from = step > whole.to ? step : whole.to;
    }
    buffer_add(b, span_sub(text, last_end, text.len));
    return true;
}

enum builtin_outcome
bi_regex_replace(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    enum builtin_outcome bad;
    struct matching m;
    struct buffer b;

    if (!args_check(call, args, n, &bad) ||
        !prepare(call, value_text(args[1]), true, &m, &bad))
        return bad;
    call_buffer_init(call, &b);
    if (!replace_all(&m, value_text(args[0]), value_text(args[2]), &b)) {
        buffer_free(&b);
        return gave_up(call);
    }
    return call_buffer(call, &b, out);
}

/* --- Templates: expressions between delimiters, literal text outside --- */

static void
add_literal(struct buffer *b, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("\\.+*?()|[]{}^$", text.ptr[i]) && text.ptr[i])
            buffer_add_str(b, "\\");
        buffer_add(b, span_sub(text, i, 1));
    }
}

/* Where the delimiter that closes the one at the front is; SIZE_MAX when
 * they do not balance. */
static size_t
find_close(struct span text, uint8_t open, uint8_t close)
{
    size_t depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == open)
            depth++;
        else if (text.ptr[i] == close && --depth == 0)
            return i;
    }
    return SIZE_MAX;
}

static bool
build_template(struct buffer *b, struct span text, uint8_t open, uint8_t close)
{
    buffer_add_str(b, "^");
    while (text.len > 0) {
        const uint8_t *hit = memchr(text.ptr, open, text.len);
        size_t at = hit ? (size_t)(hit - text.ptr) : text.len, end;

        if (memchr(text.ptr, close, at))
            return false;
        add_literal(b, span_sub(text, 0, at));
        text = span_sub(text, at, text.len);
        if (text.len == 0)
            break;
        end = find_close(text, open, close);
        if (end == SIZE_MAX)
            return false;
        buffer_add_str(b, "(");
        buffer_add(b, span_sub(text, 1, end - 1));
        buffer_add_str(b, ")");
        text = span_sub(text, end + 1, text.len);
    }
    buffer_add_str(b, "$");
    return true;
}

enum builtin_outcome
bi_regex_template_match(struct rego_call *call, const struct value *args,
                        size_t n, struct value *out)
{
    enum builtin_outcome bad;
    struct span open, close;
    struct buffer b;

    if (!args_check(call, args, n, &bad))
        return bad;
    open = value_text(args[2]);
    close = value_text(args[3]);
    if (open.len != 1)
        return call_fail(call,
                         "start delimiter has to be exactly one character long "
                         "but is %zu long",
                         open.len);
    if (close.len != 1)
        return call_fail(call,
                         "end delimiter has to be exactly one character long "
                         "but is %zu long",
                         open.len);
    call_buffer_init(call, &b);
    if (build_template(&b, value_text(args[0]), open.ptr[0], close.ptr[0]))
        bad = b.failed
                  ? call_nomem(call)
                  : is_match(call, buffer_span(&b), value_text(args[1]), out);
    else
        bad = call_fail(call, "unbalanced braces in \"%s\"",
                        args[0].string->text);
    buffer_free(&b);
    return bad;
}
