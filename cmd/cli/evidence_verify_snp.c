/* `assay evidence verify --tee snp` */
#include <stdlib.h>
#include <string.h>

#include "cli/evidence_input.h"
#include "cli/evidence_verify.h"

#include "common/output.h"
#include "crypto/digest.h"
#include "evidence/snp_appraise.h"

struct job {
    struct invocation *inv;
    const struct verify_values *v;
    struct arena *arena;
    struct trust trust;
    struct evidence_input input;
    struct snp_collateral collateral;
    struct snp_verify_params params;
    struct verify_time time;
    struct snp_reference reference;
    struct snp_launch *launch;
    struct verdict verdict;
    bool broken; /* collateral that was named is not usable */
};

/* --- options ------------------------------------------------------------- */

static int
expect_option(const struct job *job, const char *name, const char *text,
              size_t max, struct expect *out)
{
    out->kind = EXPECT_ANY;
    if (!text)
        return EXIT_YES;
    out->kind = EXPECT_EQUAL;
    return verify_hex_option(job->inv, job->arena, name, text, max, false,
                             &out->bytes);
}

static int
set_measurements(struct job *job)
{
    struct assay_error err = { 0 };
    struct span all = { 0 };
    int code = verify_hex_list(job->inv, job->arena, "measurement",
                               &job->v->measurements, SNP_DIGEST_SIZE, &all);

    job->reference.any_measurement = all.len == 0;
    if (code != EXIT_YES || all.len == 0)
        return code;
    if (snp_launch_new_set(all, &job->launch, &err) != ASSAY_OK)
        return talk_error(job->inv, &err);
    job->reference.launch = job->launch;
    return EXIT_YES;
}

static int
set_vmpl(struct job *job)
{
    const char *text = job->v->vmpl;

    job->reference.any_vmpl = text == NULL;
    if (!text)
        return EXIT_YES;
    if (strlen(text) != 1 || text[0] < '0' || text[0] > '3') {
        talk(job->inv, "--vmpl: got \"%s\", want 0, 1, 2 or 3", text);
        return EXIT_USAGE;
    }
    job->reference.vmpl = (uint32_t)(text[0] - '0');
    return EXIT_YES;
}

static int
set_product(struct job *job)
{
    const char *text = job->v->product;

    if (!text)
        return EXIT_YES;
    job->params.product = snp_product_parse(span_str(text));
    job->reference.product = job->params.product;
    if (job->params.product != SNP_PRODUCT_UNKNOWN)
        return EXIT_YES;
    talk(job->inv, "--product: got \"%s\", want Milan, Genoa or Turin", text);
    return EXIT_USAGE;
}

static int
set_expectations(struct job *job)
{
    struct snp_reference *r = &job->reference;
    const struct verify_values *v = job->v;
    int code =
        expect_option(job, "report-data", v->report_data, 64, &r->report_data);

    if (code == EXIT_YES)
        code = expect_option(job, "host-data", v->host_data, 32, &r->host_data);
    if (code == EXIT_YES)
        code = verify_hex_list(job->inv, job->arena, "chip-id", &v->chip_ids,
                               64, &r->chip_ids.items);
    if (code == EXIT_YES)
        code = set_measurements(job);
    if (code == EXIT_YES)
        code = set_vmpl(job);
    if (code == EXIT_YES)
        code = set_product(job);
    if (code == EXIT_YES)
        code = verify_time_init(job->inv, &job->time);
    r->allow_debug = v->allow_debug;
    r->allow_migrate_ma = v->allow_migrate_ma;
    return code;
}

/* --- files --------------------------------------------------------------- */

/* A file that cannot be read is the caller's mistake; one that can be read and
 * is no certificate is part of what is judged. */
static int
add_file(struct job *job, const char *path)
{
    struct assay_error err = { 0 };
    struct span file;
    int code = read_input(job->inv, path, LIMIT_CRL_BYTES, &file);

    if (code != EXIT_YES)
        return code;
    if (snp_collateral_add_file(&job->collateral, file, job->arena, &err) ==
        ASSAY_OK)
        return EXIT_YES;
    job->broken = true;
    verdict_fail(&job->verdict, "collateral",
                 "AMD 57230 certificate formats; AMD 56421 certificate table",
                 "certificates or revocation lists",
                 verdict_text(&job->verdict, "%s: %s", path, err.text),
                 "what was given as collateral is not");
    return EXIT_YES;
}

