/* TDX evidence against a manifest, with the quote and the collateral of a real
 * machine: what the manifest says decides, value by value. */
#include "../vectors.h"

#include "base/hex.h"
#include "evidence/tdx_proto.h"
#include "manifest/appraise.h"
#include "sample.h"

#define CASE "tdx/cases/v4-gcp-platform-ood-module-ok/"

enum { AT = 1750323600, FILES = 7 };

struct world {
    struct arena arena;
    struct buffer quote, evidence, files[FILES];
    struct tdx_quote q;
    struct tdx_collateral collateral;
    struct collateral_source source;
    struct assay_error err;
};

static enum assay_status
give_collateral(void *ctx, const struct tdx_collateral_want *want,
                struct arena *arena, struct tdx_collateral *out,
                struct assay_error *err)
{
    static const uint8_t fmspc[6] = { 0x00, 0x80, 0x6f, 0x05, 0x00, 0x00 };
    const struct world *w = ctx;

    (void)arena;
    (void)err;
    assert_memory_equal(want->fmspc, fmspc, sizeof(fmspc));
    assert_false(want->processor_ca);
    *out = w->collateral;
    return ASSAY_OK;
}

static void
world_open(struct world *w)
{
    static const char *const names[FILES] = {
        "tcb_info.json",
        "tcb_info_issuer_chain.pem",
        "qe_identity.json",
        "qe_identity_issuer_chain.pem",
        "root_ca.crl",
        "pck.crl",
        "pck_crl_issuer_chain.pem",
    };
    struct span *const parts[FILES] = {
        &w->collateral.tcb_info,
        &w->collateral.tcb_info_issuer_chain,
        &w->collateral.qe_identity,
        &w->collateral.qe_identity_issuer_chain,
        &w->collateral.root_ca_crl,
        &w->collateral.pck_crl,
        &w->collateral.pck_crl_issuer_chain,
    };

    *w = (struct world){ 0 };
    vector_read(CASE "quote.bin", &w->quote);
    for (size_t i = 0; i < FILES; i++) {
        char path[256];

        (void)snprintf(path, sizeof(path), CASE "%s", names[i]);
        vector_read(path, &w->files[i]);
        *parts[i] = buffer_span(&w->files[i]);
    }
    arena_init(&w->arena, MANIFEST_ARENA_BYTES, NULL);
    assert_ok(tdx_quote_decode(buffer_span(&w->quote), &w->q, &w->err),
              &w->err);
    buffer_init(&w->evidence, 1 << 20, NULL);
    assert_ok(
        tdx_evidence_encode(buffer_span(&w->quote), &w->evidence, &w->err),
        &w->err);
    w->source = (struct collateral_source){ .tdx_collateral = give_collateral,
                                            .ctx = w };
}

static void
world_close(struct world *w)
{
    for (size_t i = 0; i < FILES; i++)
        buffer_free(&w->files[i]);
    buffer_free(&w->quote);
    buffer_free(&w->evidence);
    arena_drop(&w->arena);
}

/* A reference value with everything the quote says; more is put behind it. */
static void
add_value(const struct world *w, const char *more, struct buffer *out)
{
    const struct td_report *t = &w->q.td;

    buffer_add_str(out, "{\"Platform\": \"GCP\", \"MrTd\": \"");
    buffer_add_hex(out, span_of(t->mr_td, 48));
    buffer_add_str(out, "\", \"MrSeam\": \"");
    buffer_add_hex(out, span_of(t->mr_seam, 48));
    buffer_add_str(out, "\", \"Rtmrs\": [");
    for (size_t i = 0; i < TDX_RTMRS; i++) {
        buffer_add_str(out, i ? ", \"" : "\"");
        buffer_add_hex(out, span_of(t->rtmr[i], 48));
        buffer_add_str(out, "\"");
    }
    buffer_add_str(out, "], \"Xfam\": \"");
    buffer_add_hex(out, span_of(t->xfam, 8));
    buffer_addf(out, "\"%s}", more);
}

static void
make_manifest(const struct world *w, const char *first, const char *second,
              struct buffer *out)
{
    buffer_init(out, 1 << 20, NULL);
    buffer_add_str(out, "{\"Policies\": {" POLICY_C ", \"");
    buffer_add_hex(out, span_of(w->q.td.mr_config_id, 32));
    buffer_add_str(out, "\": {\"SANs\": [\"web\"]}}, "
                        "\"ReferenceValues\": {\"tdx\": [");
    add_value(w, first, out);
    if (second) {
        buffer_add_str(out, ", ");
        add_value(w, second, out);
    }
    buffer_add_str(out, "]}}");
}

struct outcome {
    enum assay_status status;
    char failed[64]; /* the first check that failed */
    char why[240];
    size_t reference;
};

static const struct check *
first_failed(const struct verdict *v)
{
    for (size_t i = 0; i < v->count; i++) {
        if (v->checks[i].outcome == CHECK_FAIL)
            return &v->checks[i];
    }
    return NULL;
}

