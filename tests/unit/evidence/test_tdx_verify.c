/* Chains, collateral and quotes of our own vendor, each part spoiled in turn:
 * exactly the checks about it fail. */
#include "../unit.h"

#include <stdio.h>

#include "evidence/tdx_appraise.h"
#include "evidence/tdx_cache.h"

#include "intel_fixture.h"

struct outcome {
    enum verdict_result result;
    char failed[512]; /* names of failed checks, each followed by a blank */
    enum tcb_status status;
    struct tcb_result tcb;
};

static void
waive_all(struct tdx_reference *r)
{
    const struct expect any = { .kind = EXPECT_ANY };

    r->report_data = r->mr_config_id = r->mr_td = r->mr_seam = any;
    r->mr_owner = r->mr_owner_config = r->mr_service_td = any;
    r->td_attributes = r->xfam = r->mr_enclave = r->mr_signer = any;
    for (size_t i = 0; i < TDX_RTMRS; i++)
        r->rtmr[i] = any;
}

struct question {
    int64_t now; /* 0: INTEL_NOW */
    struct tdx_cache *cache;
    const struct tdx_reference *reference; /* NULL: everything waived */
    const struct allocator *alloc;
    bool no_anchor;
};

static enum assay_status
ask(const struct intel_machine *m, const struct question *q,
    struct outcome *out)
{
    int64_t now = q->now ? q->now : INTEL_NOW;
    const struct clock clock = clock_at(&now);
    struct tdx_verify_params params = { .anchors =
                                            q->no_anchor ? NULL : &m->anchors,
                                        .clock = &clock,
                                        .tee = m->quote.tee,
                                        .cache = q->cache };
    struct tdx_reference waived = { 0 };
    struct tdx_verified verified;
    struct assay_error err = { 0 };
    struct arena arena;
    struct verdict v;
    enum assay_status st;

    waive_all(&waived);
    arena_init(&arena, 1 << 20, q->alloc);
    verdict_init(&v, &arena, "tdx", false);
    *out = (struct outcome){ 0 };
    st = tdx_verify(buffer_span(&m->raw), &m->collateral, &params, &v,
                    &verified, &err);
    if (st == ASSAY_OK)
        st = tdx_appraise(&verified, q->reference ? q->reference : &waived, &v,
                          &err);
    out->result = verdict_conclude(&v);
    for (size_t i = 0; st == ASSAY_OK && i < v.count; i++) {
        if (v.checks[i].outcome == CHECK_FAIL)
            snprintf(out->failed + strlen(out->failed),
                     sizeof(out->failed) - strlen(out->failed), "%s ",
                     v.checks[i].name);
    }
    out->status = verified.tcb.status;
    out->tcb = verified.tcb;
    out->tcb.advisory_ids = NULL; /* was in the arena */
    arena_drop(&arena);
    return st;
}

static void
assert_failed(const char *rule, const struct outcome *got, const char *want)
{
    if (strcmp(got->failed, want) != 0)
        fail_msg("%s: failed \"%s\", want \"%s\"", rule, got->failed, want);
    if ((got->result == VERDICT_ACCEPTED) != (want[0] == '\0'))
        fail_msg("%s: %s", rule, verdict_result_name(got->result));
}

static void
good_quotes_of_all_versions_are_accepted(void **state)
{
    (void)state;
    for (uint16_t version = 3; version <= 5; version++) {
        struct intel_machine m;
        struct outcome out;

        intel_machine_init(&m, version);
        assert_status(ask(&m, &(struct question){ 0 }, &out), ASSAY_OK);
        assert_failed("good", &out, "");
        assert_int_equal(out.status, TCB_UP_TO_DATE);
        assert_int_equal(out.tcb.evaluation_number, 20);
        intel_machine_free(&m);
    }
}

/* --- spoilers ------------------------------------------------------------- */

static void
spoil_leaf_name(struct intel_machine *m)
{
    m->leaf_spec.cn = "Intel SGX PCK Certificat";
}

static void
spoil_leaf_signer(struct intel_machine *m)
{
    m->leaf_spec.signer = INTEL_OTHER;
}

static void
spoil_ca_is_no_ca(struct intel_machine *m)
{
    m->ca_spec.is_ca = false;
}

static void
spoil_ca_signer(struct intel_machine *m)
{
    m->ca_spec.signer = INTEL_OTHER;
}

