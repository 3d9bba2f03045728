/* Character classes and escapes of regular expressions. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "rego/regex_parser.h"

void
rx_fail(struct regex_parser *p, const char *what, size_t from)
{
    struct span where = span_sub(p->text, from, p->at - from);

    if (p->status != ASSAY_OK)
        return;
    p->status = assay_fail(
        p->err, ASSAY_ERR_MALFORMED, "error parsing regexp: %s: `%.*s`", what,
        where.len > 80 ? 80 : (int)where.len, (const char *)where.ptr);
}

void
rx_fail_nomem(struct regex_parser *p)
{
    if (p->status == ASSAY_OK)
        p->status = assay_nomem(p->err, "regular expression");
}

bool
rx_more(const struct regex_parser *p)
{
    return p->status == ASSAY_OK && p->at < p->text.len;
}

bool
rx_looking_at(const struct regex_parser *p, const char *s)
{
    size_t n = strlen(s);

    return p->text.len - p->at >= n && memcmp(p->text.ptr + p->at, s, n) == 0;
}

bool
rx_take(struct regex_parser *p, const char *s)
{
    if (p->status != ASSAY_OK || !rx_looking_at(p, s))
        return false;
    p->at += strlen(s);
    return true;
}

/* The pattern was checked to be UTF-8. */
uint32_t
rx_take_rune(struct regex_parser *p)
{
    uint32_t rune = 0;

    p->at += utf8_decode(span_sub(p->text, p->at, 4), &rune);
    return rune;
}

struct regex_node *
rx_new_node(struct regex_parser *p, enum regex_node_kind kind)
{
    struct regex_node *n = arena_alloc(p->arena, sizeof(*n));

    if (!n) {
        rx_fail_nomem(p);
        return NULL;
    }
    n->kind = kind;
    return n;
}

/* --- Classes --- */

