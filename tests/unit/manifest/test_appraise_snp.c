/* SEV-SNP evidence against a manifest: each value of the manifest decides, one
 * of several reference values suffices, and strict refuses what only warns. */
#include "unit.h"

#include "../evidence/amd_fixture.h"
#include "base/hex.h"
#include "evidence/snp_launch.h"
#include "evidence/snp_proto.h"
#include "manifest/appraise.h"
#include "sample.h"

static struct assay_error err;

/* A machine as the sample manifest wants it, running the workload HASH_W. */
static void
fitting_machine(struct amd_machine *m, uint32_t version)
{
    static const struct snp_tcb_parts tcb = { 0, 10, 0, 23, 84 };
    uint64_t word = snp_tcb_join(SNP_PRODUCT_GENOA, tcb);
    struct snp_report *r = &m->report;
    struct snp_launch *launch = NULL;

    amd_machine_init(m, SNP_PRODUCT_GENOA, false, version);
    r->current_tcb = r->committed_tcb = r->reported_tcb = r->launch_tcb = word;
    r->guest_svn = 2;
    r->launch_mit_vector = r->current_mit_vector = 3;
    assert_true(hex_decode(span_str(HEX_64), r->chip_id, 64));
    assert_true(hex_decode(span_str(HEX_48), r->measurement, 48));
    assert_true(hex_decode(span_str(HASH_W), r->host_data, 32));
    memset(r->report_data, 0x5a, sizeof(r->report_data));
    assert_ok(snp_launch_new_exact(r->measurement, &launch, &err), &err);
    assert_ok(
        snp_launch_id_key_digest(launch, 0, r->policy, r->id_key_digest, &err),
        &err);
    snp_launch_free(launch);
    amd_leaf_init(&m->leaf_spec, &m->keys, SNP_CERT_VCEK, SNP_PRODUCT_GENOA,
                  word, r->chip_id);
    amd_machine_remake(m);
}

struct outcome {
    enum assay_status st;
    enum verdict_result result;
    size_t reference;
    bool insecure;
    char failure[64]; /* the first check that failed */
};

struct question {
    const char *manifest;
    struct amd_machine *machine;
    bool strict, no_crl, coordinator_only;
    uint8_t report_data; /* each byte of it */
};

static struct outcome
ask(const struct question *q)
{
    struct manifest_appraiser_config config = {
        .anchors = &q->machine->anchors,
        .crl = q->no_crl ? SNP_CRL_OPTIONAL : SNP_CRL_NEEDED,
        .strict = q->strict,
        .coordinator_only = q->coordinator_only,
    };
    struct snp_evidence_parts parts = {
        .report = span_of(q->machine->raw, SNP_REPORT_SIZE),
        .vcek = buffer_span(&q->machine->leaf),
        .ask = buffer_span(&q->machine->authority),
        .ark = buffer_span(&q->machine->ark),
    };
    uint8_t report_data[64];
    int64_t now = FIXTURE_NOW;
    struct clock clock = clock_at(&now);
    struct manifest_request request = { .oid = EVIDENCE_OID_SNP,
                                        .report_data = report_data,
                                        .clock = &clock };
    struct manifest_appraiser *a = NULL;
    struct manifest_identity who = { 0 };
    struct outcome got = { 0 };
    struct buffer evidence;
    struct arena arena;
    struct manifest m;
    struct verdict v;

    memset(report_data, q->report_data, sizeof(report_data));
    if (!q->no_crl)
        parts.crl = buffer_span(&q->machine->crl);
    arena_init(&arena, MANIFEST_ARENA_BYTES, NULL);
    buffer_init(&evidence, LIMIT_EVIDENCE_BYTES, NULL);
    assert_ok(snp_evidence_encode(&parts, &evidence, &err), &err);
    request.evidence = buffer_span(&evidence);
    assert_ok(manifest_load(span_str(q->manifest), &arena, &m, &err), &err);
    assert_ok(manifest_appraiser_new(&m, &config, &a, &err), &err);
    got.st = manifest_appraise(a, &request, &arena, &v, &who, &err);
    got.result = v.result;
    got.reference = who.reference;
    got.insecure = v.insecure;
    if (verdict_first_failure(&v))
        (void)snprintf(got.failure, sizeof(got.failure), "%s",
                       verdict_first_failure(&v)->name);
    manifest_appraiser_free(a);
    buffer_free(&evidence);
    arena_drop(&arena);
    return got;
}