static void
spoil_leaf_key_usage(struct intel_machine *m)
{
    m->leaf_spec.no_key_usage = true;
}

static void
spoil_leaf_critical(struct intel_machine *m)
{
    m->leaf_spec.unknown_critical = true;
}

static void
spoil_leaf_is_ca(struct intel_machine *m)
{
    m->leaf_spec.is_ca = true;
}

static void
spoil_leaf_extension(struct intel_machine *m)
{
    m->leaf_spec.sgx_extension = span_of("\x30\x00", 2);
}

static void
spoil_leaf_expired(struct intel_machine *m)
{
    m->leaf_spec.not_after = INTEL_NOW - 1;
}

static void
spoil_leaf_future(struct intel_machine *m)
{
    m->leaf_spec.not_before = INTEL_NOW + 1;
}

static void
spoil_leaf_revoked(struct intel_machine *m)
{
    m->revoked_by_ca = 3;
}

static void
spoil_ca_revoked(struct intel_machine *m)
{
    m->revoked_by_root = 2;
}

static void
spoil_signer_revoked(struct intel_machine *m)
{
    m->revoked_by_root = 4;
}

static void
spoil_signer_name(struct intel_machine *m)
{
    m->signer_spec.cn = "Intel SGX TCB Signer";
}

/* A platform signs its own TCB info: the PCK CA vouches for it, not Intel's
 * root. */
static void
spoil_signer_issuer(struct intel_machine *m)
{
    m->signer_spec.issuer_cn = m->ca_spec.cn;
    m->signer_spec.signer = INTEL_CA;
}

static void
spoil_crls_expired(struct intel_machine *m)
{
    m->crl_next_update = INTEL_NOW - 1;
}

static void
spoil_fmspc(struct intel_machine *m)
{
    m->pck.fmspc[5] = 1;
}

static void
spoil_pce_id(struct intel_machine *m)
{
    m->pck.pce_id[0] = 1;
}

static void
spoil_mr_signer_seam(struct intel_machine *m)
{
    m->quote.td.mr_signer_seam[47] = 1;
}

static void
spoil_seam_attributes(struct intel_machine *m)
{
    m->quote.td.seam_attributes[7] = 0x80;
}

static void
spoil_module_major(struct intel_machine *m)
{
    m->quote.td.tee_tcb_svn[1] = 2;
}

static void
spoil_qe_signer(struct intel_machine *m)
{
    m->quote.qe_report.mr_signer[0] = 0;
}

static void
spoil_qe_debug(struct intel_machine *m)
{
    m->quote.qe_report.attributes[0] |= SGX_ATTRIBUTE_DEBUG;
}

static void
spoil_qe_misc(struct intel_machine *m)
{
    m->quote.qe_report.misc_select = 1;
}

static void
spoil_qe_prod_id(struct intel_machine *m)
{
    m->quote.qe_report.isv_prod_id = 1;
}

static void
spoil_binding(struct intel_machine *m)
{
    m->keep_qe_report = true;
    m->quote.qe_report.report_data[0] ^= 1;
}

static void
spoil_binding_tail(struct intel_machine *m)
{
    m->keep_qe_report = true;
    m->quote.qe_report.report_data[63] = 1;
}

static void
spoil_debug(struct intel_machine *m)
{
    m->quote.td.td_attributes[0] = 1;
}

static void
spoil_reserved_attribute(struct intel_machine *m)
{
    m->quote.td.td_attributes[5] = 1;
}

static void
spoil_xfam(struct intel_machine *m)
{
    m->quote.td.xfam[0] = 0;
}

static void
spoil_qe_svn(struct intel_machine *m)
{
    m->quote.qe_report.isv_svn = 3;
}

static void
spoil_module_svn(struct intel_machine *m)
{
    m->quote.td.tee_tcb_svn[0] = 5;
}

static void
spoil_platform_svn(struct intel_machine *m)
{
    m->pck.comp_svn[0] = 7;
}

/* Intel's key in a certificate that somebody else wrote. */
static void
spoil_root_signer(struct intel_machine *m)
{
    m->root_spec.signer = INTEL_OTHER;
}

