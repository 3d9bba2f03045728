#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "rego/regex_parser.h"

/* --- Atoms --- */

static struct regex_node *
rune_node(struct regex_parser *p, uint32_t rune)
{
    struct regex_ranges r = { 0 };
    struct regex_node *n;

    if ((p->flags & REGEX_FOLD) && unicode_fold_next(rune) != rune) {
        rx_add_folded(p, &r, rune, rune);
        return p->status == ASSAY_OK ? rx_class_node(p, &r) : NULL;
    }
    n = rx_new_node(p, NODE_RUNE);
    if (n)
        n->rune = rune;
    return n;
}

static struct regex_node *
assert_node(struct regex_parser *p, enum regex_assertion assertion)
{
    struct regex_node *n = rx_new_node(p, NODE_ASSERT);

    if (n)
        n->assertion = assertion;
    return n;
}

static struct regex_node *
any_node(struct regex_parser *p)
{
    struct regex_ranges r = { 0 };

    if (p->flags & REGEX_NEWLINE)
        return rx_new_node(p, NODE_ANY);
    rx_add_range(p, &r, 0, '\n' - 1);
    rx_add_range(p, &r, '\n' + 1, REGEX_RUNE_MAX);
    return p->status == ASSAY_OK ? rx_class_node(p, &r) : NULL;
}

static void
append(struct regex_node *list, struct regex_node **tail, struct regex_node *n)
{
    if (*tail)
        (*tail)->next = n;
    else
        list->first = n;
    *tail = n;
}

static struct regex_node *
take_backslash(struct regex_parser *p)
{
    struct regex_ranges r = { 0 };

    if (rx_take(p, "\\A"))
        return assert_node(p, ASSERT_TEXT_BEGIN);
    if (rx_take(p, "\\z"))
        return assert_node(p, ASSERT_TEXT_END);
    if (rx_take(p, "\\b"))
        return assert_node(p, ASSERT_WORD);
    if (rx_take(p, "\\B"))
        return assert_node(p, ASSERT_NOT_WORD);
    if (rx_take_perl_class(p, &r) || rx_take_unicode_class(p, &r))
        return p->status == ASSAY_OK ? rx_class_node(p, &r) : NULL;
    return rune_node(p, rx_take_escape(p));
}

static struct regex_node *parse_alternate(struct regex_parser *p);

static struct regex_node *
capture_node(struct regex_parser *p, struct span name)
{
    struct regex_names *known = arena_alloc(p->arena, sizeof(*known));
    struct regex_node *n = rx_new_node(p, NODE_CAPTURE);

    if (!known || !n) {
        rx_fail_nomem(p);
        return NULL;
    }
    *known = (struct regex_names){ name, p->tree->names };
    p->tree->names = known;
    n->capture = (uint32_t)++p->tree->captures;
    n->first = parse_alternate(p);
    return n;
}

/* Behind (?P< or (?< */
static struct regex_node *
take_named(struct regex_parser *p, size_t begin)
{
    size_t from = p->at;
    struct span name;

    while (rx_more(p) &&
           (rx_is_alnum(p->text.ptr[p->at]) || p->text.ptr[p->at] == '_'))
        p->at++;
    name = span_sub(p->text, from, p->at - from);
    if (name.len == 0 || !rx_take(p, ">")) {
        rx_fail(p, "invalid named capture", begin);
        return NULL;
    }
    return capture_node(p, name);
}

static unsigned
flag_of(uint8_t c)
{
    switch (c) {
    case 'i':
        return REGEX_FOLD;
    case 'm':
        return REGEX_LINES;
    case 's':
        return REGEX_NEWLINE;
    case 'U':
        return REGEX_LAZY;
    default:
        return 0;
    }
}

/* Behind (? up to and with : or ), which is returned; 0 on failure. */
static char
take_flags(struct regex_parser *p, size_t begin)
{
    unsigned flags = p->flags;
    bool off = false, some = false;

    while (rx_more(p)) {
        uint8_t c = p->text.ptr[p->at++];
        unsigned flag = flag_of(c);

        if (flag != 0) {
            flags = off ? flags & ~flag : flags | flag;
            some = true;
        } else if (c == '-' && !off) {
            off = true;
            some = false;
        } else if ((c == ':' || c == ')') && (some || !off)) {
            p->flags = flags;
            return (char)c;
        } else {
            break;
        }
    }
    rx_fail(p, "invalid or unsupported Perl syntax", begin);
    return 0;
}