static struct question
about(struct amd_machine *m, const char *manifest)
{
    return (struct question){ .manifest = manifest,
                              .machine = m,
                              .report_data = 0x5a };
}

static void
want_refused(const struct question *q, const char *check, const char *why)
{
    struct outcome got = ask(q);

    if (got.st != ASSAY_ERR_UNTRUSTED || got.result != VERDICT_REFUSED ||
        strcmp(got.failure, check) != 0)
        fail_msg("%s: got %s, %s, first failure \"%s\", want \"%s\"", why,
                 assay_status_name(got.st), verdict_result_name(got.result),
                 got.failure, check);
}

static void
what_fits_is_accepted(void **state)
{
    struct amd_machine m;
    struct question q;
    struct outcome got;

    (void)state;
    fitting_machine(&m, 5);
    q = about(&m, current_manifest);
    got = ask(&q);
    assert_ok(got.st, &err);
    assert_int_equal(got.result, VERDICT_ACCEPTED);
    assert_true(got.insecure); /* the vendor is ours */
    q.coordinator_only = true;
    want_refused(&q, "manifest_policy", "a workload is no coordinator");
    q.coordinator_only = false;
    q.report_data = 0x5b;
    want_refused(&q, "report_data", "evidence for another key");
    amd_machine_free(&m);
}

/* One value of the manifest is another. */
static void
each_value_decides(void **state)
{
    static const struct {
        const char *was, *is, *check;
    } rows[] = {
        { HASH_W, HEX_16 HEX_16, "manifest_policy" },
        { "\"TrustedMeasurement\": \"00", "\"TrustedMeasurement\": \"01",
          "measurement" },
        { "\"BootloaderVersion\": 10", "\"BootloaderVersion\": 11",
          "minimum_tcb_reported" },
        { "\"SNPVersion\": 23", "\"SNPVersion\": 24", "minimum_tcb_reported" },
        { "\"MicrocodeVersion\": 84", "\"MicrocodeVersion\": 85",
          "minimum_tcb_reported" },
        { "\"SMTEnabled\": true", "\"SMTEnabled\": false", "platform_info" },
        { "\"RAPLDisabled\": false", "\"RAPLDisabled\": true",
          "platform_info" },
        { "\"MinimumMitigationVector\": 3", "\"MinimumMitigationVector\": 4",
          "mitigations" },
        { "\"AllowedChipIDs\": [\"00", "\"AllowedChipIDs\": [\"01", "chip_id" },
        { "\"ProductName\": \"Genoa\"", "\"ProductName\": \"Milan\"",
          "expected_product" },
    };
    struct amd_machine m;

    (void)state;
    fitting_machine(&m, 5);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = sample_with(rows[i].was, rows[i].is);
        struct question q = about(&m, text);

        want_refused(&q, rows[i].check, rows[i].is);
        free(text);
    }
    amd_machine_free(&m);
}

static void
debug_guest(struct snp_report *r)
{
    r->policy |= SNP_POLICY_DEBUG;
}
static void
migratable_guest(struct snp_report *r)
{
    r->policy |= SNP_POLICY_MIGRATE_MA;
}
static void
cxl_guest(struct snp_report *r)
{
    r->policy |= SNP_POLICY_CXL_ALLOW;
}
static void
less_privileged_guest(struct snp_report *r)
{
    r->vmpl = 1;
}
static void
guest_without_id_block(struct snp_report *r)
{
    memset(r->id_key_digest, 0, sizeof(r->id_key_digest));
}
static void
guest_launched_on_old_firmware(struct snp_report *r)
{
    r->launch_tcb -= 1;
}
static void
machine_that_may_go_back(struct snp_report *r)
{
    r->launch_mit_vector = 1;
}

