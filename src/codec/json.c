#include "codec/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/utf8.h"

/* Where in the document the parser stands, for the path in errors. */
struct frame {
    const struct frame *up;
    struct span key; /* of the member being read, in an object */
    size_t index;    /* of the element being read, in an array */
    bool is_object;
    bool entered; /* a key or index is known */
};

struct parser {
    struct span text;
    size_t at;
    struct json_options opts; /* defaults filled in */
    struct arena *arena;
    size_t values;
    /* Members and elements whose container is still open; they move to the
     * arena, side by side, when it closes. */
    struct json_member *stack;
    size_t stack_len, stack_cap;
    struct assay_error *err;
};

enum { PATH_TEXT = 120 };

/* Keys are a stranger's bytes: what is not plain ASCII shows as '?'. */
static size_t
add_key(char *out, size_t used, size_t cap, struct span key)
{
    for (size_t i = 0; i < key.len && used < cap; i++) {
        uint8_t c = key.ptr[i];

        out[used++] = c > 0x20 && c < 0x7f ? (char)c : '?';
    }
    return used;
}

static size_t
add_step(char *out, size_t used, size_t cap, const struct frame *f)
{
    int n;

    if (f->is_object) {
        if (used > 0 && used < cap)
            out[used++] = '.';
        return add_key(out, used, cap, f->key);
    }
    n = snprintf(out + used, cap - used, "[%zu]", f->index);
    if (n < 0 || (size_t)n > cap - used)
        return cap;
    return used + (size_t)n;
}

static void
path_text(const struct frame *f, char out[PATH_TEXT])
{
    const struct frame *chain[LIMIT_JSON_DEPTH];
    size_t depth = 0, used = 0;

    for (; f; f = f->up) {
        if (f->entered && depth < LIMIT_JSON_DEPTH)
            chain[depth++] = f;
    }
    while (depth > 0)
        used = add_step(out, used, PATH_TEXT - 1, chain[--depth]);
    out[used] = '\0';
}

static enum assay_status fault(struct parser *p, const struct frame *f,
                               size_t at, enum assay_status st, const char *fmt,
                               ...) ASSAY_PRINTF(5, 6);

static enum assay_status
fault(struct parser *p, const struct frame *f, size_t at, enum assay_status st,
      const char *fmt, ...)
{
    struct json_position pos = json_where(p->text, at);
    char what[160], path[PATH_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    path_text(f, path);
    if (p->opts.fault)
        *p->opts.fault = at;
    return assay_fail(p->err, st, "%s:%zu:%zu: %s%s%s", p->opts.name, pos.line,
                      pos.column, path, path[0] ? ": " : "", what);
}

static enum assay_status
malformed(struct parser *p, const struct frame *f, const char *want)
{
    uint8_t c;

    if (p->at >= p->text.len)
        return fault(p, f, p->at, ASSAY_ERR_MALFORMED, "the text ends, want %s",
                     want);
    c = p->text.ptr[p->at];
    if (c > 0x20 && c < 0x7f)
        return fault(p, f, p->at, ASSAY_ERR_MALFORMED, "got '%c', want %s", c,
                     want);
    return fault(p, f, p->at, ASSAY_ERR_MALFORMED, "got byte 0x%02x, want %s",
                 c, want);
}

static enum assay_status
no_memory(struct parser *p)
{
    return assay_nomem(p->err, p->opts.name);
}

static bool
at_byte(const struct parser *p, char c)
{
    return p->at < p->text.len && p->text.ptr[p->at] == (uint8_t)c;
}

static bool
take_byte(struct parser *p, char c)
{
    if (!at_byte(p, c))
        return false;
    p->at++;
    return true;
}

static bool
at_digit(const struct parser *p)
{
    return p->at < p->text.len && p->text.ptr[p->at] >= '0' &&
           p->text.ptr[p->at] <= '9';
}

static void
skip_space(struct parser *p)
{
    while (at_byte(p, ' ') || at_byte(p, '\n') || at_byte(p, '\t') ||
           at_byte(p, '\r'))
        p->at++;
}

static enum assay_status
take_digits(struct parser *p, const struct frame *f)
{
    if (!at_digit(p))
        return malformed(p, f, "a digit");
    while (at_digit(p))
        p->at++;
    return ASSAY_OK;
}

static enum assay_status
scan_number(struct parser *p, const struct frame *f)
{
    enum assay_status st = ASSAY_OK;

    (void)take_byte(p, '-');
    if (take_byte(p, '0')) {
        if (at_digit(p))
            return malformed(p, f, "no digit after a leading zero");
    } else {
        st = take_digits(p, f);
    }
    if (st == ASSAY_OK && take_byte(p, '.'))
        st = take_digits(p, f);
    if (st == ASSAY_OK && (take_byte(p, 'e') || take_byte(p, 'E'))) {
        if (!take_byte(p, '+'))
            (void)take_byte(p, '-');
        st = take_digits(p, f);
    }
    return st;
}

static enum assay_status
parse_number(struct parser *p, const struct frame *f, struct json *out)
{
    size_t start = p->at;
    enum assay_status st = scan_number(p, f);

    if (st != ASSAY_OK)
        return st;
    out->type = JSON_NUMBER;
    if (!arena_dup(p->arena, span_sub(p->text, start, p->at - start),
                   &out->text))
        return no_memory(p);
    return ASSAY_OK;
}

/* Four hex digits at p->at. */
static enum assay_status
take_unit(struct parser *p, const struct frame *f, uint32_t *unit)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        uint8_t c = p->at < p->text.len ? p->text.ptr[p->at] : 0;
        uint8_t lower = c | 0x20;

        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return malformed(p, f, "four hex digits after \\u");
        p->at++;
    }
    *unit = value;
    return ASSAY_OK;
}