static struct outcome
judge(struct world *w, const struct manifest_appraiser_config *config,
      const char *text, const uint8_t report_data[64])
{
    int64_t at = AT;
    const struct clock clock = clock_at(&at);
    const struct manifest_request request = { .oid = EVIDENCE_OID_TDX,
                                              .evidence =
                                                  buffer_span(&w->evidence),
                                              .report_data = report_data,
                                              .clock = &clock };
    struct manifest_appraiser *a = NULL;
    struct manifest_identity who = { 0 };
    struct outcome o = { 0 };
    struct verdict v = { 0 };
    struct manifest m;
    const struct check *c;

    assert_ok(manifest_load(span_str(text), &w->arena, &m, &w->err), &w->err);
    assert_ok(manifest_appraiser_new(&m, config, &a, &w->err), &w->err);
    o.status = manifest_appraise(a, &request, &w->arena, &v, &who, &w->err);
    c = first_failed(&v);
    (void)snprintf(o.failed, sizeof(o.failed), "%s", c ? c->name : "");
    (void)snprintf(o.why, sizeof(o.why), "%s", w->err.text);
    o.reference = who.reference;
    if (o.status == ASSAY_OK)
        assert_ptr_equal(who.policy, &m.policies[1]);
    manifest_appraiser_free(a);
    return o;
}

/* The platform of this machine is out of date; INTEL-SA-00960, -00982 and
 * -00986 are open on it (expected.json of the case). */
#define OPEN_ADVISORIES                                                        \
    "\"INTEL-SA-00960\", \"INTEL-SA-00982\", \"INTEL-SA-00986\""
#define ACCEPT ", \"AllowedTCBStatuses\": [\"OutOfDate\"]"

static void
the_manifest_decides(void **state)
{
    static const struct {
        const char *more;
        const char *failed; /* "" accepts */
    } rows[] = {
        { "", "tcb_status" },
        { ", \"AllowedTCBStatuses\": [\"SWHardeningNeeded\"]", "tcb_status" },
        { ACCEPT, "" },
        { ACCEPT ", \"AllowedAdvisoryIDs\": [" OPEN_ADVISORIES "]", "" },
        { ACCEPT ", \"AllowedAdvisoryIDs\": [\"INTEL-SA-00960\"]",
          "advisories" },
        { ACCEPT ", \"MinimumTCBDate\": \"2030-01-01\"", "tcb_date" },
        { ACCEPT ", \"MinimumTCBDate\": \"2020-01-01\"", "" },
        { ACCEPT ", \"MinTCBEvaluationDataNumber\": 17", "" },
        { ACCEPT ", \"MinTCBEvaluationDataNumber\": 18", "evaluation_number" },
        { ", \"TCBGracePeriodDays\": 3000", "" },
        { ACCEPT ", \"TdAttributes\": \"0000001000000000\"", "" },
        { ACCEPT ", \"TdAttributes\": \"0000003000000000\"", "td_attributes" },
        { ACCEPT ", \"AllowedPIIDs\": [\"" HEX_16 "\"]", "piid" },
        { ACCEPT ", \"MinimumQeSvn\": 6", "" },
        { ACCEPT ", \"MinimumQeSvn\": 7", "minimum_qe_svn" },
    };
    struct world w;

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct manifest_appraiser_config config = { .source = &w.source };
        struct buffer text;
        struct outcome o;

        make_manifest(&w, rows[i].more, NULL, &text);
        o = judge(&w, &config, buffer_str(&text), w.q.td.report_data);
        if (strcmp(o.failed, rows[i].failed) != 0)
            fail_msg("row %zu: failed \"%s\" (%s), want \"%s\"", i, o.failed,
                     o.why, rows[i].failed);
        assert_status(o.status,
                      rows[i].failed[0] ? ASSAY_ERR_UNTRUSTED : ASSAY_OK);
        buffer_free(&text);
    }
    world_close(&w);
}

static void
one_of_several_values_suffices(void **state)
{
    const char *other = ACCEPT ", \"TdAttributes\": \"0000003000000000\"";
    struct world w;
    struct buffer text;
    struct outcome o;

    (void)state;
    world_open(&w);
    make_manifest(&w, other, ACCEPT, &text);
    o = judge(&w, &(struct manifest_appraiser_config){ .source = &w.source },
              buffer_str(&text), w.q.td.report_data);
    assert_status(o.status, ASSAY_OK);
    assert_int_equal(o.reference, 1);
    buffer_free(&text);
    world_close(&w);
}

static void
evidence_for_another_key_or_without_collateral_is_not_accepted(void **state)
{
    uint8_t other[64] = { 1 };
    struct world w;
    struct buffer text;
    struct outcome o;

    (void)state;
    world_open(&w);
    make_manifest(&w, ACCEPT, NULL, &text);
    o = judge(&w, &(struct manifest_appraiser_config){ .source = &w.source },
              buffer_str(&text), other);
    assert_status(o.status, ASSAY_ERR_UNTRUSTED);
    assert_string_equal(o.failed, "report_data");
    o = judge(&w, &(struct manifest_appraiser_config){ 0 }, buffer_str(&text),
              w.q.td.report_data);
    assert_status(o.status, ASSAY_ERR_IO); /* unknown, so nobody gets in */
    buffer_free(&text);
    world_close(&w);
}

static void
another_pods_policy_is_refused_by_name(void **state)
{
    struct world w;
    struct buffer text;
    struct outcome o;

    (void)state;
    world_open(&w);
    make_manifest(&w, ACCEPT, NULL, &text);
    text.ptr[strlen("{\"Policies\": {" POLICY_C ", \"")] =
        'f'; /* of the digest */
    o = judge(&w, &(struct manifest_appraiser_config){ .source = &w.source },
              buffer_str(&text), w.q.td.report_data);
    assert_status(o.status, ASSAY_ERR_UNTRUSTED);
    assert_string_equal(o.failed, "manifest_policy");
    buffer_free(&text);
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manifest_decides),
        cmocka_unit_test(one_of_several_values_suffices),
        cmocka_unit_test(
            evidence_for_another_key_or_without_collateral_is_not_accepted),
        cmocka_unit_test(another_pods_policy_is_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