/* Behind the ( */
static struct regex_node *
take_group(struct regex_parser *p)
{
    size_t begin = p->at - 1;
    unsigned outer = p->flags;
    struct regex_node *n;

    if (!rx_take(p, "?")) {
        n = capture_node(p, (struct span){ 0 });
    } else if (rx_take(p, "P<") ||
               (rx_looking_at(p, "<") && !rx_looking_at(p, "<=") &&
                !rx_looking_at(p, "<!") && rx_take(p, "<"))) {
        n = take_named(p, begin);
    } else {
        char end = take_flags(p, begin);

        if (end != ':') /* flags for the rest of the enclosing group */
            return end == ')' ? rx_new_node(p, NODE_EMPTY) : NULL;
        n = parse_alternate(p);
    }
    p->flags = outer;
    if (p->status == ASSAY_OK && !rx_take(p, ")")) {
        p->at = p->text.len;
        rx_fail(p, "missing closing )", 0);
    }
    return n;
}

/* *lone: flags only, which no operator may follow. */
static struct regex_node *
parse_atom(struct regex_parser *p, bool *lone)
{
    size_t begin = p->at;

    *lone = false;
    if (rx_take(p, "(")) {
        struct regex_node *n = take_group(p);

        *lone = n && n->kind == NODE_EMPTY && p->text.ptr[begin + 1] == '?';
        return n;
    }
    if (rx_take(p, "["))
        return rx_take_class(p);
    if (rx_take(p, "."))
        return any_node(p);
    if (rx_take(p, "^"))
        return assert_node(p, p->flags & REGEX_LINES ? ASSERT_LINE_BEGIN
                                                     : ASSERT_TEXT_BEGIN);
    if (rx_take(p, "$"))
        return assert_node(p, p->flags & REGEX_LINES ? ASSERT_LINE_END
                                                     : ASSERT_TEXT_END);
    if (p->text.ptr[p->at] == '\\')
        return take_backslash(p);
    return rune_node(p, rx_take_rune(p));
}

/* --- Repetition --- */

/* Digits without a leading zero; -1 when there are none, above the maximum
 * when there are too many. */
static int
take_count(struct regex_parser *p)
{
    int n = -1;
    size_t from = p->at;

    while (p->at < p->text.len && p->text.ptr[p->at] >= '0' &&
           p->text.ptr[p->at] <= '9') {
        n = 10 * (n < 0 ? 0 : n) + (p->text.ptr[p->at] - '0');
        if (n > REGEX_REPEAT_MAX)
            n = REGEX_REPEAT_MAX + 1;
        p->at++;
    }
    if (p->at - from > 1 && p->text.ptr[from] == '0')
        return -1;
    return n;
}

/* {n} {n,} {n,m}; anything else is literal text. */
static bool
take_braces(struct regex_parser *p, int *min, int *max)
{
    size_t begin = p->at;

    if (!rx_take(p, "{"))
        return false;
    *min = *max = take_count(p);
    if (*min >= 0 && rx_take(p, ",")) {
        *max = REGEX_UNBOUNDED;
        if (!rx_looking_at(p, "}")) {
            *max = take_count(p);
            if (*max < 0)
                *min = -1;
        }
    }
    if (*min < 0 || !rx_take(p, "}")) {
        p->at = begin;
        return false;
    }
    if (*min > REGEX_REPEAT_MAX || *max > REGEX_REPEAT_MAX ||
        (*max >= 0 && *min > *max))
        rx_fail(p, "invalid repeat count", begin);
    return true;
}

static bool
take_operator(struct regex_parser *p, int *min, int *max)
{
    *max = REGEX_UNBOUNDED;
    *min = 0;
    if (rx_take(p, "*"))
        return true;
    *min = 1;
    if (rx_take(p, "+"))
        return true;
    *min = 0;
    *max = 1;
    return rx_take(p, "?") || take_braces(p, min, max);
}

/* Nested counts multiply; their product is bounded like one count. */
static int
nested_count(const struct regex_node *n)
{
    int most = 1;

    for (const struct regex_node *c = n->first; c; c = c->next) {
        int inner = nested_count(c);

        most = inner > most ? inner : most;
    }
    if (n->kind == NODE_REPEAT && (n->max > 1 || n->min > 1)) {
        int own = n->max > n->min ? n->max : n->min;

        most = most > REGEX_REPEAT_MAX ? most : most * own;
    }
    return most;
}

