#include "cli/commands.h"

#include "base/limits.h"
#include "cli/manifest_input.h"
#include "codec/json.h"
#include "common/output.h"

enum { OUTPUT_BYTES = 16 * 1024 * 1024 };

struct values {
    unsigned output;
    bool strict;
};

static const struct option options[] = {
    { .name = "strict",
      .help = "warnings make the manifest fail too",
      OPT_FLAG(struct values, strict) },
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

static void
render_text(const struct manifest *m, const char *path, bool good,
            struct buffer *out)
{
    const struct manifest_findings *f = &m->findings;

    for (size_t i = 0; i < f->count; i++) {
        struct json_position at = json_where(m->bytes, f->list[i].offset);

        buffer_addf(out, "%s:%zu:%zu: %s: %s: %s\n", path, at.line, at.column,
                    manifest_severity_name(f->list[i].severity),
                    f->list[i].path, f->list[i].text);
    }
    buffer_addf(out, "%s: %s: %zu policies, %zu reference values, %s form; ",
                path, good ? "good" : "NOT USABLE", m->policy_count,
                m->snp_count + m->tdx_count + m->insecure,
                manifest_generation_name(m->generation));
    buffer_addf(out, "%zu errors, %zu missing values, %zu warnings\n",
                f->errors, f->missing, f->warnings);
}

static void
render_json(const struct manifest *m, const char *path, bool good,
            struct buffer *out)
{
    const struct manifest_findings *f = &m->findings;
    struct json_writer w = json_writer_over(out, 2);

    jw_object(&w);
    jw_put_str(&w, "file", path);
    jw_put_bool(&w, "usable", good);
    jw_put_hex(&w, "sha256", span_of(m->hash, sizeof(m->hash)));
    jw_put_str(&w, "generation", manifest_generation_name(m->generation));
    jw_put_u64(&w, "policies", m->policy_count);
    jw_put_u64(&w, "reference_values",
               m->snp_count + m->tdx_count + m->insecure);
    jw_put_u64(&w, "errors", f->errors);
    jw_put_u64(&w, "missing", f->missing);
    jw_put_u64(&w, "warnings", f->warnings);
    jw_key(&w, "findings");
    jw_array(&w);
    for (size_t i = 0; i < f->count; i++) {
        struct json_position at = json_where(m->bytes, f->list[i].offset);

        jw_object(&w);
        jw_put_str(&w, "severity", manifest_severity_name(f->list[i].severity));
        jw_put_str(&w, "path", f->list[i].path);
        jw_put_str(&w, "text", f->list[i].text);
        jw_put_u64(&w, "line", at.line);
        jw_put_u64(&w, "column", at.column);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    buffer_add_str(out, "\n");
}

/* Not a manifest at all: one finding, the same shape. */
static void
render_refusal(const struct values *v, const char *path, const char *text,
               struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);

    if (v->output != OUTPUT_JSON) {
        buffer_addf(out, "%s: error: %s\n", path, text);
        return;
    }
    jw_object(&w);
    jw_put_str(&w, "file", path);
    jw_put_bool(&w, "usable", false);
    jw_put_u64(&w, "errors", 1);
    jw_put_u64(&w, "missing", 0);
    jw_put_u64(&w, "warnings", 0);
    jw_key(&w, "findings");
    jw_array(&w);
    jw_object(&w);
    jw_put_str(&w, "severity", manifest_severity_name(MANIFEST_ERROR));
    jw_put_str(&w, "path", "");
    jw_put_str(&w, "text", text);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    buffer_add_str(out, "\n");
}

static int
run(struct invocation *inv)
{
    const struct values *v = inv->values;
    const char *path = inv->operands.items[0];
    struct assay_error err = { 0 };
    struct manifest m;
    struct buffer out;
    struct span file;
    bool good;
    int code = read_input(inv, path, LIMIT_MANIFEST_BYTES, &file);
    enum assay_status st;

    if (code != EXIT_YES)
        return code;
    buffer_init(&out, OUTPUT_BYTES, NULL);
    st = manifest_decode(file, inv->arena, &m, &err);
    if (st == ASSAY_ERR_MALFORMED || st == ASSAY_ERR_LIMIT) {
        render_refusal(v, path, err.text, &out);
        return print_buffer(inv, &out, EXIT_NO);
    }
    if (st == ASSAY_OK)
        st = manifest_validate(&m, &err);
    if (st != ASSAY_OK)
        return talk_error(inv, &err);
    good = manifest_check(&m, NULL) == ASSAY_OK &&
           !(v->strict && m.findings.warnings > 0);
    if (v->output == OUTPUT_JSON)
        render_json(&m, path, good, &out);
    else
        render_text(&m, path, good, &out);
    return print_buffer(inv, &out, good ? EXIT_YES : EXIT_NO);
}

const struct command manifest_lint_command = {
    .name = "manifest lint",
    .summary = "check a manifest and print everything that is wrong with it",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .values_size = sizeof(struct values),
    .details =
        "Findings are errors, missing reference values (to be filled in), or "
        "warnings. Errors and missing values make the manifest unusable: exit "
        "code 1. A coordinator and 'assay set' refuse what fails here.",
    .example = "assay manifest lint --strict manifest.json",
    .run = run,
};
