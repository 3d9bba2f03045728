#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "cli/manifest_parts.h"
#include "common/output.h"
#include "evidence/snp_report.h"

static const struct option options[] = {
    { .name = "policy",
      .help = "policy document of a pod, with its SANs; role is coordinator",
      OPT_LIST(struct manifest_new_values, policies,
               "FILE[,role=R][,san=N]..[,secret=ID]") },
    { .name = "reference-value",
      .help = "reference value(s) as JSON, KIND snp or tdx",
      OPT_LIST(struct manifest_new_values, reference_values, "KIND:FILE") },
    { .name = "product",
      .help = "of one SNP value given here: Milan, Genoa or Turin",
      OPT_TEXT(struct manifest_new_values, product, "NAME") },
    { .name = "measurement",
      .help = "launch digest, with --apeip that of one vCPU",
      OPT_TEXT(struct manifest_new_values, measurement, "HEX") },
    { .name = "apeip",
      .help = "reset EIP of further processors",
      OPT_TEXT(struct manifest_new_values, ap_eip, "HEX") },
    { .name = "min-tcb",
      .help = "bl,tee,snp,ucode (Turin: fmc first); left open otherwise",
      OPT_TEXT(struct manifest_new_values, min_tcb, "N,N,N,N") },
    { .name = "platform-info",
      .help = "platform flag that is set, such as AliasCheckComplete; without "
              "any: SMTEnabled",
      OPT_LIST(struct manifest_new_values, platform_info, "FLAG") },
    { .name = "mitigations",
      .help = "mitigation bits that are required",
      OPT_NUMBER(struct manifest_new_values, mitigations, "N") },
    { .name = "chip-id",
      .help = "chip that is allowed; without any: all",
      OPT_LIST(struct manifest_new_values, chip_ids, "HEX") },
    { .name = "allow-milan-without-chip-ids",
      .help = "accept the risk of Milan's extracted keys",
      OPT_FLAG(struct manifest_new_values, allow_milan) },
    { .name = "insecure-platform",
      .help = "accept evidence without hardware; no other values then",
      OPT_FLAG(struct manifest_new_values, insecure) },
    { .name = "workload-owner-key",
      .help = "PEM key of who may update",
      OPT_LIST(struct manifest_new_values, workload_owners, "FILE") },
    { .name = "seedshare-owner-key",
      .help = "PEM key of who may recover",
      OPT_LIST(struct manifest_new_values, seedshare_owners, "FILE") },
    { .name = "owner-form",
      .help = "list owners by key, by digest (for older coordinators), or both",
      OPT_CHOICE(struct manifest_new_values, owner_form, "keys|digests|both"),
      .fallback = "keys" },
    { .name = "out",
      .letter = 'o',
      .help = "write the manifest there instead of to standard output",
      OPT_TEXT(struct manifest_new_values, out, "FILE") },
    OPT_ROW_OUTPUT(struct manifest_new_values, output),
    { 0 },
};

/* What lint would say about it, on stderr. */
static void
talk_findings(const struct invocation *inv, const struct manifest *m)
{
    for (size_t i = 0; i < m->findings.count; i++) {
        const struct manifest_finding *f = &m->findings.list[i];

        talk(inv, "%s: %s: %s", manifest_severity_name(f->severity), f->path,
             f->text);
    }
}

static void
render_written(const struct manifest_new_values *v, const struct manifest *m,
               struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);

    if (v->output != OUTPUT_JSON) {
        buffer_add_hex(out, span_of(m->hash, sizeof(m->hash)));
        buffer_addf(out, "  %s\n", v->out);
        return;
    }
    jw_object(&w);
    jw_put_str(&w, "file", v->out);
    jw_put_hex(&w, "sha256", span_of(m->hash, sizeof(m->hash)));
    jw_put_bool(&w, "usable", manifest_check(m, NULL) == ASSAY_OK);
    jw_put_u64(&w, "warnings", m->findings.warnings);
    jw_end(&w);
    buffer_add_str(out, "\n");
}

/* A result with errors is nobody's use and is not written; values that remain
 * to be filled in are what generate leaves open, too. */
static int
hand_over(const struct invocation *inv, struct buffer *file)
{
    const struct manifest_new_values *v = inv->values;
    struct assay_error err = { 0 };
    struct manifest m;
    struct buffer out;
    enum assay_status st;

    st = manifest_decode(buffer_span(file), inv->arena, &m, &err);
    if (st == ASSAY_OK)
        st = manifest_validate(&m, &err);
    if (st != ASSAY_OK)
        return talk_error(inv, &err);
    talk_findings(inv, &m);
    if (m.findings.errors > 0) {
        talk(inv, "nothing written: the manifest would have %zu errors",
             m.findings.errors);
        return EXIT_NO;
    }
    buffer_init(&out, LIMIT_MANIFEST_BYTES, NULL);
    if (!v->out) {
        buffer_add(&out, buffer_span(file));
        return print_buffer(inv, &out, EXIT_YES);
    }
    if (file_write_atomic(v->out, buffer_span(file), 0644, &err) != ASSAY_OK)
        return talk_error(inv, &err);
    render_written(v, &m, &out);
    return print_buffer(inv, &out, EXIT_YES);
}

static int
run(struct invocation *inv)
{
    struct manifest_spec spec = { 0 };
    struct assay_error err = { 0 };
    struct buffer file;
    int code = manifest_new_collect(inv, inv->values, &spec);

    if (code != EXIT_YES)
        return code;
    buffer_init(&file, LIMIT_MANIFEST_BYTES, NULL);
    manifest_build(&spec, &file);
    code = buffer_check(&file, "manifest", &err) == ASSAY_OK
               ? hand_over(inv, &file)
               : talk_error(inv, &err);
    buffer_free(&file);
    return code;
}

const struct command manifest_new_command = {
    .name = "manifest new",
    .summary = "make a manifest from policies, values and owners",
    .options = options,
    .values_size = sizeof(struct manifest_new_values),
    .example =
        "assay manifest new --policy web.toml,san=web \\\n      --policy "
        "coord.toml,role=coordinator --reference-value snp:genoa.json \\\n   "
        "   --workload-owner-key owner.pem -o manifest.json",
    .run = run,
};
