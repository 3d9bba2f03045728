#include "unit.h"

#include "evidence/insecure.h"
#include "manifest/appraise.h"
#include "sample.h"

static struct assay_error err;

static const char insecure_manifest[] =
    "{\"Policies\": {" POLICY_C ", " POLICY_W "}, "
    "\"ReferenceValues\": {\"insecure\": [{\"AcceptWithoutHardware\": true}]}}";

struct fixture {
    struct arena arena;
    struct manifest m;
    struct manifest_appraiser *appraiser;
    struct verdict verdict;
    struct manifest_identity who;
    uint8_t report_data[64];
};

static void
open_fixture(struct fixture *f, const char *text, bool coordinator_only)
{
    const struct manifest_appraiser_config config = {
        .allow_insecure = true,
        .coordinator_only = coordinator_only,
    };

    *f = (struct fixture){ .report_data = { 1, 2, 3 } };
    arena_init(&f->arena, MANIFEST_ARENA_BYTES, NULL);
    assert_ok(manifest_load(span_str(text), &f->arena, &f->m, &err), &err);
    assert_ok(manifest_appraiser_new(&f->m, &config, &f->appraiser, &err),
              &err);
}

static void
close_fixture(struct fixture *f)
{
    manifest_appraiser_free(f->appraiser);
    arena_drop(&f->arena);
}

static enum assay_status
appraise(struct fixture *f, enum evidence_oid oid, struct span evidence)
{
    int64_t now = 1790000000;
    const struct clock clock = clock_at(&now);
    const struct manifest_request request = { .oid = oid,
                                              .evidence = evidence,
                                              .report_data = f->report_data,
                                              .clock = &clock };

    return manifest_appraise(f->appraiser, &request, &f->arena, &f->verdict,
                             &f->who, &err);
}

static enum assay_status
appraise_insecure(struct fixture *f, const char *host_data, uint8_t first)
{
    struct insecure_evidence e = { .has_host_data = true };
    struct buffer bytes;
    enum assay_status st;

    memcpy(e.report_data, f->report_data, sizeof(e.report_data));
    e.report_data[0] = first;
    assert_true(hex_decode(span_str(host_data), e.host_data, 32));
    buffer_init(&bytes, 4096, NULL);
    insecure_evidence_encode(&e, &bytes);
    st = appraise(f, EVIDENCE_OID_INSECURE, buffer_span(&bytes));
    buffer_free(&bytes);
    return st;
}

static void
insecure_evidence_is_accepted_and_named_so(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, insecure_manifest, false);
    assert_ok(appraise_insecure(&f, HASH_W, 1), &err);
    assert_true(f.who.insecure && f.verdict.insecure);
    assert_ptr_equal(f.who.policy, &f.m.policies[1]);
    assert_status(appraise_insecure(&f, HEX_16 HEX_16, 1), ASSAY_ERR_UNTRUSTED);
    assert_status(appraise_insecure(&f, HASH_W, 9), ASSAY_ERR_UNTRUSTED);
    close_fixture(&f);
}

static void
a_workload_is_no_coordinator(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, insecure_manifest, true);
    assert_status(appraise_insecure(&f, HASH_W, 1), ASSAY_ERR_UNTRUSTED);
    assert_ok(appraise_insecure(&f, HASH_C, 1), &err);
    assert_int_equal(f.who.policy->role, MANIFEST_ROLE_COORDINATOR);
    close_fixture(&f);
}

/* Option and manifest must both allow it. */
static void
insecure_needs_both_consents(void **state)
{
    const struct manifest_appraiser_config none = { 0 };
    struct manifest_appraiser *a = NULL;
    struct fixture f;

    (void)state;
    open_fixture(&f, insecure_manifest, false);
    assert_status(manifest_appraiser_new(&f.m, &none, &a, &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_null(a);
    close_fixture(&f);
    open_fixture(&f, current_manifest, false);
    assert_status(appraise_insecure(&f, HASH_W, 1), ASSAY_ERR_UNTRUSTED);
    assert_non_null(verdict_find(&f.verdict, "insecure_allowed"));
    close_fixture(&f);
}

static void
what_cannot_be_judged_is_refused_by_name(void **state)
{
    static const struct {
        enum evidence_oid oid;
        const char *check;
    } rows[] = {
        { EVIDENCE_OID_TDX, "evidence_form" },
        { EVIDENCE_OID_SNP, "evidence_form" },
        { EVIDENCE_OID_NONE, "evidence_kind" },
    };
    struct fixture f;

    (void)state;
    open_fixture(&f, current_manifest, false);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_status(appraise(&f, rows[i].oid, span_str("\xff nonsense")),
                      ASSAY_ERR_UNTRUSTED);
        assert_int_equal(f.verdict.result, VERDICT_REFUSED);
        assert_non_null(verdict_find(&f.verdict, rows[i].check));
        assert_null(f.who.policy);
    }
    close_fixture(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(insecure_evidence_is_accepted_and_named_so),
        cmocka_unit_test(a_workload_is_no_coordinator),
        cmocka_unit_test(insecure_needs_both_consents),
        cmocka_unit_test(what_cannot_be_judged_is_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
