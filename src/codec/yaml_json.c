#include "codec/yaml.h"

#include <errno.h>
#include <libfyaml.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "codec/json.h"
#include "codec/yaml_parse.h"

enum {
    NUMBER_CHARS = 400, /* a double has 309 digits before its point */
    MANY_DIGITS = 17,   /* of a double, always enough */
};

struct conversion {
    const char *name;
    struct json_writer w;
    unsigned documents;
    struct assay_error *err;
};

enum scalar_kind {
    SCALAR_NULL,
    SCALAR_TRUE,
    SCALAR_FALSE,
    SCALAR_NUMBER,
    SCALAR_STRING,
    SCALAR_NO_NUMBER, /* .inf, .nan */
};

struct scalar {
    enum scalar_kind kind;
    char number[32]; /* SCALAR_NUMBER, as JSON */
};

/* YAML 1.1, language-independent types: null, bool and float. */
static const struct {
    const char *text;
    enum scalar_kind kind;
} words[] = {
    { "", SCALAR_NULL },           { "~", SCALAR_NULL },
    { "null", SCALAR_NULL },       { "Null", SCALAR_NULL },
    { "NULL", SCALAR_NULL },       { "y", SCALAR_TRUE },
    { "Y", SCALAR_TRUE },          { "yes", SCALAR_TRUE },
    { "Yes", SCALAR_TRUE },        { "YES", SCALAR_TRUE },
    { "true", SCALAR_TRUE },       { "True", SCALAR_TRUE },
    { "TRUE", SCALAR_TRUE },       { "on", SCALAR_TRUE },
    { "On", SCALAR_TRUE },         { "ON", SCALAR_TRUE },
    { "n", SCALAR_FALSE },         { "N", SCALAR_FALSE },
    { "no", SCALAR_FALSE },        { "No", SCALAR_FALSE },
    { "NO", SCALAR_FALSE },        { "false", SCALAR_FALSE },
    { "False", SCALAR_FALSE },     { "FALSE", SCALAR_FALSE },
    { "off", SCALAR_FALSE },       { "Off", SCALAR_FALSE },
    { "OFF", SCALAR_FALSE },       { ".inf", SCALAR_NO_NUMBER },
    { ".Inf", SCALAR_NO_NUMBER },  { ".INF", SCALAR_NO_NUMBER },
    { "+.inf", SCALAR_NO_NUMBER }, { "-.inf", SCALAR_NO_NUMBER },
    { "-.Inf", SCALAR_NO_NUMBER }, { "-.INF", SCALAR_NO_NUMBER },
    { ".nan", SCALAR_NO_NUMBER },  { ".NaN", SCALAR_NO_NUMBER },
    { ".NAN", SCALAR_NO_NUMBER },
};

static const char *
skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

/* [-+]? (.digits | digits [.digits?]) ([eE][-+]?digits)? */
static bool
is_float(const char *p)
{
    const char *start, *fraction;

    p += *p == '-' || *p == '+';
    start = p;
    p = skip_digits(p);
    if (p == start && (*p != '.' || skip_digits(p + 1) == p + 1))
        return false;
    if (*p == '.')
        p = skip_digits(p + 1);
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '-' || *p == '+';
        fraction = p;
        p = skip_digits(p);
        if (p == fraction)
            return false;
    }
    return *p == '\0';
}

static bool
take_float(const char *text, struct scalar *out)
{
    double d;

    if (!is_float(text))
        return false;
    d = strtod(text, NULL);
    if (!isfinite(d))
        return false;
    out->kind = SCALAR_NUMBER;
    if (fabs(d) < 1e15 && (double)(int64_t)d == d) {
        (void)snprintf(out->number, sizeof(out->number), "%.0f", d);
        return true;
    }
    for (int digits = 15; digits <= MANY_DIGITS; digits++) {
        (void)snprintf(out->number, sizeof(out->number), "%.*g", digits, d);
        if (strtod(out->number, NULL) == d)
            break;
    }
    return true;
}

/* With the prefixes 0x, 0o, 0b, and 0 for octal. */
static bool
take_integer(const char *text, struct scalar *out)
{
    bool negative = *text == '-';
    const char *p = text + (*text == '-' || *text == '+');
    unsigned long long n;
    char *end;
    int base = 0;

    if (*p < '0' || *p > '9')
        return false;
    if (p[0] == '0' && (p[1] == 'o' || p[1] == 'b')) {
        base = p[1] == 'o' ? 8 : 2;
        p += 2;
        if (*p < '0' || *p > '9')
            return false;
    }
    errno = 0;
    n = strtoull(p, &end, base);
    if (*end != '\0' || errno != 0 || (negative && n > 1ull << 63))
        return false;
    out->kind = SCALAR_NUMBER;
    (void)snprintf(out->number, sizeof(out->number), "%s%llu",
                   negative && n > 0 ? "-" : "", n);
    return true;
}

static void
take_number(struct span text, struct scalar *out)
{
    char plain[NUMBER_CHARS];
    size_t len = 0;

    if (text.len >= sizeof(plain) || memchr(text.ptr, 0, text.len))
        return;
    if (!strchr("+-.0123456789", text.ptr[0]))
        return;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '_')
            plain[len++] = (char)text.ptr[i];
    }
    plain[len] = '\0';
    if (!take_integer(plain, out))
        (void)take_float(plain, out);
}

static struct scalar
resolve(struct span text)
{
    struct scalar s = { .kind = SCALAR_STRING };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (span_equal_str(text, words[i].text)) {
            s.kind = words[i].kind;
            return s;
        }
    }
    take_number(text, &s);
    return s;
}

