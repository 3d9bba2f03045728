/* regex.globs_match: do two globs have a common match that is not empty?
 *
 * A glob is a sequence of symbols, each a character, . or a class, with + or
 * * behind it or not. Both are run side by side over all pairs of positions;
 * the bytes of a class are a set of 256 bits. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"

struct symbol {
    bool any;               /* . */
    uint32_t rune;          /* one character, when there are no ranges */
    const uint32_t *ranges; /* first and last in turn */
    size_t range_count;
    bool repeats;  /* + or * */
    bool optional; /* * */
};

struct glob {
    struct symbol *symbols;
    size_t count;
};

struct parser {
    struct rego_call *call;
    struct span text;
    size_t at;
    enum builtin_outcome bad;
};

static bool
refuse(struct parser *p, size_t pos, const char *what)
{
    p->bad = call_fail(p->call,
                       "input:%.*s, pos:%zu, %s: the input provided is invalid",
                       (int)p->text.len, (const char *)p->text.ptr, pos, what);
    return false;
}

static bool
refuse_range(struct parser *p, uint32_t first, uint32_t last)
{
    uint8_t a[4], b[4];
    char what[80];

    snprintf(what, sizeof(what),
             "range is out of order: '%.*s' comes before '%.*s' in Unicode",
             (int)utf8_encode(last, a), (const char *)a,
             (int)utf8_encode(first, b), (const char *)b);
    return refuse(p, p->at, what);
}

static bool
take_rune(struct parser *p, uint32_t *rune, bool *escaped)
{
    *escaped = false;
    if (p->at == p->text.len)
        return false;
    p->at += text_rune(p->text, p->at, rune);
    if (*rune != '\\')
        return true;
    *escaped = true;
    if (p->at == p->text.len)
        return false;
    p->at += text_rune(p->text, p->at, rune);
    return true;
}

/* Behind the [ */
static bool
take_class(struct parser *p, struct symbol *s)
{
    uint32_t *ranges = arena_array(
        p->call->arena, 2 * (p->text.len - p->at + 1), sizeof(*ranges));
    uint32_t rune;
    bool escaped, open = false;

    if (!ranges) {
        p->bad = call_nomem(p->call);
        return false;
    }
    while (take_rune(p, &rune, &escaped)) {
        if (rune == ']' && !escaped && !open) {
            if (s->range_count == 0)
                break;
            s->ranges = ranges;
            return true;
        }
        if (open) {
            if (rune < ranges[2 * s->range_count - 2])
                return refuse_range(p, ranges[2 * s->range_count - 2], rune);
            ranges[2 * s->range_count - 1] = rune;
            open = false;
        } else if (rune == '-' && !escaped && s->range_count > 0) {
            open = true;
        } else {
            ranges[2 * s->range_count] = ranges[2 * s->range_count + 1] = rune;
            s->range_count++;
        }
    }
    return refuse(p, p->text.len, "found [ without matching ]");
}

static bool
take_symbol(struct parser *p, struct symbol *s)
{
    size_t begin = p->at;
    bool escaped;

    if (!take_rune(p, &s->rune, &escaped))
        return refuse(p, begin, "escape with nothing behind it");
    if (!escaped && s->rune == ']')
        return refuse(p, p->at, "set-close ']' with no preceding '['");
    if (!escaped && (s->rune == '+' || s->rune == '*'))
        return refuse(p, p->at,
                      s->rune == '+'
                          ? "flag '+' must be preceded by a non-flag"
                          : "flag '*' must be preceded by a non-flag");
    s->any = !escaped && s->rune == '.';
    if (!escaped && s->rune == '[' && !take_class(p, s))
        return false;
    if (p->at < p->text.len &&
        (p->text.ptr[p->at] == '+' || p->text.ptr[p->at] == '*')) {
        s->repeats = true;
        s->optional = p->text.ptr[p->at++] == '*';
    }
    return true;
}

static bool
parse(struct parser *p, struct glob *g)
{
    g->symbols =
        arena_array(p->call->arena, p->text.len + 1, sizeof(*g->symbols));
    g->count = 0;
    if (!g->symbols) {
        p->bad = call_nomem(p->call);
        return false;
    }
    while (p->at < p->text.len)
        if (!take_symbol(p, &g->symbols[g->count++]))
            return false;
    return true;
}

static bool
has_rune(const struct symbol *s, uint32_t rune)
{
    if (s->any || s->range_count == 0)
        return s->any || s->rune == rune;
    for (size_t i = 0; i < s->range_count; i++)
        if (rune >= s->ranges[2 * i] && rune <= s->ranges[2 * i + 1])
            return true;
    return false;
}

static bool
share_a_rune(const struct symbol *a, const struct symbol *b)
{
    if (a->any || b->any)
        return true;
    if (a->range_count == 0)
        return has_rune(b, a->rune);
    if (b->range_count == 0)
        return has_rune(a, b->rune);
    /* Two ranges meet where one of them begins. */
    for (size_t i = 0; i < a->range_count; i++)
        if (has_rune(b, a->ranges[2 * i]))
            return true;
    for (size_t i = 0; i < b->range_count; i++)
        if (has_rune(a, b->ranges[2 * i]))
            return true;
    return false;
}

struct states {
    bool *seen; /* (position in a, position in b, something was read) */
    size_t *todo;
    size_t count;
    size_t columns; /* of b */
};

static void
reach(struct states *s, size_t i, size_t k, bool read)
{
    size_t state = 2 * (i * s->columns + k) + read;

    if (s->seen[state])
        return;
    s->seen[state] = true;
    s->todo[s->count++] = state;
}

static void
advance(struct states *s, const struct glob *a, const struct glob *b, size_t i,
        size_t k, bool read)
{
    const struct symbol *x = i < a->count ? &a->symbols[i] : NULL;
    const struct symbol *y = k < b->count ? &b->symbols[k] : NULL;

    if (x && x->optional)
        reach(s, i + 1, k, read);
    if (y && y->optional)
        reach(s, i, k + 1, read);
    if (!x || !y || !share_a_rune(x, y))
        return;
    reach(s, i + 1, k + 1, true);
    if (x->repeats)
        reach(s, i, k + 1, true);
    if (y->repeats)
        reach(s, i + 1, k, true);
    if (x->repeats && y->repeats)
        reach(s, i, k, true);
}

enum builtin_outcome
bi_regex_globs_match(struct rego_call *call, const struct value *args, size_t n,
                     struct value *out)
{
    struct parser p = { .call = call }, q = { .call = call };
    enum builtin_outcome bad;
    struct states s = { 0 };
    struct glob a, b;
    size_t states;

    if (!args_check(call, args, n, &bad))
        return bad;
    p.text = value_text(args[0]);
    q.text = value_text(args[1]);
    if (!parse(&p, &a))
        return p.bad;
    if (!parse(&q, &b))
        return q.bad;
    s.columns = b.count + 1;
    states = 2 * (a.count + 1) * s.columns;
    if (!call_charge(call, states))
        return call_abort(call, ASSAY_ERR_LIMIT);
    s.seen = arena_array(call->arena, states, 1);
    s.todo = arena_array(call->arena, states, sizeof(*s.todo));
    if (!s.seen || !s.todo)
        return call_nomem(call);
    reach(&s, 0, 0, false);
    while (s.count > 0) {
        size_t state = s.todo[--s.count];

        advance(&s, &a, &b, state / 2 / s.columns, state / 2 % s.columns,
                state % 2);
    }
    return call_bool(s.seen[states - 1] || (a.count == 0 && b.count == 0), out);
}