void
rx_add_range(struct regex_parser *p, struct regex_ranges *r, uint32_t first,
             uint32_t last)
{
    if (p->status != ASSAY_OK)
        return;
    if (r->count == r->cap) {
        size_t cap = r->cap == 0 ? 16 : 2 * r->cap;
        struct unicode_range *bigger =
            arena_array(p->arena, cap, sizeof(*bigger));

        if (!bigger) {
            rx_fail_nomem(p);
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
void
rx_add_folded(struct regex_parser *p, struct regex_ranges *r, uint32_t first,
              uint32_t last)
{
    rx_add_range(p, r, first, last);
    if (!(p->flags & REGEX_FOLD))
        return;
    for (uint32_t c = unicode_fold_from(first); c <= last;
         c = unicode_fold_from(c + 1)) {
        uint32_t other = unicode_fold_next(c);

        for (; other != c; other = unicode_fold_next(other))
            rx_add_range(p, r, other, other);
    }
}

static int
compare_ranges(const void *a, const void *b)
{
    const struct unicode_range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static void
sort_ranges(struct regex_ranges *r)
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
add_complement(struct regex_parser *p, struct regex_ranges *to,
               struct regex_ranges *r)
{
    uint32_t next = 0;

    sort_ranges(r);
    for (size_t i = 0; i < r->count; i++) {
        if (r->at[i].first > next)
            rx_add_range(p, to, next, r->at[i].first - 1);
        next = r->at[i].last + 1;
    }
    if (next <= REGEX_RUNE_MAX)
        rx_add_range(p, to, next, REGEX_RUNE_MAX);
}

struct regex_node *
rx_class_node(struct regex_parser *p, struct regex_ranges *r)
{
    struct regex_node *n = rx_new_node(p, NODE_CLASS);
    struct regex_class *c = arena_alloc(p->arena, sizeof(*c));

    if (!n || !c) {
        rx_fail_nomem(p);
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
add_named(struct regex_parser *p, struct regex_ranges *to,
          const struct named_class *c, bool negated)
{
    struct regex_ranges own = { 0 };
    struct regex_ranges *r = negated ? &own : to;

    /* NUL ends the table's strings, and belongs to these two. */
    if (strcmp(c->name, "ascii") == 0 || strcmp(c->name, "cntrl") == 0)
        rx_add_range(p, r, 0, 0);
    for (const char *s = c->pairs; *s; s += 2)
        rx_add_folded(p, r, (uint8_t)s[0], (uint8_t)s[1]);
    if (negated && p->status == ASSAY_OK)
        add_complement(p, to, &own);
}

/* \d \D and so on; false when something else is there. */
bool
rx_take_perl_class(struct regex_parser *p, struct regex_ranges *to)
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
take_posix_class(struct regex_parser *p, struct regex_ranges *to)
{
    const size_t n = sizeof(posix_classes) / sizeof(posix_classes[0]);
    size_t begin = p->at;
    const uint8_t *end;
    struct span name;
    bool negated;

    if (!rx_looking_at(p, "[:"))
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
    rx_fail(p, "invalid character class range", begin);
    return true;
}

static void
add_unicode(struct regex_parser *p, struct regex_ranges *to, struct span name,
            bool negated, size_t begin)
{
    const struct unicode_class *c;
    struct regex_ranges own = { 0 };
    size_t at = 0;
    bool known = span_equal_str(name, "Any");

    if (known)
        rx_add_range(p, &own, 0, REGEX_RUNE_MAX);
    while ((c = unicode_class_next(name, &at))) {
        known = true;
        for (size_t i = 0; i < c->count; i++)
            rx_add_folded(p, &own, c->ranges[i].first, c->ranges[i].last);
    }
    if (!known) {
        rx_fail(p, "invalid character class range", begin);
        return;
    }
    if (negated) {
        add_complement(p, to, &own);
        return;
    }
    for (size_t i = 0; i < own.count; i++)
        rx_add_range(p, to, own.at[i].first, own.at[i].last);
}

/* \pL \p{Greek} \P... \p{^...}; false when something else is there. */
bool
rx_take_unicode_class(struct regex_parser *p, struct regex_ranges *to)
{
    size_t begin = p->at;
    const uint8_t *end;
    struct span name;
    bool negated;

    if (!rx_looking_at(p, "\\p") && !rx_looking_at(p, "\\P"))
        return false;
    negated = p->text.ptr[p->at + 1] == 'P';
    p->at += 2;
    if (p->at == p->text.len) {
        rx_fail(p, "invalid character class range", begin);
        return true;
    }
    if (p->text.ptr[p->at] != '{') {
        name.ptr = p->text.ptr + p->at;
        (void)rx_take_rune(p);
        name.len = (size_t)(p->text.ptr + p->at - name.ptr);
    } else {
        name = span_sub(p->text, p->at + 1, p->text.len);
        end = memchr(name.ptr, '}', name.len);
        if (!end) {
            p->at = p->text.len;
            rx_fail(p, "invalid character class range", begin);
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
take_hex(struct regex_parser *p, size_t begin)
{
    bool braces = rx_take(p, "{");
    uint32_t rune = 0;
    int n = 0;

    while (p->at < p->text.len && (braces || n < 2)) {
        int digit = hex_digit(p->text.ptr[p->at]);

        if (digit < 0)
            break;
        rune = 16 * rune + (uint32_t)digit;
        p->at++;
        n++;
        if (rune > REGEX_RUNE_MAX)
            break;
    }
    if (rune > REGEX_RUNE_MAX || n == 0 || (braces ? !rx_take(p, "}") : n < 2))
        rx_fail(p, "invalid escape sequence", begin);
    return rune;
}

static uint32_t
take_octal(struct regex_parser *p, uint32_t first)
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

bool
rx_is_alnum(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* At a backslash: the one rune it stands for. */
uint32_t
rx_take_escape(struct regex_parser *p)
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
    c = rx_take_rune(p);
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
    if (c >= 128 || rx_is_alnum(c))
        rx_fail(p, "invalid escape sequence", begin);
    return c;
}

static uint32_t
take_class_rune(struct regex_parser *p, size_t begin)
{
    if (!rx_more(p)) {
        rx_fail(p, "missing closing ]", begin);
        return 0;
    }
    return p->text.ptr[p->at] == '\\' ? rx_take_escape(p) : rx_take_rune(p);
}

static void
take_class_range(struct regex_parser *p, struct regex_ranges *to,
                 size_t class_begin)
{
    size_t begin = p->at;
    uint32_t first = take_class_rune(p, class_begin), last = first;

    if (p->status == ASSAY_OK && p->text.len - p->at >= 2 &&
        p->text.ptr[p->at] == '-' && p->text.ptr[p->at + 1] != ']') {
        p->at++;
        last = take_class_rune(p, class_begin);
    }
    if (last < first)
        rx_fail(p, "invalid character class range", begin);
    rx_add_folded(p, to, first, last);
}

/* Behind the [ */
struct regex_node *
rx_take_class(struct regex_parser *p)
{
    size_t begin = p->at - 1;
    bool negated = rx_take(p, "^");
    struct regex_ranges r = { 0 }, other = { 0 };

    for (bool first = true; first || (rx_more(p) && !rx_looking_at(p, "]"));
         first = false) {
        if (p->status != ASSAY_OK || p->at == p->text.len)
            break;
        if (take_posix_class(p, &r) || rx_take_unicode_class(p, &r) ||
            rx_take_perl_class(p, &r))
            continue;
        take_class_range(p, &r, begin);
    }
    if (!rx_take(p, "]")) {
        p->at = p->text.len;
        rx_fail(p, "missing closing ]", begin);
        return NULL;
    }
    if (!negated)
        return rx_class_node(p, &r);
    add_complement(p, &other, &r);
    return rx_class_node(p, &other);
}