static enum assay_status
fail_node(const struct conversion *c, enum assay_status st, const char *what)
{
    return assay_fail(c->err, st, "%s: %s", c->name, what);
}

/* The text of a scalar and what it is. */
static enum assay_status
scalar_of(const struct conversion *c, struct fy_node *node, struct span *text,
          struct scalar *out)
{
    static const char str_tag[] = "tag:yaml.org,2002:str";
    size_t len = 0, tag_len = 0;
    const char *tag, *ptr;

    if (fy_node_is_alias(node))
        return fail_node(c, ASSAY_ERR_UNSUPPORTED, "an alias (*name)");
    tag = fy_node_get_tag(node, &tag_len);
    if (tag && !span_equal_str(span_of(tag, tag_len), str_tag))
        return fail_node(c, ASSAY_ERR_UNSUPPORTED, "a tag other than !!str");
    ptr = fy_node_get_scalar(node, &len);
    *text = span_of(ptr ? ptr : "", len);
    out->kind = SCALAR_STRING;
    if (!tag && fy_node_get_style(node) == FYNS_PLAIN)
        *out = resolve(*text);
    if (out->kind == SCALAR_NO_NUMBER)
        return fail_node(c, ASSAY_ERR_MALFORMED,
                         ".inf and .nan are no numbers of JSON");
    return ASSAY_OK;
}

static enum assay_status
write_scalar(struct conversion *c, struct fy_node *node)
{
    struct span text;
    struct scalar s;
    enum assay_status st = scalar_of(c, node, &text, &s);

    if (st != ASSAY_OK)
        return st;
    if (s.kind == SCALAR_STRING)
        jw_string(&c->w, text);
    else if (s.kind == SCALAR_NUMBER)
        jw_value(&c->w, &(struct json){ .type = JSON_NUMBER,
                                        .text = span_str(s.number) });
    else if (s.kind == SCALAR_NULL)
        jw_null(&c->w);
    else
        jw_bool(&c->w, s.kind == SCALAR_TRUE);
    return ASSAY_OK;
}

static enum assay_status
write_key(struct conversion *c, struct fy_node *node)
{
    static const char *const names[] = {
        [SCALAR_NULL] = "null", [SCALAR_TRUE] = "true", [SCALAR_FALSE] = "false"
    };
    struct span text;
    struct scalar s;
    enum assay_status st;

    if (!node || !fy_node_is_scalar(node))
        return fail_node(c, ASSAY_ERR_UNSUPPORTED,
                         "a key that is no plain value");
    st = scalar_of(c, node, &text, &s);
    if (st != ASSAY_OK)
        return st;
    if (s.kind == SCALAR_STRING)
        jw_key_span(&c->w, text);
    else
        jw_key(&c->w, s.kind == SCALAR_NUMBER ? s.number : names[s.kind]);
    return ASSAY_OK;
}

static enum assay_status write_node(struct conversion *c, struct fy_node *node,
                                    unsigned depth);

static enum assay_status
write_mapping(struct conversion *c, struct fy_node *node, unsigned depth)
{
    void *at = NULL;
    struct fy_node_pair *pair;
    enum assay_status st = ASSAY_OK;

    jw_object(&c->w);
    while (st == ASSAY_OK &&
           (pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        st = write_key(c, fy_node_pair_key(pair));
        if (st == ASSAY_OK)
            st = write_node(c, fy_node_pair_value(pair), depth + 1);
    }
    if (st == ASSAY_OK)
        jw_end(&c->w);
    return st;
}

static enum assay_status
write_sequence(struct conversion *c, struct fy_node *node, unsigned depth)
{
    void *at = NULL;
    struct fy_node *item;
    enum assay_status st = ASSAY_OK;

    jw_array(&c->w);
    while (st == ASSAY_OK &&
           (item = fy_node_sequence_iterate(node, &at)) != NULL)
        st = write_node(c, item, depth + 1);
    if (st == ASSAY_OK)
        jw_end(&c->w);
    return st;
}

static enum assay_status
write_node(struct conversion *c, struct fy_node *node, unsigned depth)
{
    if (depth >= LIMIT_YAML_DEPTH)
        return assay_fail(c->err, ASSAY_ERR_LIMIT,
                          "%s: nested deeper than %d levels", c->name,
                          LIMIT_YAML_DEPTH);
    if (!node) {
        jw_null(&c->w);
        return ASSAY_OK;
    }
    if (fy_node_is_scalar(node))
        return write_scalar(c, node);
    if (fy_node_get_tag(node, NULL))
        return fail_node(c, ASSAY_ERR_UNSUPPORTED, "a tag other than !!str");
    if (fy_node_is_mapping(node))
        return write_mapping(c, node, depth);
    return write_sequence(c, node, depth);
}

static enum assay_status
write_document(void *ctx, struct fy_node *root, struct assay_error *err)
{
    struct conversion *c = ctx;

    if (c->documents++ > 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "%s: two documents, want one", c->name);
    return write_node(c, root, 0);
}

enum assay_status
yaml_to_json(struct span text, const char *name, struct buffer *out,
             struct assay_error *err)
{
    struct conversion c = { .name = name,
                            .w = json_writer_over(out, 0),
                            .err = err };
    enum assay_status st = yaml_documents(text, name, write_document, &c, err);

    if (st != ASSAY_OK)
        return st;
    if (c.documents == 0)
        jw_null(&c.w);
    return buffer_check(out, name, err);
}