static int
add_files(struct job *job, const struct text_list *files)
{
    int code = EXIT_YES;

    for (size_t i = 0; i < files->count && code == EXIT_YES; i++)
        code = add_file(job, files->items[i]);
    return code;
}

/* What the command line names comes before what came with the evidence; the
 * choice among them does not depend on the order. */
static void
add_carried(struct job *job)
{
    const struct snp_collateral *c = &job->input.collateral;
    enum assay_status st = ASSAY_OK;
    struct assay_error err = { 0 };

    if (!job->input.has_report)
        return;
    for (size_t i = 0; i < c->cert_count && st == ASSAY_OK; i++)
        st = snp_collateral_add_cert(&job->collateral, c->certs[i], &err);
    for (size_t i = 0; i < c->crl_count && st == ASSAY_OK; i++)
        st = snp_collateral_add_crl(&job->collateral, c->crls[i], &err);
    if (st != ASSAY_OK)
        verdict_fail(&job->verdict, "collateral", "", "", "",
                     verdict_text(&job->verdict, "%s", err.text));
}

/* --- judging ------------------------------------------------------------- */

/* Azure's paravisor binds its runtime data, and with it the vTPM's key, by
 * their digest in the first half of REPORT_DATA. */
static void
check_hcl(struct job *job)
{
    static const char ref[] = "Azure HCL attestation blob, runtime data";
    struct verdict *v = &job->verdict;
    struct span got = span_sub(job->input.report, 0x50, SHA256_SIZE);
    uint8_t digest[SHA256_SIZE];

    if (!job->input.has_hcl)
        return;
    if (job->input.hcl.hash_type != 1) {
        verdict_fail(v, "hcl_runtime_data", ref, "hash type 1 (SHA-256)",
                     verdict_text(v, "%u", job->input.hcl.hash_type),
                     "no other digest of the runtime data is known");
        return;
    }
    if (digest_sha256(job->input.hcl.runtime_data, digest, NULL) != ASSAY_OK) {
        v->nomem = true;
        return;
    }
    if (span_equal(span_of(digest, sizeof(digest)), got))
        verdict_pass(v, "hcl_runtime_data", ref, verdict_hex(v, got),
                     verdict_hex(v, got));
    else
        verdict_fail(v, "hcl_runtime_data", ref, verdict_hex(v, got),
                     verdict_hex(v, span_of(digest, sizeof(digest))),
                     "the runtime data is not what the report vouches for");
}

/* A handshake's certificate is bound to the report by its key *and* a nonce
 * that is not in either: whoever looks at it later cannot tell. */
static void
check_carrier(struct job *job)
{
    if (job->input.cert && !job->v->report_data)
        verdict_warn(&job->verdict, "certificate_binding",
                     "contrast, REPORTDATA of attested TLS",
                     "--report-data of SHA-512(public key, nonce)", "not given",
                     "the report may be genuine and still not belong to this "
                     "certificate's key: that takes the handshake's nonce");
}

static int
judge(struct job *job)
{
    struct snp_verified verified;
    struct assay_error err = { 0 };
    struct progress progress;
    enum assay_status st;

    if (job->trust.source)
        progress_begin(&progress, "asking for AMD's certificates");
    st = snp_verify(job->input.report, &job->collateral, &job->params,
                    &job->verdict, &verified, &err);
    if (job->trust.source)
        progress_end(&progress);
    if (st == ASSAY_OK) {
        check_hcl(job);
        check_carrier(job);
        st = snp_appraise(&verified, &job->reference, &job->verdict, &err);
    }
    if (st != ASSAY_OK)
        return talk_error(job->inv, &err);
    verdict_conclude(&job->verdict);
    return EXIT_YES;
}

