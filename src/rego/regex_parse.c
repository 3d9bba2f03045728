#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "rego/regex_internal.h"

enum flags {
    FLAG_FOLD = 1 << 0,    /* i */
    FLAG_LINES = 1 << 1,   /* m */
    FLAG_NEWLINE = 1 << 2, /* s: . takes \n */
    FLAG_LAZY = 1 << 3,    /* U: swaps greedy and lazy */
};

enum { RUNE_MAX = 0x10ffff };

struct parser {
    struct arena *arena;
    struct span text;
    size_t at;
    unsigned flags;
    unsigned depth;
    struct regex_tree *tree;
    struct assay_error *err;
    enum assay_status status; /* of the first failure */
};

static void
fail(struct parser *p, const char *what, size_t from)
{
    struct span where = span_sub(p->text, from, p->at - from);

    if (p->status != ASSAY_OK)
        return;
    p->status = assay_fail(
        p->err, ASSAY_ERR_MALFORMED, "error parsing regexp: %s: `%.*s`", what,
        where.len > 80 ? 80 : (int)where.len, (const char *)where.ptr);
}

static void
fail_nomem(struct parser *p)
{
    if (p->status == ASSAY_OK)
        p->status = assay_nomem(p->err, "regular expression");
}

static bool
more(const struct parser *p)
{
    return p->status == ASSAY_OK && p->at < p->text.len;
}

static bool
looking_at(const struct parser *p, const char *s)
{
    size_t n = strlen(s);

    return p->text.len - p->at >= n && memcmp(p->text.ptr + p->at, s, n) == 0;
}

static bool
take(struct parser *p, const char *s)
{
    if (p->status != ASSAY_OK || !looking_at(p, s))
        return false;
    p->at += strlen(s);
    return true;
}

/* The pattern was checked to be UTF-8. */
static uint32_t
take_rune(struct parser *p)
{
    uint32_t rune = 0;

    p->at += utf8_decode(span_sub(p->text, p->at, 4), &rune);
    return rune;
}

static struct regex_node *
new_node(struct parser *p, enum regex_node_kind kind)
{
    struct regex_node *n = arena_alloc(p->arena, sizeof(*n));

    if (!n) {
        fail_nomem(p);
        return NULL;
    }
    n->kind = kind;
    return n;
}

/* --- Classes --- */

struct ranges {
    struct unicode_range *at;
    size_t count, cap;
};

static void
add_range(struct parser *p, struct ranges *r, uint32_t first, uint32_t last)
{
    if (p->status != ASSAY_OK)
        return;
    if (r->count == r->cap) {
        size_t cap = r->cap == 0 ? 16 : 2 * r->cap;
        struct unicode_range *bigger =
            arena_array(p->arena, cap, sizeof(*bigger));

        if (!bigger) {
            fail_nomem(p);
            return;
        }
        if (r->count > 0)
            memcpy(bigger, r->at, r->count * sizeof(*bigger));
        r->at = bigger;
        r->cap = cap;
    }
    r->at[r->count++] = (struct unicode_range){ first, last };
}

/* And all that equals one of them without regard to case. */
static void
add_folded(struct parser *p, struct ranges *r, uint32_t first, uint32_t last)
{
    add_range(p, r, first, last);
    if (!(p->flags & FLAG_FOLD))
        return;
    for (uint32_t c = unicode_fold_from(first); c <= last;
         c = unicode_fold_from(c + 1)) {
        uint32_t other = unicode_fold_next(c);

        for (; other != c; other = unicode_fold_next(other))
            add_range(p, r, other, other);
    }
}

