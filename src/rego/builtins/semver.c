/* Semantic versions (semver.org 2.0.0), read as leniently as the reference
 * does: a leading v, leading zeros, and nothing behind - or + are fine. */
#include <string.h>

#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"

struct version {
    int64_t parts[3];
    struct span prerelease;
};

static bool
read_part(struct span s, int64_t *out)
{
    int64_t n = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' ||
            __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, s.ptr[i] - '0', &n))
            return false;
    }
    *out = n;
    return true;
}

/* Empty, or identifiers between dots. */
static bool
is_identifier_list(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '.' &&
            (i == 0 || i + 1 == s.len || s.ptr[i - 1] == '.'))
            return false;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z') || c == '-' || c == '.'))
            return false;
    }
    return true;
}

/* What is behind a mark is taken off s; empty when there is no mark. */
static struct span
cut_behind(struct span *s, const char *mark, bool *found)
{
    size_t at = text_find(*s, span_str(mark), 0);
    struct span rest = span_of(NULL, 0);

    *found = at != SIZE_MAX;
    if (*found) {
        rest = span_sub(*s, at + 1, s->len);
        *s = span_sub(*s, 0, at);
    }
    return rest;
}

static bool
read_version(struct span s, struct version *v)
{
    struct span build;
    bool found;

    if (s.len > 0 && s.ptr[0] == 'v')
        s = span_sub(s, 1, s.len);
    build = cut_behind(&s, "+", &found);
    if (!is_identifier_list(build))
        return false;
    v->prerelease = cut_behind(&s, "-", &found);
    if (!is_identifier_list(v->prerelease))
        return false;
    for (int i = 0; i < 3; i++) {
        struct span rest = cut_behind(&s, ".", &found);

        if (found != (i < 2) || !read_part(s, &v->parts[i]))
            return false;
        s = rest;
    }
    return true;
}

enum builtin_outcome
bi_semver_is_valid(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    struct version v;

    (void)call, (void)n;
    return call_bool(args[0].tag == VALUE_STRING &&
                         read_version(value_text(args[0]), &v),
                     out);
}

static bool
all_digits(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

static int
compare_bytes(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static struct span
without_zeros(struct span s)
{
    while (s.len > 1 && s.ptr[0] == '0')
        s = span_sub(s, 1, s.len);
    return s;
}

/* Numbers by value and below words; words as text. */
static int
compare_identifiers(struct span a, struct span b)
{
    bool x = all_digits(a), y = all_digits(b);

    if (x != y)
        return x ? -1 : 1;
    if (!x)
        return compare_bytes(a, b);
    a = without_zeros(a);
    b = without_zeros(b);
    return a.len != b.len ? (a.len < b.len ? -1 : 1) : compare_bytes(a, b);
}

/* A version without prerelease is above all of its prereleases. */
static int
compare_prereleases(struct span a, struct span b)
{
    if (a.len == 0 || b.len == 0)
        return (a.len == 0) - (b.len == 0);
    for (;;) {
        bool more_a, more_b;
        struct span rest_a = cut_behind(&a, ".", &more_a);
        struct span rest_b = cut_behind(&b, ".", &more_b);
        int c = compare_identifiers(a, b);

        if (c != 0)
            return c;
        if (!more_a || !more_b)
            return more_a - more_b;
        a = rest_a;
        b = rest_b;
    }
}

enum builtin_outcome
bi_semver_compare(struct rego_call *call, const struct value *args, size_t n,
                  struct value *out)
{
    struct version v[2] = { 0 };
    enum builtin_outcome bad;
    int c = 0;

    if (!args_check(call, args, n, &bad))
        return bad;
    for (size_t i = 0; i < 2; i++)
        if (!read_version(value_text(args[i]), &v[i]))
            return call_fail(call,
                             "operand %zu: string \"%.200s\" is not a valid "
                             "SemVer",
                             i + 1, args[i].string->text);
    for (int i = 0; i < 3 && c == 0; i++)
        c = (v[0].parts[i] > v[1].parts[i]) - (v[0].parts[i] < v[1].parts[i]);
    if (c == 0)
        c = compare_prereleases(v[0].prerelease, v[1].prerelease);
    return call_int((c > 0) - (c < 0), out);
}