/* What repeats n, which began at begin; nothing may repeat lone flags. */
static struct regex_node *
parse_operators(struct regex_parser *p, struct regex_node *n, bool lone,
                size_t begin)
{
    struct regex_node *outer;
    bool repeated = false;
    size_t operator_at;
    int min, max;

    while (rx_more(p)) {
        operator_at = p->at;
        if (!take_operator(p, &min, &max))
            break;
        if (p->status != ASSAY_OK)
            return NULL;
        if (lone) {
            rx_fail(p, "missing argument to repetition operator", operator_at);
            return NULL;
        }
        if (repeated) {
            rx_fail(p, "invalid nested repetition operator", begin);
            return NULL;
        }
        outer = rx_new_node(p, NODE_REPEAT);
        if (!outer)
            return NULL;
        outer->min = min;
        outer->max = max;
        outer->first = n;
        outer->lazy = rx_take(p, "?") != ((p->flags & REGEX_LAZY) != 0);
        if (nested_count(outer) > REGEX_REPEAT_MAX)
            rx_fail(p, "invalid repeat count", operator_at);
        n = outer;
        repeated = true;
        begin = operator_at;
    }
    return n;
}

static struct regex_node *
parse_repeat(struct regex_parser *p)
{
    size_t begin = p->at;
    bool lone;
    struct regex_node *n = parse_atom(p, &lone);

    return parse_operators(p, n, lone, begin);
}

/* Behind \Q: literal up to \E or the end; an operator behind that repeats the
 * last rune. */
static struct regex_node *
take_quoted(struct regex_parser *p)
{
    struct regex_node *list = rx_new_node(p, NODE_CONCAT), *tail = NULL;

    while (list && rx_more(p) && !rx_take(p, "\\E")) {
        size_t begin = p->at;
        struct regex_node *n = rune_node(p, rx_take_rune(p));

        if (n && rx_take(p, "\\E")) {
            n = parse_operators(p, n, false, begin);
            if (n)
                append(list, &tail, n);
            break;
        }
        if (!n)
            return NULL;
        append(list, &tail, n);
    }
    return list;
}

static struct regex_node *
parse_concat(struct regex_parser *p)
{
    struct regex_node *list = rx_new_node(p, NODE_CONCAT), *tail = NULL;
    int min, max;

    while (list && rx_more(p) && !rx_looking_at(p, "|") &&
           !rx_looking_at(p, ")")) {
        size_t begin = p->at;
        struct regex_node *n;

        if (rx_take(p, "\\Q")) {
            n = take_quoted(p);
        } else if (take_operator(p, &min, &max)) {
            rx_fail(p, "missing argument to repetition operator", begin);
            return NULL;
        } else {
            n = parse_repeat(p);
        }
        if (p->status != ASSAY_OK || !n)
            return NULL;
        append(list, &tail, n);
    }
    return list;
}

/* Flags set inside end with the group. */
static struct regex_node *
parse_alternate(struct regex_parser *p)
{
    struct regex_node *list, *tail = NULL;

    if (++p->depth > LIMIT_REGEX_DEPTH) {
        p->at = p->text.len;
        rx_fail(p, "expression nests too deeply", 0);
        return NULL;
    }
    list = rx_new_node(p, NODE_ALTERNATE);
    while (list) {
        struct regex_node *n = parse_concat(p);

        if (p->status != ASSAY_OK || !n)
            return NULL;
        append(list, &tail, n);
        if (!rx_take(p, "|"))
            break;
    }
    p->depth--;
    return list;
}

enum assay_status
regex_parse(struct arena *a, struct span pattern, struct regex_tree *out,
            struct assay_error *err)
{
    struct regex_tree tree = { 0 };
    struct regex_parser p = {
        .arena = a, .text = pattern, .tree = &tree, .err = err
    };

    if (!utf8_valid(pattern))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "error parsing regexp: invalid UTF-8");
    tree.root = parse_alternate(&p);
    if (p.status == ASSAY_OK && p.at < pattern.len) {
        p.at = pattern.len;
        rx_fail(&p, "unexpected )", 0);
    }
    if (p.status == ASSAY_OK)
        *out = tree;
    return p.status;
}