static const struct {
    const char *rule;
    void (*spoil)(struct intel_machine *m);
    const char *failed;
} spoilt[] = {
    { "root not signed by itself", spoil_root_signer, "root_trusted " },
    { "leaf of another name", spoil_leaf_name, "pck_chain " },
    { "leaf signed by another key", spoil_leaf_signer, "pck_leaf_signature " },
    { "CA is no authority", spoil_ca_is_no_ca, "pck_ca_form " },
    { "CA signed by another key", spoil_ca_signer, "pck_ca_signature " },
    { "leaf without key usage", spoil_leaf_key_usage, "pck_leaf_form " },
    { "leaf with an unknown critical extension", spoil_leaf_critical,
      "pck_leaf_form " },
    { "leaf is an authority", spoil_leaf_is_ca, "pck_leaf_form " },
    { "leaf's extension is empty", spoil_leaf_extension, "pck_extension " },
    { "leaf expired", spoil_leaf_expired, "pck_leaf_validity " },
    { "leaf not valid yet", spoil_leaf_future, "pck_leaf_validity " },
    { "leaf revoked", spoil_leaf_revoked, "pck_leaf_revocation " },
    { "CA revoked", spoil_ca_revoked, "pck_ca_revocation " },
    { "signer revoked", spoil_signer_revoked,
      "tcb_info_signer_revocation qe_identity_signer_revocation " },
    { "signer of another name", spoil_signer_name,
      "tcb_info_issuer_chain qe_identity_issuer_chain " },
    { "signer issued by the PCK CA", spoil_signer_issuer,
      "tcb_info_signer_signature qe_identity_signer_signature " },
    { "lists expired", spoil_crls_expired,
      "root_crl_validity pck_crl_validity " },
    { "another FMSPC", spoil_fmspc, "fmspc " },
    { "another PCE", spoil_pce_id, "pce_id " },
    { "module of another signer", spoil_mr_signer_seam, "tdx_module_signer " },
    { "module with attributes", spoil_seam_attributes,
      "tdx_module_attributes " },
    { "module of an unknown major version", spoil_module_major,
      "tdx_module_identity " },
    { "QE of another signer", spoil_qe_signer, "qe_mrsigner " },
    { "debug QE", spoil_qe_debug, "qe_attributes " },
    { "QE with MISCSELECT", spoil_qe_misc, "qe_miscselect " },
    { "another enclave of Intel", spoil_qe_prod_id, "qe_isvprodid " },
    { "another attestation key", spoil_binding, "attestation_key_binding " },
    { "upper half of the binding", spoil_binding_tail,
      "attestation_key_binding " },
    { "debug TD", spoil_debug, "debug " },
    { "reserved TD attribute", spoil_reserved_attribute,
      "td_attributes_reserved " },
    { "XFAM without x87", spoil_xfam, "xfam " },
    { "old QE", spoil_qe_svn, "tcb_status " },
    { "old module", spoil_module_svn, "tcb_status " },
    { "old platform", spoil_platform_svn, "tcb_status " },
};

static void
each_spoilt_part_fails_its_own_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(spoilt); i++) {
        struct intel_machine m;
        struct outcome out;

        intel_machine_init(&m, 4);
        spoilt[i].spoil(&m);
        intel_machine_remake(&m);
        assert_status(ask(&m, &(struct question){ 0 }, &out), ASSAY_OK);
        assert_failed(spoilt[i].rule, &out, spoilt[i].failed);
        intel_machine_free(&m);
    }
}

static void
the_right_name_is_not_enough_for_a_root(void **state)
{
    struct intel_machine m;
    struct outcome out;

    (void)state;
    intel_machine_init(&m, 4);
    assert_status(ask(&m, &(struct question){ .no_anchor = true }, &out),
                  ASSAY_OK);
    assert_non_null(strstr(out.failed, "root_trusted "));
    intel_machine_free(&m);
}

/* --- documents, correctly signed ------------------------------------------ */

