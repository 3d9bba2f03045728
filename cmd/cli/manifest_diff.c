#include "cli/commands.h"

#include "cli/manifest_input.h"
#include "codec/json.h"
#include "common/output.h"
#include "manifest/diff.h"

enum { OUTPUT_BYTES = 64 * 1024 * 1024 };

struct values {
    unsigned output;
};

static const struct option options[] = {
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

static void
render_text(const struct manifest_diff *d, struct buffer *out)
{
    manifest_diff_render_text(d, "", out);
    if (d->count > 0) {
        buffer_add_str(out, "differs: ");
        manifest_diff_summary(d, out);
        buffer_add_str(out, "\n");
    } else if (d->same_bytes) {
        buffer_add_str(out, "same bytes\n");
    } else {
        buffer_add_str(out, "same meaning, other bytes: the hashes differ\n");
    }
}

static void
render_json(const struct manifest_diff *d, const struct manifest *from,
            const struct manifest *to, struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);

    jw_object(&w);
    jw_put_bool(&w, "differs", d->count > 0);
    jw_put_bool(&w, "same_bytes", d->same_bytes);
    jw_put_hex(&w, "old_sha256", span_of(from->hash, sizeof(from->hash)));
    jw_put_hex(&w, "new_sha256", span_of(to->hash, sizeof(to->hash)));
    jw_key(&w, "changes");
    manifest_diff_render_json(d, &w);
    jw_end(&w);
    buffer_add_str(out, "\n");
}

static int
run(struct invocation *inv)
{
    const struct values *v = inv->values;
    struct assay_error err = { 0 };
    struct manifest from, to;
    struct manifest_diff d;
    struct buffer out;
    int code = manifest_input(inv, inv->operands.items[0], &from);

    if (code == EXIT_YES)
        code = manifest_input(inv, inv->operands.items[1], &to);
    if (code != EXIT_YES) /* 1 would read as "they differ" */
        return code == EXIT_NO ? EXIT_USAGE : code;
    if (manifest_diff(&from, &to, inv->arena, &d, &err) != ASSAY_OK)
        return talk_error(inv, &err);
    buffer_init(&out, OUTPUT_BYTES, NULL);
    if (v->output == OUTPUT_JSON)
        render_json(&d, &from, &to, &out);
    else
        render_text(&d, &out);
    return print_buffer(inv, &out, d.count > 0 ? EXIT_NO : EXIT_YES);
}

const struct command manifest_diff_command = {
    .name = "manifest diff",
    .summary = "show what changed between two manifests",
    .operands = "OLD NEW",
    .operands_min = 2,
    .operands_max = 2,
    .options = options,
    .values_size = sizeof(struct values),
    .details =
        "Compares meaning, not bytes: policies by their names and role, "
        "reference values, owners. Exit code 0: same meaning, 1: it differs, "
        "2: a file is unreadable or no manifest.",
    .example = "assay manifest diff manifest.old.json manifest.json",
    .run = run,
};