/* Behind "\u": one unit, or a surrogate pair. */
static enum assay_status
take_escaped_rune(struct parser *p, const struct frame *f, uint32_t *rune)
{
    size_t start = p->at;
    uint32_t low;
    enum assay_status st = take_unit(p, f, rune);

    if (st != ASSAY_OK || *rune < 0xd800 || *rune > 0xdfff)
        return st;
    if (*rune > 0xdbff)
        return fault(p, f, start, ASSAY_ERR_MALFORMED,
                     "low surrogate without a high one");
    if (!take_byte(p, '\\') || !take_byte(p, 'u'))
        return fault(p, f, start, ASSAY_ERR_MALFORMED,
                     "high surrogate without a low one");
    st = take_unit(p, f, &low);
    if (st != ASSAY_OK)
        return st;
    if (low < 0xdc00 || low > 0xdfff)
        return fault(p, f, start, ASSAY_ERR_MALFORMED,
                     "high surrogate without a low one");
    *rune = 0x10000 + ((*rune - 0xd800) << 10) + (low - 0xdc00);
    return ASSAY_OK;
}

/* Behind the backslash. */
static enum assay_status
take_escape(struct parser *p, const struct frame *f, uint8_t *out, size_t *used)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    uint8_t c = p->at < p->text.len ? p->text.ptr[p->at] : 0;
    const char *name = c ? strchr(names, c) : NULL;
    uint32_t rune = 0;
    enum assay_status st;

    if (name) {
        p->at++;
        out[(*used)++] = (uint8_t)values[name - names];
        return ASSAY_OK;
    }
    if (!take_byte(p, 'u'))
        return malformed(p, f, "an escape: one of \"\\/bfnrtu");
    st = take_escaped_rune(p, f, &rune);
    if (st == ASSAY_OK)
        *used += utf8_encode(rune, out + *used);
    return st;
}

static enum assay_status
take_plain(struct parser *p, const struct frame *f, uint8_t *out, size_t *used)
{
    struct span rest = span_sub(p->text, p->at, 4);
    uint32_t rune = 0;
    size_t len = utf8_decode(rest, &rune);

    if (len == 0)
        return malformed(p, f, "UTF-8");
    if (rune < 0x20)
        return malformed(p, f, "no control byte inside a string");
    memcpy(out + *used, rest.ptr, len);
    *used += len;
    p->at += len;
    return ASSAY_OK;
}

/* Bytes up to the quote that closes a string, which is the most it can decode
 * to: every escape is longer than what it stands for. */
