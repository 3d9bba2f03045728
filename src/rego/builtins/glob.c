/* glob.match: patterns of file name kind, without backtracking.
 *
 * The pattern is a program for threads in step, like a regular expression's:
 * it is translated to one, which brings its machine and its cache. */
#include <string.h>

#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"
#include "rego/regex.h"

static void
add_quoted(struct buffer *b, struct span rune)
{
    if (rune.len == 1 && strchr("\\.+*?()|[]{}^$-", rune.ptr[0]) && rune.ptr[0])
        buffer_add_str(b, "\\");
    buffer_add(b, rune);
}

struct globber {
    struct span text;
    size_t at;
    struct items delimiters;
    struct buffer *out;
    unsigned depth; /* of open braces */
    bool bad;
};

enum { BRACES_MAX = 64 };

/* One rune that is no delimiter. */
static void
add_any_but_delimiter(struct globber *g)
{
    if (g->delimiters.count == 0) {
        buffer_add_str(g->out, "(?s:.)");
        return;
    }
    buffer_add_str(g->out, "[^");
    for (size_t i = 0; i < g->delimiters.count; i++)
        add_quoted(g->out, value_text(g->delimiters.at[i]));
    buffer_add_str(g->out, "]");
}

static struct span
take_rune(struct globber *g)
{
    uint32_t rune;
    size_t from = g->at;

    if (g->at == g->text.len) {
        g->bad = true;
        return span_of(NULL, 0);
    }
    g->at += text_rune(g->text, g->at, &rune);
    return span_sub(g->text, from, g->at - from);
}

static bool
next_is(const struct globber *g, char c)
{
    return g->at < g->text.len && g->text.ptr[g->at] == (uint8_t)c;
}

/* A rune of a class, escaped or not. */
static struct span
take_class_rune(struct globber *g)
{
    if (next_is(g, '\\'))
        g->at++;
    return take_rune(g);
}

/* Behind the [: either one range or a list of runes. */
static void
add_class(struct globber *g)
{
    bool negated = next_is(g, '!');
    size_t count = 0;

    g->at += negated;
    buffer_add_str(g->out, negated ? "[^" : "[");
    while (!g->bad && !next_is(g, ']')) {
        struct span rune = take_class_rune(g);

        if (g->bad)
            break;
        add_quoted(g->out, rune);
        count++;
        if (next_is(g, '-') && g->at + 1 < g->text.len &&
            g->text.ptr[g->at + 1] != ']') {
            g->at++;
            buffer_add_str(g->out, "-");
            add_quoted(g->out, take_class_rune(g));
        }
    }
    if (count == 0 || !next_is(g, ']'))
        g->bad = true;
    g->at++;
    buffer_add_str(g->out, "]");
}

static void
add_star(struct globber *g)
{
    if (next_is(g, '*')) {
        while (next_is(g, '*'))
            g->at++;
        buffer_add_str(g->out, "(?s:.)*");
        return;
    }
    add_any_but_delimiter(g);
    buffer_add_str(g->out, "*");
}

static void
add_next(struct globber *g)
{
    struct span rune = take_rune(g);

    switch (rune.len == 1 ? rune.ptr[0] : 0) {
    case '*':
        add_star(g);
        break;
    case '?':
        add_any_but_delimiter(g);
        break;
    case '[':
        add_class(g);
        break;
    case '{':
        g->bad = g->bad || ++g->depth > BRACES_MAX;
        buffer_add_str(g->out, "(?:");
        break;
    case '}':
        if (g->depth == 0) {
            add_quoted(g->out, rune);
            break;
        }
        g->depth--;
        buffer_add_str(g->out, ")");
        break;
    case ',':
        if (g->depth > 0)
            buffer_add_str(g->out, "|");
        else
            add_quoted(g->out, rune);
        break;
    case '\\':
        add_quoted(g->out, take_rune(g));
        break;
    default:
        add_quoted(g->out, rune);
    }
}

static bool
translate(struct globber *g)
{
    buffer_add_str(g->out, "\\A");
    while (g->at < g->text.len && !g->bad)
        add_next(g);
    buffer_add_str(g->out, "\\z");
    return !g->bad && g->depth == 0;
}

static enum builtin_outcome
match(struct rego_call *call, struct span pattern, struct span text,
      struct value *out)
{
    struct regex_cache *cache = call->env->regexes;
    const struct regex *re;
    struct assay_error err;
    enum assay_status st = regex_cache_get(cache, pattern, &re, &err);
    bool found;

    if (st == ASSAY_ERR_NOMEM)
        return call_nomem(call);
    if (st != ASSAY_OK)
        return call_fail(call, "invalid pattern: %s", err.text);
    if (!call_charge(call, (text.len + 1) * regex_size(re) / 64 + 1))
        return call_abort(call, ASSAY_ERR_LIMIT);
    if (regex_search(regex_cache_matcher(cache), re, text, 0, NULL, 0,
                     &found) != ASSAY_OK)
        return call_nomem(call);
    return call_bool(found, out);
}

/* null means no delimiters, [] the dot. */
static bool
read_delimiters(struct rego_call *call, const struct value *args,
                const struct value *dot, struct items *out,
                enum builtin_outcome *bad)
{
    *out = value_items(args[1]);
    if (args[1].tag == VALUE_ARRAY && out->count == 0)
        *out = (struct items){ dot, 1 };
    if (!arg_elements(call, args, 1, TYPE_STRING, bad))
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (text_runes(value_text(out->at[i])) != 1) {
            *bad = call_type_error(call, "operand 2 must be array of runes but "
                                         "got array containing string");
            return false;
        }
    return true;
}

enum builtin_outcome
bi_glob_match(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    enum builtin_outcome bad;
    struct globber g = { 0 };
    struct value dot;
    struct buffer b;

    (void)n;
    if (!value_str(call->arena, ".", &dot))
        return call_nomem(call);
    if (!arg_is(call, args, 0, TYPE_STRING, &bad) ||
        !arg_in(call, args, 1, "array, null", &bad) ||
        !arg_is(call, args, 2, TYPE_STRING, &bad) ||
        !read_delimiters(call, args, &dot, &g.delimiters, &bad))
        return bad;
    call_buffer_init(call, &b);
    g.text = value_text(args[0]);
    g.out = &b;
    if (!translate(&g))
        bad = call_fail(call, "invalid pattern");
    else if (b.failed)
        bad = call_nomem(call);
    else
        bad = match(call, buffer_span(&b), value_text(args[2]), out);
    buffer_free(&b);
    return bad;
}

enum builtin_outcome
bi_glob_quote_meta(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    enum builtin_outcome bad;
    struct span text;
    struct buffer b;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    call_buffer_init(call, &b);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] && strchr("*?\\[]{}", text.ptr[i]))
            buffer_add_str(&b, "\\");
        buffer_add(&b, span_sub(text, i, 1));
    }
    return call_buffer(call, &b, out);
}
