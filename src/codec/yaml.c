#include "codec/yaml.h"

#include <libfyaml.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "codec/yaml_parse.h"

struct search {
    const char *name, *key;
    yaml_visitor *visit;
    void *ctx;
    struct assay_error *err;
};

static enum assay_status
visit_value(const struct search *s, struct fy_node *value)
{
    const char *text;
    size_t len = 0;

    if (!fy_node_is_scalar(value) || fy_node_is_alias(value))
        return assay_fail(s->err, ASSAY_ERR_MALFORMED,
                          "%s: the value of %s is not a plain string", s->name,
                          s->key);
    text = fy_node_get_scalar(value, &len);
    return s->visit(s->ctx, span_of(text, len), s->err);
}

static bool
is_key(struct fy_node *node, const char *key)
{
    const char *text;
    size_t len = 0;

    if (!node || !fy_node_is_scalar(node) || fy_node_is_alias(node))
        return false;
    text = fy_node_get_scalar(node, &len);
    return span_equal_str(span_of(text, len), key);
}

static enum assay_status search_node(const struct search *s,
                                     struct fy_node *node, unsigned depth);

static enum assay_status
search_mapping(const struct search *s, struct fy_node *node, unsigned depth)
{
    void *at = NULL;
    struct fy_node_pair *pair;
    enum assay_status st = ASSAY_OK;

    while (st == ASSAY_OK &&
           (pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        struct fy_node *value = fy_node_pair_value(pair);

        if (is_key(fy_node_pair_key(pair), s->key))
            st = visit_value(s, value);
        else
            st = search_node(s, value, depth + 1);
    }
    return st;
}

static enum assay_status
search_sequence(const struct search *s, struct fy_node *node, unsigned depth)
{
    void *at = NULL;
    struct fy_node *item;
    enum assay_status st = ASSAY_OK;

    while (st == ASSAY_OK &&
           (item = fy_node_sequence_iterate(node, &at)) != NULL)
        st = search_node(s, item, depth + 1);
    return st;
}

static enum assay_status
search_node(const struct search *s, struct fy_node *node, unsigned depth)
{
    if (depth > LIMIT_YAML_DEPTH)
        return assay_fail(s->err, ASSAY_ERR_LIMIT,
                          "%s: nested deeper than %d levels", s->name,
                          LIMIT_YAML_DEPTH);
    if (!node || fy_node_is_scalar(node))
        return ASSAY_OK;
    if (fy_node_is_mapping(node))
        return search_mapping(s, node, depth);
    return search_sequence(s, node, depth);
}

/* Keeps the library from printing; its sentence becomes ours. */
static enum assay_status
fail_parse(const char *name, struct fy_diag *diag, struct assay_error *err)
{
    const struct fy_diag_error *first;
    void *at = NULL;

    first = fy_diag_errors_iterate(diag, &at);
    if (!first)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "%s: not YAML", name);
    return assay_fail(err, ASSAY_ERR_MALFORMED, "%s:%d:%d: %s", name,
                      first->line + 1, first->column + 1, first->msg);
}

/* YAML 1.2 section 5.1, c-printable, without the two that C1 leaves over. */
static bool
is_printable(uint32_t rune)
{
    return rune == '\t' || rune == '\n' || rune == '\r' ||
           (rune >= 0x20 && rune < 0x7f) || (rune >= 0xa0 && rune < 0xfffe) ||
           rune >= 0x10000;
}

static bool
is_known_directive(struct span line)
{
    static const char *const known[] = { "%YAML 1.1", "%YAML 1.2" };

    while (line.len > 0 &&
           (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' '))
        line.len--;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (span_equal_str(line, known[i]))
            return true;
    }
    return false;
}

static struct span
line_of(struct span text)
{
    const uint8_t *end = memchr(text.ptr, '\n', text.len);

    return end ? span_sub(text, 0, (size_t)(end - text.ptr)) : text;
}

/* The library's scanner of directives does not end on some inputs, and the
 * specification knows two directives: so there is only one left. */
static enum assay_status
check_text(struct span text, const char *name, struct assay_error *err)
{
    size_t line = 1;
    bool starts = true; /* a line, at this character */

    while (text.len > 0) {
        uint32_t rune = 0;
        size_t len = utf8_decode(text, &rune);

        if (len == 0 || !is_printable(rune))
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "%s:%zu: byte 0x%02x, want printable UTF-8", name,
                              line, text.ptr[0]);
        if (starts && rune == '%' && !is_known_directive(line_of(text)))
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "%s:%zu: a directive, want none or %%YAML 1.2",
                              name, line);
        starts = rune == '\n' || rune == '\r' || rune == 0xfeff;
        line += rune == '\n';
        text = span_sub(text, len, text.len - len);
    }
    return ASSAY_OK;
}

static enum assay_status
visit_documents(struct fy_parser *parser, yaml_document_visitor *visit,
                void *ctx, struct assay_error *err)
{
    struct fy_document *doc;
    enum assay_status st = ASSAY_OK;

    while (st == ASSAY_OK && (doc = fy_parse_load_document(parser)) != NULL) {
        st = visit(ctx, fy_document_root(doc), err);
        fy_parse_document_destroy(parser, doc);
    }
    return st;
}

enum assay_status
yaml_documents(struct span text, const char *name, yaml_document_visitor *visit,
               void *ctx, struct assay_error *err)
{
    struct fy_diag_cfg diag_cfg;
    struct fy_diag *diag;
    struct fy_parser *parser = NULL;
    enum assay_status st = check_text(text, name, err);

    if (st != ASSAY_OK)
        return st;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag = fy_diag_create(&diag_cfg);
    if (!diag)
        return assay_nomem(err, name);
    fy_diag_set_collect_errors(diag, true);
    parser = fy_parser_create(&(struct fy_parse_cfg){
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG, .diag = diag });
    if (!parser ||
        fy_parser_set_string(parser, (const char *)text.ptr, text.len) != 0)
        st = assay_nomem(err, name);
    else
        st = visit_documents(parser, visit, ctx, err);
    if (st == ASSAY_OK && fy_parser_get_stream_error(parser))
        st = fail_parse(name, diag, err);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return st;
}

static enum assay_status
search_document(void *ctx, struct fy_node *root, struct assay_error *err)
{
    (void)err; /* the search has it */
    return search_node(ctx, root, 0);
}

enum assay_status
yaml_find(struct span text, const char *name, const char *key,
          yaml_visitor *visit, void *ctx, struct assay_error *err)
{
    struct search s = { name, key, visit, ctx, err };

    return yaml_documents(text, name, search_document, &s, err);
}