static bool
string_extent(const struct parser *p, size_t *extent)
{
    size_t i = p->at;

    while (i < p->text.len && p->text.ptr[i] != '"')
        i += p->text.ptr[i] == '\\' ? 2 : 1;
    *extent = i - p->at;
    return i < p->text.len;
}

static enum assay_status
parse_string(struct parser *p, const struct frame *f, struct span *out)
{
    enum assay_status st = ASSAY_OK;
    size_t extent, used = 0;
    uint8_t *text;

    if (!take_byte(p, '"'))
        return malformed(p, f, "a string");
    if (!string_extent(p, &extent))
        return fault(p, f, p->at - 1, ASSAY_ERR_MALFORMED,
                     "the string does not end");
    text = arena_alloc(p->arena, extent + 1);
    if (!text)
        return no_memory(p);
    while (st == ASSAY_OK && !at_byte(p, '"'))
        st = take_byte(p, '\\') ? take_escape(p, f, text, &used)
                                : take_plain(p, f, text, &used);
    if (st != ASSAY_OK)
        return st;
    p->at++;
    text[used] = '\0';
    *out = span_of(text, used);
    return ASSAY_OK;
}

static enum assay_status
push(struct parser *p, struct span key, const struct json *value)
{
    if (p->stack_len == p->stack_cap) {
        size_t cap = p->stack_cap > 0 ? 2 * p->stack_cap : 64;
        void *grown =
            mem_resize(p->arena->alloc, p->stack, cap * sizeof(*p->stack));

        if (!grown)
            return no_memory(p);
        p->stack = grown;
        p->stack_cap = cap;
    }
    p->stack[p->stack_len++] = (struct json_member){ key, *value };
    return ASSAY_OK;
}

/* Bytes of a key, folded; advances *at. Keys are valid UTF-8. */
static uint8_t
fold_next(struct span s, size_t *at)
{
    uint8_t c = s.ptr[(*at)++];

    if (c >= 'A' && c <= 'Z')
        return c | 0x20;
    if (c == 0xc5 && *at < s.len && s.ptr[*at] == 0xbf) {
        *at += 1; /* U+017F, long s */
        return 's';
    }
    if (c == 0xe2 && s.len - *at >= 2 && s.ptr[*at] == 0x84 &&
        s.ptr[*at + 1] == 0xaa) {
        *at += 2; /* U+212A, the kelvin sign */
        return 'k';
    }
    return c;
}

static int
compare_fold(struct span a, struct span b)
{
    size_t i = 0, j = 0;

    while (i < a.len && j < b.len) {
        int diff = fold_next(a, &i) - fold_next(b, &j);

        if (diff != 0)
            return diff;
    }
    return (i < a.len) - (j < b.len);
}

static int
compare_exact(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int diff = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

    return diff != 0 ? diff : (a.len > b.len) - (a.len < b.len);
}

bool
json_key_equal_fold(struct span a, struct span b)
{
    return compare_fold(a, b) == 0;
}

static int
by_key_exact(const void *a, const void *b)
{
    const struct json_member *const *x = a, *const *y = b;

    return compare_exact((*x)->key, (*y)->key);
}

static int
by_key_fold(const void *a, const void *b)
{
    const struct json_member *const *x = a, *const *y = b;

    return compare_fold((*x)->key, (*y)->key);
}

/* Sorting keeps a hostile object from costing the square of its keys. */
static enum assay_status
refuse_duplicates(struct parser *p, const struct frame *f,
                  const struct json_member *members, size_t count)
{
    int (*order)(const void *, const void *) =
        p->opts.duplicates == JSON_DUPLICATES_ANY_CASE ? by_key_fold
                                                       : by_key_exact;
    const struct json_member **sorted, *twice = NULL;

    if (count < 2 || p->opts.duplicates == JSON_DUPLICATES_LAST_WINS)
        return ASSAY_OK;
    sorted = mem_alloc(p->arena->alloc, count * sizeof(const void *));
    if (!sorted)
        return no_memory(p);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &members[i];
    qsort(sorted, count, sizeof(const void *), order);
    for (size_t i = 1; i < count && !twice; i++) {
        if (order(&sorted[i - 1], &sorted[i]) == 0)
            twice = sorted[i - 1] > sorted[i] ? sorted[i - 1] : sorted[i];
    }
    mem_free(p->arena->alloc, sorted);
    if (twice) {
        struct frame at = { f->up, twice->key, 0, true, true };

        return fault(p, &at, twice->value.offset, ASSAY_ERR_MALFORMED,
                     "key given twice");
    }
    return ASSAY_OK;
}

