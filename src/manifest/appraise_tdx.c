/* TDX evidence against a manifest: contrast-interop section 7.6. */
#include <string.h>

#include "evidence/tdx_appraise.h"
#include "evidence/tdx_proto.h"
#include "evidence/tdx_verify.h"
#include "manifest/appraise_internal.h"

#define REF "contrast-interop 7.6"

/* SEPT_VE_DISABLE alone, bit 28: what manifests of the current generation mean
 * without saying. */
static const uint8_t default_attributes[8] = { 0, 0, 0, 0x10 };

static struct expect
equal(const uint8_t *bytes, size_t len)
{
    return (struct expect){ EXPECT_EQUAL, span_of(bytes, len) };
}

static struct tcb_policy
tcb_policy_of(const struct manifest_tdx *v)
{
    return (struct tcb_policy){
        .accepted = v->accepted_statuses,
        .advisory_ids = v->advisory_ids,
        .advisory_count = v->advisory_count,
        .min_tcb_date = v->min_tcb_date,
        .min_evaluation_number = (uint32_t)v->min_tcb_evaluation_data_number,
        .grace_s = v->grace_s,
        .require_memory_integrity = v->memory_integrity,
        .require_smt_disabled = v->smt_disabled,
        .require_static_platform = v->static_platform,
        .allowed_piids = v->piids,
    };
}

static struct tdx_minimum_svns
minimum_svns_of(const struct manifest_tdx *v)
{
    struct tdx_minimum_svns m = { .check = v->has_minimum_svns,
                                  .qe_svn = v->minimum_qe_svn,
                                  .pce_svn = v->minimum_pce_svn };

    memcpy(m.tee_tcb_svn, v->minimum_tee_tcb_svn, sizeof(m.tee_tcb_svn));
    return m;
}

/* Section 7.6, value by value. The owner fields are nobody's there. */
static struct tdx_reference
reference_of(const struct manifest_tdx *v)
{
    struct tdx_reference r = {
        .tcb = tcb_policy_of(v),
        .mr_td = equal(v->mr_td, sizeof(v->mr_td)),
        .mr_seam = equal(v->mr_seam, sizeof(v->mr_seam)),
        .mr_owner.kind = EXPECT_ANY,
        .mr_owner_config.kind = EXPECT_ANY,
        .mr_service_td.kind = EXPECT_ANY,
        .td_attributes =
            equal(v->has_td_attributes ? v->td_attributes : default_attributes,
                  sizeof(default_attributes)),
        .xfam = equal(v->xfam, sizeof(v->xfam)),
        .ignore_cet = true,
        .minimum = minimum_svns_of(v),
    };

    for (size_t i = 0; i < TDX_RTMRS; i++)
        r.rtmr[i] = equal(v->rtmrs[i], sizeof(v->rtmrs[i]));
    return r;
}

/* One quote, on its way through the reference values. */
struct trial {
    const struct manifest_appraiser *a;
    const struct tdx_verified *verified;
    const struct manifest_policy *policy; /* NULL: the check has failed */
    const uint8_t *report_data;
};

static const char *
name(const void *ctx, size_t i)
{
    const struct trial *t = ctx;
    const char *platform = t->a->m->tdx[i].platform;

    return platform[0] ? platform : "TDX";
}

static enum assay_status
judge(const void *ctx, size_t i, struct verdict *v, struct assay_error *err)
{
    const struct trial *t = ctx;
    struct tdx_reference r = reference_of(&t->a->m->tdx[i]);

    r.report_data = equal(t->report_data, 64);
    r.mr_config_id.kind = EXPECT_ANY;
    if (t->policy) /* the digest, and zeros */
        r.mr_config_id = equal(t->policy->hash, SHA256_SIZE);
    return tdx_appraise(t->verified, &r, v, err);
}

static enum assay_status
decode(const struct manifest_request *request, struct arena *arena,
       struct verdict *v, struct span *quote, bool *readable,
       struct assay_error *err)
{
    struct assay_error why = { 0 };
    enum assay_status st =
        tdx_evidence_decode(request->evidence, arena, quote, &why);

    *readable = st == ASSAY_OK;
    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(err, "evidence");
    if (st != ASSAY_OK)
        verdict_fail(v, "evidence_form", "contrast-interop 2.2", NULL, NULL,
                     verdict_text(v, "%s", why.text));
    return ASSAY_OK;
}

/* MRCONFIGID is the digest and zeros: bytes behind it would be unbound. */
static const uint8_t *
identity_of(const struct td_report *t)
{
    struct span tail =
        span_of(t->mr_config_id + SHA256_SIZE, TDX_MR_SIZE - SHA256_SIZE);

    return span_is_zero(tail) ? t->mr_config_id : NULL;
}

enum assay_status
appraise_tdx(const struct manifest_appraiser *a,
             const struct manifest_request *request, struct arena *arena,
             struct verdict *v, struct manifest_identity *who,
             struct assay_error *err)
{
    static const struct tdx_collateral none = { 0 };
    struct tdx_verified *verified = arena_alloc(arena, sizeof(*verified));
    const struct tdx_verify_params params = { .anchors = a->config.anchors,
                                              .clock = request->clock,
                                              .tee = QUOTE_TEE_TDX,
                                              .source = a->config.source,
                                              .cache = a->config.tdx_cache };
    struct trial trial;
    struct span quote;
    bool readable;
    enum assay_status st;

    if (!verified)
        return assay_nomem(err, "evidence");
    st = decode(request, arena, v, &quote, &readable, err);
    if (st != ASSAY_OK || !readable)
        return st;
    if (a->m->tdx_count == 0) {
        verdict_fail(v, "reference_value", APPRAISE_REF_SELECTION, NULL, "tdx",
                     "the manifest has no reference value for TDX");
        return ASSAY_OK;
    }
    st = tdx_verify(quote, &none, &params, v, verified, err);
    if (st != ASSAY_OK || !verified->decoded)
        return st;
    who->policy = appraise_identify(a, identity_of(&verified->quote.td), v);
    trial = (struct trial){ a, verified, who->policy, request->report_data };
    return appraise_try(&(struct appraise_references){ "tdx", a->m->tdx_count,
                                                       name, judge, &trial },
                        v, &who->reference, err);
}