/* One thing about the guest is another. */
static void
each_fact_decides(void **state)
{
    static const struct {
        void (*change)(struct snp_report *r);
        const char *check;
    } rows[] = {
        { debug_guest, "debug" },
        { migratable_guest, "migrate_ma" },
        { cxl_guest, "guest_policy" },
        { less_privileged_guest, "vmpl" },
        { guest_without_id_block, "id_block" },
        { guest_launched_on_old_firmware, "minimum_tcb_launch" },
        { machine_that_may_go_back, "mitigations" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct amd_machine m;
        struct question q;

        fitting_machine(&m, 5);
        rows[i].change(&m.report);
        amd_machine_remake(&m);
        q = about(&m, current_manifest);
        want_refused(&q, rows[i].check, rows[i].check);
        amd_machine_free(&m);
    }
}

#define OLD_SNP                                                                \
    "{\"ProductName\": \"Milan\", \"TrustedMeasurement\": \"" HEX_48           \
    "\", \"AllowMilanWithoutChipIDs\": true, \"MinimumTCB\": "                 \
    "{\"BootloaderVersion\": 1, \"TEEVersion\": 0, \"SNPVersion\": 1, "        \
    "\"MicrocodeVersion\": 1}, " GUEST_POLICY "}"

static void
one_of_several_values_suffices(void **state)
{
    char *first = sample_with("\"snp\": [", "\"snp\": [" OLD_SNP ", ");
    char *none =
        sample_with("\"snp\": [" SNP, "\"snp\": [" OLD_SNP ", " OLD_SNP);
    struct amd_machine m;
    struct question q;
    struct outcome got;

    (void)state;
    fitting_machine(&m, 5);
    q = about(&m, first);
    got = ask(&q);
    assert_ok(got.st, &err);
    assert_int_equal(got.reference, 1);
    q.manifest = none;
    want_refused(&q, "expected_product", "none of the values fits");
    amd_machine_free(&m);
    free(first);
    free(none);
}

#define SPLIT(measurement, snp)                                                \
    "{\"ProductName\": \"Genoa\", \"TrustedMeasurement\": \"" measurement      \
    "\", \"MinimumTCB\": {\"BootloaderVersion\": 10, \"TEEVersion\": 0, "      \
    "\"SNPVersion\": " snp ", \"MicrocodeVersion\": 84}, " GUEST_POLICY "}"

/* The measurement fits the first value and the TCB the second. */
static void
halves_of_two_values_make_no_whole(void **state)
{
    char *text =
        sample_with("[" SNP "]",
                    "[" SPLIT(HEX_48, "99") ", " SPLIT(HASH_C HEX_16, "1") "]");
    struct amd_machine m;
    struct question q;

    (void)state;
    fitting_machine(&m, 5);
    q = about(&m, text);
    want_refused(&q, "measurement", "each half fits another value");
    amd_machine_free(&m);
    free(text);
}

static void
strict_refuses_what_warns(void **state)
{
    /* A Genoa chip with any chip id, and no list of revoked keys. */
    char *text = sample_with("\"AllowedChipIDs\": [\"" HEX_64 "\"]",
                             "\"AllowedChipIDs\": []");
    struct amd_machine m;
    struct question q;
    struct outcome got;

    (void)state;
    fitting_machine(&m, 5);
    q = about(&m, text);
    q.no_crl = true;
    got = ask(&q);
    assert_int_equal(got.result, VERDICT_ACCEPTED); /* lists are optional */
    q.strict = true;
    want_refused(&q, "revocation", "strict wants a list");
    q.no_crl = false;
    got = ask(&q);
    assert_int_equal(got.result, VERDICT_ACCEPTED);
    amd_machine_free(&m);
    free(text);
}

/* Not said to be optional: no list, no answer; and never a yes. */
static void
without_a_list_there_is_no_yes(void **state)
{
    struct amd_machine m;
    struct question q;
    struct outcome got;

    (void)state;
    fitting_machine(&m, 5);
    q = about(&m, current_manifest);
    buffer_clear(&m.crl);
    got = ask(&q);
    assert_int_equal(got.st, ASSAY_ERR_IO);
    assert_int_equal(got.result, VERDICT_UNKNOWN);
    amd_machine_free(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_accepted),
        cmocka_unit_test(each_value_decides),
        cmocka_unit_test(each_fact_decides),
        cmocka_unit_test(one_of_several_values_suffices),
        cmocka_unit_test(halves_of_two_values_make_no_whole),
        cmocka_unit_test(strict_refuses_what_warns),
        cmocka_unit_test(without_a_list_there_is_no_yes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