static enum assay_status
close_container(struct parser *p, const struct frame *f, size_t base,
                struct json *out)
{
    size_t count = p->stack_len - base;
    const struct json_member *from;

    p->stack_len = base;
    out->type = f->is_object ? JSON_OBJECT : JSON_ARRAY;
    out->count = count;
    if (count == 0)
        return ASSAY_OK;
    from = p->stack + base; /* no stack, no arithmetic: it may be NULL */
    if (f->is_object) {
        struct json_member *members =
            arena_array(p->arena, count, sizeof(*members));

        if (!members)
            return no_memory(p);
        memcpy(members, from, count * sizeof(*members));
        out->members = members;
        return refuse_duplicates(p, f, members, count);
    }
    struct json *items = arena_array(p->arena, count, sizeof(*items));

    if (!items)
        return no_memory(p);
    for (size_t i = 0; i < count; i++)
        items[i] = from[i].value;
    out->items = items;
    return ASSAY_OK;
}

static enum assay_status parse_value(struct parser *p, const struct frame *up,
                                     size_t depth, struct json *out);

/* One member or element, behind the bracket or comma. */
static enum assay_status
parse_child(struct parser *p, struct frame *f, size_t depth)
{
    struct json value = { 0 };
    enum assay_status st = ASSAY_OK;

    skip_space(p);
    if (f->is_object) {
        f->entered = false;
        st = parse_string(p, f, &f->key);
        if (st != ASSAY_OK)
            return st;
        f->entered = true;
        skip_space(p);
        if (!take_byte(p, ':'))
            return malformed(p, f, "':'");
    }
    f->entered = true;
    st = parse_value(p, f, depth + 1, &value);
    if (st == ASSAY_OK)
        st = push(p, f->is_object ? f->key : span_of(NULL, 0), &value);
    return st;
}

static enum assay_status
parse_container(struct parser *p, const struct frame *up, size_t depth,
                struct json *out)
{
    struct frame f = { .up = up, .is_object = at_byte(p, '{') };
    char end = f.is_object ? '}' : ']';
    size_t base = p->stack_len;

    if (depth >= p->opts.max_depth)
        return fault(p, up, p->at, ASSAY_ERR_LIMIT, "nested deeper than %zu",
                     p->opts.max_depth);
    p->at++;
    skip_space(p);
    if (take_byte(p, end))
        return close_container(p, &f, base, out);
    for (;; f.index++) {
        enum assay_status st = parse_child(p, &f, depth);

        if (st != ASSAY_OK)
            return st;
        skip_space(p);
        if (take_byte(p, end))
            return close_container(p, &f, base, out);
        if (!take_byte(p, ','))
            return malformed(p, &f, f.is_object ? "',' or '}'" : "',' or ']'");
    }
}

static enum assay_status
parse_word(struct parser *p, const struct frame *f, struct json *out)
{
    static const struct {
        const char *word;
        enum json_type type;
        bool boolean;
    } words[] = {
        { "null", JSON_NULL, false },
        { "true", JSON_BOOL, true },
        { "false", JSON_BOOL, false },
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i].word);

        if (span_equal_str(span_sub(p->text, p->at, len), words[i].word)) {
            out->type = words[i].type;
            out->boolean = words[i].boolean;
            p->at += len;
            return ASSAY_OK;
        }
    }
    return malformed(p, f, "a value");
}

/* Recursion is bounded by max_depth, checked in parse_container. */
static enum assay_status
parse_value(struct parser *p, const struct frame *up, size_t depth,
            struct json *out)
{
    skip_space(p);
    out->offset = p->at;
    if (++p->values > p->opts.max_values)
        return fault(p, up, p->at, ASSAY_ERR_LIMIT, "more than %zu values",
                     p->opts.max_values);
    if (at_byte(p, '{') || at_byte(p, '['))
        return parse_container(p, up, depth, out);
    if (at_byte(p, '"')) {
        out->type = JSON_STRING;
        return parse_string(p, up, &out->text);
    }
    if (at_byte(p, '-') || at_digit(p))
        return parse_number(p, up, out);
    return parse_word(p, up, out);
}