static const struct {
    const char *rule;
    bool identity; /* of the QE identity; else of the TCB info */
    const char *from, *to;
    const char *failed;
} documents[] = {
    { "version 4", false, "\"version\":3", "\"version\":4", "tcb_info " },
    { "type 1", false, "\"tcbType\":0", "\"tcbType\":1", "tcb_info " },
    { "id of SGX", false, "\"id\":\"TDX\"", "\"id\":\"SGX\"",
      "tcb_info_id tdx_module_identity " },
    { "id of nobody", false, "\"id\":\"TDX\"", "\"id\":\"tdx\"", "tcb_info " },
    { "FMSPC too short", false, "00806F050000", "00806F0500", "tcb_info " },
    { "FMSPC in lower case", false, "00806F050000", "00806f050000", "" },
    { "SVN 256", false, "{\"svn\":5}", "{\"svn\":256}", "tcb_info " },
    { "SVN negative", false, "{\"svn\":5}", "{\"svn\":-1}", "tcb_info " },
    { "SVN with a fraction", false, "{\"svn\":5}", "{\"svn\":5.0}",
      "tcb_info " },
    { "SVN as a text", false, "{\"svn\":5}", "{\"svn\":\"5\"}", "tcb_info " },
    { "15 components", false, "{\"svn\":5},", "", "tcb_info " },
    { "17 components", false, "{\"svn\":5},", "{\"svn\":5},{\"svn\":0},",
      "tcb_info " },
    { "unknown status", false, "\"UpToDate\"", "\"Fine\"", "tcb_info " },
    { "status of another case", false, "\"UpToDate\"", "\"uptodate\"",
      "tcb_info " },
    { "unknown member", false, "\"tcbType\":0", "\"tcbType\":0,\"new\":[1]",
      "" },
    { "member twice", false, "\"tcbType\":0", "\"tcbType\":0,\"tcbType\":0",
      "tcb_info " },
    { "member twice in another case", false, "\"tcbType\":0",
      "\"tcbType\":0,\"TCBTYPE\":0", "tcb_info " },
    { "date without a time", false, "2026-05-20T00:00:00Z", "2026-05-20",
      "tcb_info " },
    { "date with an offset", false, "2026-05-20T00:00:00Z",
      "2026-05-20T00:00+01:00", "tcb_info " },
    { "the 31st of June", false, "2026-06-19T", "2026-06-31T", "tcb_info " },
    { "expired by a second", false, "2026-06-19T00:00:00Z",
      "2026-05-31T23:59:59Z", "tcb_info_validity " },
    { "issued a second later", false, "2026-05-20T00:00:00Z",
      "2026-06-01T00:00:01Z", "tcb_info_validity " },
    { "no levels", false, "\"tcbLevels\":[{\"tcb\":{\"sgx",
      "\"tcbLevels\":[],\"x\":[{\"tcb\":{\"sgx", "tcb_info " },
    { "module id in decimal", false, "TDX_01", "TDX_1", "tcb_info " },
    { "module id of another version", false, "TDX_01", "TDX_10",
      "tdx_module_identity " },
    { "module id in lower case", false, "TDX_01", "tdx_01", "" },
    { "advisory that is no text", false, "\"INTEL-SA-00837\"", "837",
      "tcb_info " },
    { "identity version 1", true, "\"version\":2", "\"version\":1",
      "qe_identity " },
    { "identity of the SGX QE", true, "\"id\":\"TD_QE\"", "\"id\":\"QE\"",
      "qe_identity_id " },
    { "identity expired", true, "2026-06-19T", "2026-05-31T",
      "qe_identity_validity " },
    { "mask too short", true, "FBFFFFFFFFFFFFFF0000000000000000",
      "FBFFFFFFFFFFFFFF", "qe_identity " },
    { "QE status of platforms only", true, "\"UpToDate\"",
      "\"SWHardeningNeeded\"", "qe_identity " },
    { "QE level twice", true, "\"isvsvn\":4", "\"isvsvn\":2", "qe_identity " },
    { "QE revoked", true, "\"UpToDate\"", "\"Revoked\"", "tcb_status " },
};

static void
each_spoilt_document_fails_its_own_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(documents); i++) {
        const char *body = documents[i].identity ? intel_qe_identity_body(true)
                                                 : intel_tcb_info_body(true);
        char *changed = intel_replace(body, documents[i].from, documents[i].to);
        struct intel_machine m;
        struct outcome out;

        intel_machine_init(&m, 4);
        if (documents[i].identity)
            m.qe_identity_body = changed;
        else
            m.tcb_info_body = changed;
        intel_machine_remake(&m);
        assert_status(ask(&m, &(struct question){ 0 }, &out), ASSAY_OK);
        assert_failed(documents[i].rule, &out, documents[i].failed);
        intel_machine_free(&m);
        free(changed);
    }
}