/* Evidence whose outer form is broken gets a verdict like any other. */
static void
refuse_form(struct job *job, const struct assay_error *why)
{
    struct verdict *v = &job->verdict;

    verdict_fail(v, "evidence_form", "AMD 56860 ATTESTATION_REPORT",
                 "an SEV-SNP report, or evidence that holds one",
                 verdict_text(v, "%s", why->text),
                 "this cannot be read as SEV-SNP evidence");
    verdict_lack(v, "report_signature", "AMD 56860 ATTESTATION_REPORT",
                 "there is no report");
    verdict_conclude(v);
}

/* A report of version 2 does not name its product; its sender may have. */
static void
take_hint(struct job *job)
{
    struct snp_report r;

    if (job->params.product == SNP_PRODUCT_UNKNOWN &&
        snp_report_read(job->input.report, &r, NULL) == ASSAY_OK &&
        r.version < 3)
        job->params.product = job->input.product;
}

static int
open_and_judge(struct job *job, struct span file)
{
    struct assay_error err = { 0 };
    enum assay_status st =
        evidence_input_open(file, job->arena, &job->input, &err);

    if (st == ASSAY_OK && job->input.has_quote)
        st = assay_fail(&err, ASSAY_ERR_UNTRUSTED,
                        "%s: name it with --tee tdx or --tee sgx",
                        evidence_format_name(job->input.inner));
    else if (st == ASSAY_OK && !job->input.has_report)
        st = assay_fail(&err, ASSAY_ERR_UNTRUSTED, "%s without a report in it",
                        evidence_format_name(job->input.inner));
    if (st == ASSAY_ERR_NOMEM)
        return talk_error(job->inv, &err);
    if (st != ASSAY_OK) {
        refuse_form(job, &err);
        return EXIT_YES;
    }
    take_hint(job);
    add_carried(job);
    return judge(job);
}

static int
show(const struct job *job)
{
    const struct verify_advice advice = {
        .when_unknown = job->v->trust.offline
                            ? "name what is missing with --cert, --crl or "
                              "--bundle, or ask AMD by leaving out --offline"
                            : "name what is missing with --cert, --crl or "
                              "--bundle, or try again later"
    };

    return verify_show(job->inv, &job->verdict, &advice);
}

static int
run_job(struct job *job)
{
    struct trust_options trust = job->v->trust;
    struct span file;
    int code = set_expectations(job);

    if (code == EXIT_YES)
        code = add_files(job, &job->v->certs);
    if (code == EXIT_YES)
        code = add_files(job, &job->v->crls);
    trust.kds_total_ms = job->v->timeout_s * 1000;
    if (code == EXIT_YES)
        code = trust_open(job->inv, &trust, trust_talk_event, job->inv,
                          &job->trust);
    if (code == EXIT_YES)
        code = read_input(job->inv, job->inv->operands.items[0],
                          EVIDENCE_INPUT_MAX, &file);
    if (code != EXIT_YES)
        return code;
    job->params.clock = job->time.clock;
    job->params.anchors = &job->trust.anchors;
    job->params.source = job->trust.source;
    job->params.cache = job->trust.cache;
    job->params.crl = job->v->trust.offline ? SNP_CRL_OPTIONAL : SNP_CRL_NEEDED;
    job->params.allow_masked_chip = job->v->allow_masked_chip;
    code = open_and_judge(job, file);
    return code == EXIT_YES ? show(job) : code;
}

int
verify_snp(struct invocation *inv)
{
    struct arena arena;
    struct job *job = calloc(1, sizeof(*job));
    int code;

    if (!job) {
        talk(inv, "out of memory");
        return EXIT_UNKNOWN;
    }
    arena_init(&arena, EVIDENCE_ARENA, NULL);
    job->inv = inv;
    job->v = inv->values;
    job->arena = &arena;
    verdict_init(&job->verdict, &arena, "snp", job->v->strict);
    code = run_job(job);
    evidence_input_close(&job->input);
    trust_close(&job->trust);
    snp_launch_free(job->launch);
    free(job);
    arena_drop(&arena);
    return code;
}