static struct json_options
with_defaults(const struct json_options *opts)
{
    struct json_options o = opts ? *opts : (struct json_options){ 0 };

    if (!o.name)
        o.name = "json";
    if (o.max_bytes == 0)
        o.max_bytes = LIMIT_JSON_BYTES;
    if (o.max_depth == 0 || o.max_depth > LIMIT_JSON_DEPTH)
        o.max_depth = LIMIT_JSON_DEPTH;
    if (o.max_values == 0)
        o.max_values = LIMIT_JSON_VALUES;
    return o;
}

enum assay_status
json_parse(struct span text, const struct json_options *opts,
           struct arena *arena, struct json *out, struct assay_error *err)
{
    struct parser p = { .text = text, .arena = arena, .err = err };
    struct json value = { 0 };
    enum assay_status st;

    p.opts = with_defaults(opts);
    if (text.len > p.opts.max_bytes)
        return assay_fail(err, ASSAY_ERR_LIMIT, "%s: %zu bytes, at most %zu",
                          p.opts.name, text.len, p.opts.max_bytes);
    st = parse_value(&p, NULL, 0, &value);
    if (st == ASSAY_OK) {
        skip_space(&p);
        if (p.at < text.len)
            st = malformed(&p, NULL, "the end of the text");
    }
    mem_free(arena->alloc, p.stack);
    if (st == ASSAY_OK)
        *out = value;
    return st;
}

/* From the back, so that the last of several duplicates is found. */
const struct json *
json_get(const struct json *obj, const char *key)
{
    if (!obj || obj->type != JSON_OBJECT)
        return NULL;
    for (size_t i = obj->count; i-- > 0;) {
        if (span_equal_str(obj->members[i].key, key))
            return &obj->members[i].value;
    }
    return NULL;
}

const struct json *
json_get_fold(const struct json *obj, const char *key)
{
    if (!obj || obj->type != JSON_OBJECT)
        return NULL;
    for (size_t i = obj->count; i-- > 0;) {
        if (json_key_equal_fold(obj->members[i].key, span_str(key)))
            return &obj->members[i].value;
    }
    return NULL;
}

/* Digits only, as the grammar guarantees for what has no '.', 'e' or 'E'. */
static bool
digits_u64(struct span digits, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = digits.ptr[i];

        if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
            return false;
    }
    *out = value;
    return digits.len > 0;
}

bool
json_u64(const struct json *v, uint64_t *out)
{
    return v && v->type == JSON_NUMBER && digits_u64(v->text, out);
}

bool
json_i64(const struct json *v, int64_t *out)
{
    bool negative;
    uint64_t magnitude;

    if (!v || v->type != JSON_NUMBER)
        return false;
    negative = v->text.ptr[0] == '-';
    if (!digits_u64(span_sub(v->text, negative, v->text.len), &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool
json_is_string(const struct json *v, const char *text)
{
    return v && v->type == JSON_STRING && span_equal_str(v->text, text);
}

const char *
json_type_name(const struct json *v)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",       [JSON_BOOL] = "a boolean",
        [JSON_NUMBER] = "a number", [JSON_STRING] = "a string",
        [JSON_ARRAY] = "an array",  [JSON_OBJECT] = "an object",
    };

    return v ? names[v->type] : "nothing";
}

struct json_position
json_where(struct span text, size_t offset)
{
    struct json_position pos = { .line = 1 };
    size_t start = 0, end;

    if (offset > text.len)
        offset = text.len;
    for (size_t i = 0; i < offset; i++) {
        if (text.ptr[i] == '\n') {
            pos.line++;
            start = i + 1;
        }
    }
    for (end = offset; end < text.len && text.ptr[end] != '\n'; end++)
        continue;
    if (end > start && text.ptr[end - 1] == '\r')
        end--;
    pos.column = offset - start + 1;
    pos.text = span_sub(text, start, end - start);
    return pos;
}