/* Whatever is cut off, somebody notices; nothing is read past the end. */
static void
documents_cut_short_anywhere_are_refused(void **state)
{
    struct intel_machine m;
    struct outcome out;

    (void)state;
    intel_machine_init(&m, 4);
    for (size_t len = 0; len < m.qe_identity.len; len++) {
        uint8_t *copy = malloc(len + 1);

        assert_non_null(copy);
        memcpy(copy, m.qe_identity.ptr, len);
        m.collateral.qe_identity = span_of(copy, len);
        assert_status(ask(&m, &(struct question){ 0 }, &out), ASSAY_OK);
        assert_failed("cut short", &out, "qe_identity ");
        free(copy);
    }
    intel_machine_free(&m);
}

static void
one_changed_byte_of_a_document_breaks_its_signature(void **state)
{
    struct intel_machine m;
    struct outcome out;
    char *at;

    (void)state;
    intel_machine_init(&m, 4);
    at = strstr((char *)m.tcb_info.ptr, "2024-03-13");
    assert_non_null(at);
    at[3] = '6';
    assert_status(ask(&m, &(struct question){ 0 }, &out), ASSAY_OK);
    assert_failed("edited", &out, "tcb_info_signature ");
    intel_machine_free(&m);
}

static void
a_nul_behind_a_document_is_fine(void **state)
{
    struct intel_machine m;
    struct outcome out;

    (void)state;
    intel_machine_init(&m, 4);
    m.collateral.tcb_info.len++; /* the buffer's own NUL */
    m.collateral.tcb_info_issuer_chain.len++;
    assert_status(ask(&m, &(struct question){ 0 }, &out), ASSAY_OK);
    assert_failed("NUL", &out, "");
    intel_machine_free(&m);
}

static void
missing_pieces_leave_the_verdict_open(void **state)
{
    struct intel_machine m;

    (void)state;
    intel_machine_init(&m, 4);
    for (int i = 0; i < 6; i++) {
        struct tdx_collateral all = m.collateral;
        struct span *pieces[] = {
            &m.collateral.tcb_info,    &m.collateral.tcb_info_issuer_chain,
            &m.collateral.qe_identity, &m.collateral.qe_identity_issuer_chain,
            &m.collateral.root_ca_crl, &m.collateral.pck_crl
        };
        struct outcome out;

        *pieces[i] = span_of(NULL, 0);
        assert_status(ask(&m, &(struct question){ 0 }, &out), ASSAY_OK);
        assert_int_equal(out.result, VERDICT_UNKNOWN);
        *pieces[i] = span_str(""); /* there, and empty */
        assert_status(ask(&m, &(struct question){ 0 }, &out), ASSAY_OK);
        assert_int_equal(out.result, VERDICT_REFUSED);
        m.collateral = all;
    }
    intel_machine_free(&m);
}

/* --- status --------------------------------------------------------------- */