static int
compare_ranges(const void *a, const void *b)
{
    const struct unicode_range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static void
sort_ranges(struct ranges *r)
{
    size_t kept = 0;

    if (r->count == 0)
        return;
    qsort(r->at, r->count, sizeof(*r->at), compare_ranges);
    for (size_t i = 1; i < r->count; i++) {
        struct unicode_range *last = &r->at[kept];

        if (r->at[i].first <= last->last + 1) {
            if (r->at[i].last > last->last)
                last->last = r->at[i].last;
        } else {
            r->at[++kept] = r->at[i];
        }
    }
    r->count = kept + 1;
}

/* Adds what is not in r, which gets sorted. */
static void
add_complement(struct parser *p, struct ranges *to, struct ranges *r)
{
    uint32_t next = 0;

    sort_ranges(r);
    for (size_t i = 0; i < r->count; i++) {
        if (r->at[i].first > next)
            add_range(p, to, next, r->at[i].first - 1);
        next = r->at[i].last + 1;
    }
    if (next <= RUNE_MAX)
        add_range(p, to, next, RUNE_MAX);
}

static struct regex_node *
class_node(struct parser *p, struct ranges *r)
{
    struct regex_node *n = new_node(p, NODE_CLASS);
    struct regex_class *c = arena_alloc(p->arena, sizeof(*c));

    if (!n || !c) {
        fail_nomem(p);
        return NULL;
    }
    sort_ranges(r);
    *c = (struct regex_class){ .ranges = r->at, .count = r->count };
    for (size_t i = 0; i < r->count && r->at[i].first < 128; i++)
        for (uint32_t k = r->at[i].first; k <= r->at[i].last && k < 128; k++)
            c->ascii[k / 64] |= UINT64_C(1) << (k % 64);
    n->set = c;
    return n;
}

struct named_class {
    const char *name;
    const char *pairs; /* first and last of each range, in turn */
};

static const struct named_class posix_classes[] = {
    { "alnum", "09AZaz" },
    { "alpha", "AZaz" },
    { "ascii", "\x01\x7f" },
    { "blank", "\t\t  " },
    { "cntrl", "\x01\x1f\x7f\x7f" },
    { "digit", "09" },
    { "graph", "!~" },
    { "lower", "az" },
    { "print", " ~" },
    { "punct", "!/:@[`{~" },
    { "space", "\t\r  " },
    { "upper", "AZ" },
    { "word", "09AZaz__" },
    { "xdigit", "09AFaf" },
};

static const struct named_class perl_classes[] = {
    { "d", "09" },
    { "s", "\t\n\f\r  " },
    { "w", "09AZaz__" },
};

static void
add_named(struct parser *p, struct ranges *to, const struct named_class *c,
          bool negated)
{
    struct ranges own = { 0 };
    struct ranges *r = negated ? &own : to;

    /* NUL ends the table's strings, and belongs to these two. */
    if (strcmp(c->name, "ascii") == 0 || strcmp(c->name, "cntrl") == 0)
        add_range(p, r, 0, 0);
    for (const char *s = c->pairs; *s; s += 2)
        add_folded(p, r, (uint8_t)s[0], (uint8_t)s[1]);
    if (negated && p->status == ASSAY_OK)
        add_complement(p, to, &own);
}

/* \d \D and so on; false when something else is there. */
static bool
take_perl_class(struct parser *p, struct ranges *to)
{
    char letter;

    if (p->text.len - p->at < 2 || p->text.ptr[p->at] != '\\')
        return false;
    letter = (char)p->text.ptr[p->at + 1];
    for (size_t i = 0; i < 3; i++) {
        char lower = perl_classes[i].name[0];

        if (letter != lower && letter != lower - 32)
            continue;
        p->at += 2;
        add_named(p, to, &perl_classes[i], letter != lower);
        return true;
    }
    return false;
}

static bool
take_posix_class(struct parser *p, struct ranges *to)
{
    const size_t n = sizeof(posix_classes) / sizeof(posix_classes[0]);
    size_t begin = p->at;
    const uint8_t *end;
    struct span name;
    bool negated;

    if (!looking_at(p, "[:"))
        return false;
    end = memmem(p->text.ptr + p->at + 2, p->text.len - p->at - 2, ":]", 2);
    if (!end)
        return false;
    negated = p->text.ptr[p->at + 2] == '^';
    name.ptr = p->text.ptr + p->at + 2 + negated;
    name.len = end >= name.ptr ? (size_t)(end - name.ptr) : 0;
    p->at = (size_t)(end - p->text.ptr) + 2;
    for (size_t i = 0; i < n; i++)
        if (span_equal_str(name, posix_classes[i].name)) {
            add_named(p, to, &posix_classes[i], negated);
            return true;
        }
    fail(p, "invalid character class range", begin);
    return true;
}

static void
add_unicode(struct parser *p, struct ranges *to, struct span name, bool negated,
            size_t begin)
{
    const struct unicode_class *c;
    struct ranges own = { 0 };
    size_t at = 0;
    bool known = span_equal_str(name, "Any");

    if (known)
        add_range(p, &own, 0, RUNE_MAX);
    while ((c = unicode_class_next(name, &at))) {
        known = true;
        for (size_t i = 0; i < c->count; i++)
            add_folded(p, &own, c->ranges[i].first, c->ranges[i].last);
    }
    if (!known) {
        fail(p, "invalid character class range", begin);
        return;
    }
    if (negated) {
        add_complement(p, to, &own);
        return;
    }
    for (size_t i = 0; i < own.count; i++)
        add_range(p, to, own.at[i].first, own.at[i].last);
}

/* \pL \p{Greek} \P... \p{^...}; false when something else is there. */
static bool
take_unicode_class(struct parser *p, struct ranges *to)
{
    size_t begin = p->at;
    const uint8_t *end;
    struct span name;
    bool negated;

    if (!looking_at(p, "\\p") && !looking_at(p, "\\P"))
        return false;
    negated = p->text.ptr[p->at + 1] == 'P';
    p->at += 2;
    if (p->at == p->text.len) {
        fail(p, "invalid character class range", begin);
        return true;
    }
    if (p->text.ptr[p->at] != '{') {
        name.ptr = p->text.ptr + p->at;
        (void)take_rune(p);
        name.len = (size_t)(p->text.ptr + p->at - name.ptr);
    } else {
        name = span_sub(p->text, p->at + 1, p->text.len);
        end = memchr(name.ptr, '}', name.len);
        if (!end) {
            p->at = p->text.len;
            fail(p, "invalid character class range", begin);
            return true;
        }
        name.len = (size_t)(end - name.ptr);
        p->at += name.len + 2;
    }
    if (name.len > 0 && name.ptr[0] == '^') {
        negated = !negated;
        name = span_sub(name, 1, name.len);
    }
    add_unicode(p, to, name, negated, begin);
    return true;
}

/* --- Escapes --- */

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind \x: two digits, or any number of them in braces. */
static uint32_t
take_hex(struct parser *p, size_t begin)
{
    bool braces = take(p, "{");
    uint32_t rune = 0;
    int n = 0;

    while (p->at < p->text.len && (braces || n < 2)) {
        int digit = hex_digit(p->text.ptr[p->at]);

        if (digit < 0)
            break;
        rune = 16 * rune + (uint32_t)digit;
        p->at++;
        n++;
        if (rune > RUNE_MAX)
            break;
    }
    if (rune > RUNE_MAX || n == 0 || (braces ? !take(p, "}") : n < 2))
        fail(p, "invalid escape sequence", begin);
    return rune;
}

static uint32_t
take_octal(struct parser *p, uint32_t first)
{
    uint32_t rune = first;

    for (int n = 1; n < 3 && p->at < p->text.len; n++) {
        uint8_t c = p->text.ptr[p->at];

        if (c < '0' || c > '7')
            break;
        rune = 8 * rune + (uint32_t)(c - '0');
        p->at++;
    }
    return rune;
}

static bool
is_alnum(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* At a backslash: the one rune it stands for. */
static uint32_t
take_escape(struct parser *p)
{
    static const char letters[] = "afnrtv", means[] = "\a\f\n\r\t\v";
    size_t begin = p->at++;
    uint32_t c;
    const char *at;

    if (p->at == p->text.len) {
        if (p->status == ASSAY_OK)
            p->status =
                assay_fail(p->err, ASSAY_ERR_MALFORMED,
                           "error parsing regexp: trailing backslash at end of "
                           "expression: ``");
        return 0;
    }
    c = take_rune(p);
    if (c == 'x')
        return take_hex(p, begin);
    if (c == '0')
        return take_octal(p, 0);
    if (c >= '1' && c <= '7' && p->at < p->text.len &&
        p->text.ptr[p->at] >= '0' && p->text.ptr[p->at] <= '7')
        return take_octal(p, c - '0');
    at = c < 128 ? strchr(letters, (int)c) : NULL;
    if (at && c)
        return (uint8_t)means[at - letters];
    if (c >= 128 || is_alnum(c))
        fail(p, "invalid escape sequence", begin);
    return c;
}

static uint32_t
take_class_rune(struct parser *p, size_t begin)
{
    if (!more(p)) {
        fail(p, "missing closing ]", begin);
        return 0;
    }
    return p->text.ptr[p->at] == '\\' ? take_escape(p) : take_rune(p);
}

static void
take_class_range(struct parser *p, struct ranges *to, size_t class_begin)
{
    size_t begin = p->at;
    uint32_t first = take_class_rune(p, class_begin), last = first;

    if (p->status == ASSAY_OK && p->text.len - p->at >= 2 &&
        p->text.ptr[p->at] == '-' && p->text.ptr[p->at + 1] != ']') {
        p->at++;
        last = take_class_rune(p, class_begin);
    }
    if (last < first)
        fail(p, "invalid character class range", begin);
    add_folded(p, to, first, last);
}

/* Behind the [ */
static struct regex_node *
take_class(struct parser *p)
{
    size_t begin = p->at - 1;
    bool negated = take(p, "^");
    struct ranges r = { 0 }, other = { 0 };

    for (bool first = true; first || (more(p) && !looking_at(p, "]"));
         first = false) {
        if (p->status != ASSAY_OK || p->at == p->text.len)
            break;
        if (take_posix_class(p, &r) || take_unicode_class(p, &r) ||
            take_perl_class(p, &r))
            continue;
        take_class_range(p, &r, begin);
    }
    if (!take(p, "]")) {
        p->at = p->text.len;
        fail(p, "missing closing ]", begin);
        return NULL;
    }
    if (!negated)
        return class_node(p, &r);
    add_complement(p, &other, &r);
    return class_node(p, &other);
}

/* --- Atoms --- */

static struct regex_node *
rune_node(struct parser *p, uint32_t rune)
{
    struct ranges r = { 0 };
    struct regex_node *n;

    if ((p->flags & FLAG_FOLD) && unicode_fold_next(rune) != rune) {
        add_folded(p, &r, rune, rune);
        return p->status == ASSAY_OK ? class_node(p, &r) : NULL;
    }
    n = new_node(p, NODE_RUNE);
    if (n)
        n->rune = rune;
    return n;
}

static struct regex_node *
assert_node(struct parser *p, enum regex_assertion assertion)
{
    struct regex_node *n = new_node(p, NODE_ASSERT);

    if (n)
        n->assertion = assertion;
    return n;
}

static struct regex_node *
any_node(struct parser *p)
{
    struct ranges r = { 0 };

    if (p->flags & FLAG_NEWLINE)
        return new_node(p, NODE_ANY);
    add_range(p, &r, 0, '\n' - 1);
    add_range(p, &r, '\n' + 1, RUNE_MAX);
    return p->status == ASSAY_OK ? class_node(p, &r) : NULL;
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
take_backslash(struct parser *p)
{
    struct ranges r = { 0 };

    if (take(p, "\\A"))
        return assert_node(p, ASSERT_TEXT_BEGIN);
    if (take(p, "\\z"))
        return assert_node(p, ASSERT_TEXT_END);
    if (take(p, "\\b"))
        return assert_node(p, ASSERT_WORD);
    if (take(p, "\\B"))
        return assert_node(p, ASSERT_NOT_WORD);
    if (take_perl_class(p, &r) || take_unicode_class(p, &r))
        return p->status == ASSAY_OK ? class_node(p, &r) : NULL;
    return rune_node(p, take_escape(p));
}

static struct regex_node *parse_alternate(struct parser *p);

static struct regex_node *
capture_node(struct parser *p, struct span name)
{
    struct regex_names *known = arena_alloc(p->arena, sizeof(*known));
    struct regex_node *n = new_node(p, NODE_CAPTURE);

    if (!known || !n) {
        fail_nomem(p);
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
take_named(struct parser *p, size_t begin)
{
    size_t from = p->at;
    struct span name;

    while (more(p) &&
           (is_alnum(p->text.ptr[p->at]) || p->text.ptr[p->at] == '_'))
        p->at++;
    name = span_sub(p->text, from, p->at - from);
    if (name.len == 0 || !take(p, ">")) {
        fail(p, "invalid named capture", begin);
        return NULL;
    }
    return capture_node(p, name);
}

static unsigned
flag_of(uint8_t c)
{
    switch (c) {
    case 'i':
        return FLAG_FOLD;
    case 'm':
        return FLAG_LINES;
    case 's':
        return FLAG_NEWLINE;
    case 'U':
        return FLAG_LAZY;
    default:
        return 0;
    }
}

/* Behind (? up to and with : or ), which is returned; 0 on failure. */
static char
take_flags(struct parser *p, size_t begin)
{
    unsigned flags = p->flags;
    bool off = false, some = false;

    while (more(p)) {
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
    fail(p, "invalid or unsupported Perl syntax", begin);
    return 0;
}

/* Behind the ( */
static struct regex_node *
take_group(struct parser *p)
{
    size_t begin = p->at - 1;
    unsigned outer = p->flags;
    struct regex_node *n;

    if (!take(p, "?")) {
        n = capture_node(p, (struct span){ 0 });
    } else if (take(p, "P<") || (looking_at(p, "<") && !looking_at(p, "<=") &&
                                 !looking_at(p, "<!") && take(p, "<"))) {
        n = take_named(p, begin);
    } else {
        char end = take_flags(p, begin);

        if (end != ':') /* flags for the rest of the enclosing group */
            return end == ')' ? new_node(p, NODE_EMPTY) : NULL;
        n = parse_alternate(p);
    }
    p->flags = outer;
    if (p->status == ASSAY_OK && !take(p, ")")) {
        p->at = p->text.len;
        fail(p, "missing closing )", 0);
    }
    return n;
}

/* *lone: flags only, which no operator may follow. */
static struct regex_node *
parse_atom(struct parser *p, bool *lone)
{
    size_t begin = p->at;

    *lone = false;
    if (take(p, "(")) {
        struct regex_node *n = take_group(p);

        *lone = n && n->kind == NODE_EMPTY && p->text.ptr[begin + 1] == '?';
        return n;
    }
    if (take(p, "["))
        return take_class(p);
    if (take(p, "."))
        return any_node(p);
    if (take(p, "^"))
        return assert_node(p, p->flags & FLAG_LINES ? ASSERT_LINE_BEGIN
                                                    : ASSERT_TEXT_BEGIN);
    if (take(p, "$"))
        return assert_node(p, p->flags & FLAG_LINES ? ASSERT_LINE_END
                                                    : ASSERT_TEXT_END);
    if (p->text.ptr[p->at] == '\\')
        return take_backslash(p);
    return rune_node(p, take_rune(p));
}

/* --- Repetition --- */

/* Digits without a leading zero; -1 when there are none, above the maximum
 * when there are too many. */
static int
take_count(struct parser *p)
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
take_braces(struct parser *p, int *min, int *max)
{
    size_t begin = p->at;

    if (!take(p, "{"))
        return false;
    *min = *max = take_count(p);
    if (*min >= 0 && take(p, ",")) {
        *max = REGEX_UNBOUNDED;
        if (!looking_at(p, "}")) {
            *max = take_count(p);
            if (*max < 0)
                *min = -1;
        }
    }
    if (*min < 0 || !take(p, "}")) {
        p->at = begin;
        return false;
    }
    if (*min > REGEX_REPEAT_MAX || *max > REGEX_REPEAT_MAX ||
        (*max >= 0 && *min > *max))
        fail(p, "invalid repeat count", begin);
    return true;
}

static bool
take_operator(struct parser *p, int *min, int *max)
{
    *max = REGEX_UNBOUNDED;
    *min = 0;
    if (take(p, "*"))
        return true;
    *min = 1;
    if (take(p, "+"))
        return true;
    *min = 0;
    *max = 1;
    return take(p, "?") || take_braces(p, min, max);
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
parse_operators(struct parser *p, struct regex_node *n, bool lone, size_t begin)
{
    struct regex_node *outer;
    bool repeated = false;
    size_t operator_at;
    int min, max;

    while (more(p)) {
        operator_at = p->at;
        if (!take_operator(p, &min, &max))
            break;
        if (p->status != ASSAY_OK)
            return NULL;
        if (lone) {
            fail(p, "missing argument to repetition operator", operator_at);
            return NULL;
        }
        if (repeated) {
            fail(p, "invalid nested repetition operator", begin);
            return NULL;
        }
        outer = new_node(p, NODE_REPEAT);
        if (!outer)
            return NULL;
        outer->min = min;
        outer->max = max;
        outer->first = n;
        outer->lazy = take(p, "?") != ((p->flags & FLAG_LAZY) != 0);
        if (nested_count(outer) > REGEX_REPEAT_MAX)
            fail(p, "invalid repeat count", operator_at);
        n = outer;
        repeated = true;
        begin = operator_at;
    }
    return n;
}

static struct regex_node *
parse_repeat(struct parser *p)
{
    size_t begin = p->at;
    bool lone;
    struct regex_node *n = parse_atom(p, &lone);

    return parse_operators(p, n, lone, begin);
}

/* Behind \Q: literal up to \E or the end; an operator behind that repeats the
 * last rune. */
static struct regex_node *
take_quoted(struct parser *p)
{
    struct regex_node *list = new_node(p, NODE_CONCAT), *tail = NULL;

    while (list && more(p) && !take(p, "\\E")) {
        size_t begin = p->at;
        struct regex_node *n = rune_node(p, take_rune(p));

        if (n && take(p, "\\E")) {
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
parse_concat(struct parser *p)
{
    struct regex_node *list = new_node(p, NODE_CONCAT), *tail = NULL;
    int min, max;

    while (list && more(p) && !looking_at(p, "|") && !looking_at(p, ")")) {
        size_t begin = p->at;
        struct regex_node *n;

        if (take(p, "\\Q")) {
            n = take_quoted(p);
        } else if (take_operator(p, &min, &max)) {
            fail(p, "missing argument to repetition operator", begin);
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
parse_alternate(struct parser *p)
{
    struct regex_node *list, *tail = NULL;

    if (++p->depth > LIMIT_REGEX_DEPTH) {
        p->at = p->text.len;
        fail(p, "expression nests too deeply", 0);
        return NULL;
    }
    list = new_node(p, NODE_ALTERNATE);
    while (list) {
        struct regex_node *n = parse_concat(p);

        if (p->status != ASSAY_OK || !n)
            return NULL;
        append(list, &tail, n);
        if (!take(p, "|"))
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
    struct parser p = {
        .arena = a, .text = pattern, .tree = &tree, .err = err
    };

    if (!utf8_valid(pattern))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "error parsing regexp: invalid UTF-8");
    tree.root = parse_alternate(&p);
    if (p.status == ASSAY_OK && p.at < pattern.len) {
        p.at = pattern.len;
        fail(&p, "unexpected )", 0);
    }
    if (p.status == ASSAY_OK)
        *out = tree;
    return p.status;
}