static void
convergence_is_not_a_maximum(void **state)
{
    static const struct {
        enum tcb_status status, part, want;
    } rows[] = {
        { TCB_UP_TO_DATE, TCB_NONE, TCB_UP_TO_DATE },
        { TCB_UP_TO_DATE, TCB_OUT_OF_DATE, TCB_OUT_OF_DATE },
        { TCB_SW_HARDENING_NEEDED, TCB_OUT_OF_DATE, TCB_OUT_OF_DATE },
        { TCB_CONFIGURATION_NEEDED, TCB_OUT_OF_DATE,
          TCB_OUT_OF_DATE_CONFIGURATION_NEEDED },
        { TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED, TCB_OUT_OF_DATE,
          TCB_OUT_OF_DATE_CONFIGURATION_NEEDED },
        { TCB_OUT_OF_DATE, TCB_OUT_OF_DATE, TCB_OUT_OF_DATE },
        { TCB_RELAUNCH_ADVISED, TCB_UP_TO_DATE, TCB_RELAUNCH_ADVISED },
        { TCB_CONFIGURATION_NEEDED, TCB_REVOKED, TCB_REVOKED },
        { TCB_REVOKED, TCB_NOT_SUPPORTED, TCB_REVOKED },
        { TCB_OUT_OF_DATE, TCB_NOT_SUPPORTED, TCB_NOT_SUPPORTED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(tcb_converge(rows[i].status, rows[i].part),
                         rows[i].want);
}

static void
statuses_have_names_and_nothing_else_has(void **state)
{
    (void)state;
    for (int i = TCB_NONE + 1; i < TCB_STATUSES; i++)
        assert_int_equal(
            tcb_status_parse(span_str(tcb_status_name((enum tcb_status)i))), i);
    assert_int_equal(tcb_status_parse(span_str("")), TCB_NONE);
    assert_int_equal(tcb_status_parse(span_str("UpToDat")), TCB_NONE);
    assert_null(tcb_status_name(TCB_NONE));
}

/* --- appraisal ------------------------------------------------------------ */

static void
nothing_stated_is_refused(void **state)
{
    const struct tdx_reference nothing = { 0 };
    struct intel_machine m;
    struct outcome out;

    (void)state;
    intel_machine_init(&m, 4);
    assert_status(ask(&m, &(struct question){ .reference = &nothing }, &out),
                  ASSAY_OK);
    assert_failed("nothing stated", &out,
                  "td_attributes xfam mrseam mrtd rtmr0 rtmr1 rtmr2 rtmr3 "
                  "mrconfigid mrowner mrownerconfig report_data ");
    intel_machine_free(&m);
}

static void
cet_bits_are_the_hosts(void **state)
{
    static const uint8_t want[8] = { 0xe7 };
    struct tdx_reference r = { 0 };
    struct intel_machine m;
    struct outcome out;

    (void)state;
    waive_all(&r);
    r.xfam = (struct expect){ EXPECT_EQUAL, span_of(want, sizeof(want)) };
    intel_machine_init(&m, 4);
    m.quote.td.xfam[1] = 0x18;
    intel_machine_remake(&m);
    assert_status(ask(&m, &(struct question){ .reference = &r }, &out),
                  ASSAY_OK);
    assert_failed("exact", &out, "xfam ");
    r.ignore_cet = true;
    assert_status(ask(&m, &(struct question){ .reference = &r }, &out),
                  ASSAY_OK);
    assert_failed("without CET", &out, "");
    intel_machine_free(&m);
}

static void
one_of_several_values_will_do(void **state)
{
    uint8_t values[2 * TDX_MR_SIZE] = { 0 };
    struct tdx_reference r = { 0 };
    struct intel_machine m;
    struct outcome out;

    (void)state;
    waive_all(&r);
    r.rtmr[0] = (struct expect){ EXPECT_ONE_OF, span_of(values, 96) };
    intel_machine_init(&m, 4);
    assert_status(ask(&m, &(struct question){ .reference = &r }, &out),
                  ASSAY_OK);
    assert_failed("neither", &out, "rtmr0 ");
    memset(values + TDX_MR_SIZE, 0xbb, TDX_MR_SIZE);
    assert_status(ask(&m, &(struct question){ .reference = &r }, &out),
                  ASSAY_OK);
    assert_failed("the second", &out, "");
    intel_machine_free(&m);
}

static void
minimum_versions_of_older_manifests_hold(void **state)
{
    struct tdx_reference r = { .minimum = { .check = true,
                                            .qe_svn = 4,
                                            .pce_svn = 13,
                                            .tee_tcb_svn = { 6, 1, 7 } } };
    struct intel_machine m;
    struct outcome out;

    (void)state;
    waive_all(&r);
    intel_machine_init(&m, 4);
    assert_status(ask(&m, &(struct question){ .reference = &r }, &out),
                  ASSAY_OK);
    assert_failed("equal", &out, "");
    r.minimum.qe_svn++;
    r.minimum.pce_svn++;
    r.minimum.tee_tcb_svn[2]++;
    assert_status(ask(&m, &(struct question){ .reference = &r }, &out),
                  ASSAY_OK);
    assert_failed("above", &out,
                  "minimum_qe_svn minimum_pce_svn minimum_tee_tcb_svn ");
    intel_machine_free(&m);
}

/* --- cache ---------------------------------------------------------------- */

static struct tdx_cache *
new_cache(void)
{
    struct assay_error err = { 0 };
    struct tdx_cache *cache;

    assert_ok(tdx_cache_new(4, &cache, &err), &err);
    return cache;
}

static void
what_is_known_is_found_again_and_expires(void **state)
{
    struct tdx_cache *cache = new_cache();
    struct question q = { .cache = cache };
    struct tdx_cache_stats stats;
    struct intel_machine m;
    struct outcome out;

    (void)state;
    intel_machine_init(&m, 4);
    for (int i = 0; i < 3; i++) {
        assert_status(ask(&m, &q, &out), ASSAY_OK);
        assert_failed("cached", &out, "");
    }
    stats = tdx_cache_stats(cache);
    assert_int_equal(stats.chain_hits, 2);
    assert_int_equal(stats.collateral_hits, 2);
    q.now = INTEL_NOW + INT64_C(19) * 24 * 3600; /* documents have expired */
    assert_status(ask(&m, &q, &out), ASSAY_OK);
    assert_failed("expired", &out, "tcb_info_validity qe_identity_validity ");
    assert_int_equal(tdx_cache_stats(cache).collateral_hits, 3);
    intel_machine_free(&m);
    tdx_cache_free(cache);
}

/* One byte of any piece makes another key, and gets a verdict of its own. */
static void
another_byte_is_another_verdict(void **state)
{
    struct tdx_cache *cache = new_cache();
    struct question q = { .cache = cache };
    struct intel_machine m;
    struct outcome out;

    (void)state;
    intel_machine_init(&m, 4);
    assert_status(ask(&m, &q, &out), ASSAY_OK);
    assert_failed("first", &out, "");
    m.root_crl.ptr[m.root_crl.len - 1] ^= 1;
    assert_status(ask(&m, &q, &out), ASSAY_OK);
    assert_non_null(strstr(out.failed, "root_crl "));
    m.root_crl.ptr[m.root_crl.len - 1] ^= 1;
    q.no_anchor = true; /* so do other anchors */
    assert_status(ask(&m, &q, &out), ASSAY_OK);
    assert_non_null(strstr(out.failed, "root_trusted "));
    assert_int_equal(tdx_cache_stats(cache).collateral_hits, 0);
    q.no_anchor = false;
    m.quote.td.mr_td[0] ^= 1; /* the signature over it is still the old one */
    m.raw.ptr[184] ^= 1;
    assert_status(ask(&m, &q, &out), ASSAY_OK);
    assert_failed("quote edited", &out, "quote_signature ");
    intel_machine_free(&m);
    tdx_cache_free(cache);
}

static void
a_full_cache_makes_room(void **state)
{
    struct tdx_cache *cache = new_cache();
    struct question q = { .cache = cache };

    (void)state;
    for (int i = 0; i < 9; i++) {
        struct intel_machine m;
        struct outcome out;

        intel_machine_init(&m, 4);
        assert_status(ask(&m, &q, &out), ASSAY_OK);
        assert_failed("many machines", &out, "");
        intel_machine_free(&m);
    }
    assert_int_equal(tdx_cache_stats(cache).chain_misses, 9);
    tdx_cache_free(cache);
}

/* --- memory --------------------------------------------------------------- */

static void
verdict_survives_every_failing_allocation(void **state)
{
    struct intel_machine m;
    bool done = false;

    (void)state;
    intel_machine_init(&m, 5);
    for (size_t n = 0; !done; n++) {
        struct failing_alloc f;
        struct outcome out;
        enum assay_status st;

        failing_alloc_init(&f, n);
        st = ask(&m, &(struct question){ .alloc = &f.alloc }, &out);
        assert_int_equal(f.live, 0);
        done = st == ASSAY_OK;
        if (!done) {
            assert_status(st, ASSAY_ERR_NOMEM);
            assert_int_not_equal(out.result, VERDICT_ACCEPTED);
        }
        assert_true(n < 1000);
    }
    intel_machine_free(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_quotes_of_all_versions_are_accepted),
        cmocka_unit_test(each_spoilt_part_fails_its_own_check),
        cmocka_unit_test(the_right_name_is_not_enough_for_a_root),
        cmocka_unit_test(each_spoilt_document_fails_its_own_check),
        cmocka_unit_test(documents_cut_short_anywhere_are_refused),
        cmocka_unit_test(one_changed_byte_of_a_document_breaks_its_signature),
        cmocka_unit_test(a_nul_behind_a_document_is_fine),
        cmocka_unit_test(missing_pieces_leave_the_verdict_open),
        cmocka_unit_test(convergence_is_not_a_maximum),
        cmocka_unit_test(statuses_have_names_and_nothing_else_has),
        cmocka_unit_test(nothing_stated_is_refused),
        cmocka_unit_test(cet_bits_are_the_hosts),
        cmocka_unit_test(one_of_several_values_will_do),
        cmocka_unit_test(minimum_versions_of_older_manifests_hold),
        cmocka_unit_test(what_is_known_is_found_again_and_expires),
        cmocka_unit_test(another_byte_is_another_verdict),
        cmocka_unit_test(a_full_cache_makes_room),
        cmocka_unit_test(verdict_survives_every_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
