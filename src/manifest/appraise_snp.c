/* SEV-SNP evidence against a manifest: contrast-interop sections 7.2 to 7.4. */
#include "evidence/snp_appraise.h"
#include "evidence/snp_proto.h"
#include "manifest/appraise_internal.h"

/* Section 7.2, value by value. */
static struct snp_reference
snp_reference_of(const struct manifest_snp *v, struct snp_launch *launch)
{
    return (struct snp_reference){
        .product = v->product,
        .launch = launch,
        .check_guest_policy = true,
        .guest_policy = v->guest_policy,
        .vmpl = 0,
        .check_minimum_tcb = true,
        .minimum_tcb = v->minimum_tcb,
        .minimum_launch_tcb = v->minimum_tcb,
        .check_platform_info = v->has_platform_info,
        .platform_required = v->platform_required,
        .platform_forbidden = v->platform_forbidden,
        .mitigations = v->mitigations,
        .require_id_block = true,
        .chip_ids = { v->chip_ids },
        .allow_milan_without_chip_ids = v->allow_milan_without_chip_ids,
    };
}

/* One piece of evidence, on its way through the reference values. */
struct trial {
    const struct manifest_appraiser *a;
    const struct snp_verified *verified;
    const struct manifest_policy *policy; /* NULL: the check has failed */
    const uint8_t *report_data;
};

static const char *
name(const void *ctx, size_t i)
{
    const struct trial *t = ctx;

    return snp_product_name(t->a->m->snp[i].product);
}

static enum assay_status
judge(const void *ctx, size_t i, struct verdict *v, struct assay_error *err)
{
    const struct trial *t = ctx;
    struct snp_reference r =
        snp_reference_of(&t->a->m->snp[i], t->a->launches[i]);

    r.report_data =
        (struct expect){ EXPECT_EQUAL, span_of(t->report_data, 64) };
    r.host_data.kind = EXPECT_ANY;
    if (t->policy)
        r.host_data = (struct expect){ EXPECT_EQUAL,
                                       span_of(t->policy->hash, SHA256_SIZE) };
    return snp_appraise(t->verified, &r, v, err);
}

/* What claims and verdict borrow from: lives as long as they do. */
struct snp_case {
    struct snp_evidence evidence;
    struct snp_verified verified;
};

static enum assay_status
verify_snp(const struct manifest_appraiser *a,
           const struct manifest_request *request, struct snp_case *c,
           struct verdict *v, struct assay_error *err)
{
    const struct snp_verify_params params = {
        .anchors = a->config.anchors,
        .clock = request->clock,
        .product = c->evidence.product,
        .crl = a->config.crl,
        .source = a->config.source,
        .cache = a->config.cache,
    };

    return snp_verify(span_of(c->evidence.report, sizeof(c->evidence.report)),
                      &c->evidence.collateral, &params, v, &c->verified, err);
}

enum assay_status
appraise_snp(const struct manifest_appraiser *a,
             const struct manifest_request *request, struct arena *arena,
             struct verdict *v, struct manifest_identity *who,
             struct assay_error *err)
{
    struct snp_case *c = arena_alloc(arena, sizeof(*c));
    struct trial trial;
    struct assay_error why = { 0 };
    enum assay_status st;

    if (!c)
        return assay_nomem(err, "evidence");
    st = snp_evidence_decode(request->evidence, arena, &c->evidence, &why);
    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(err, "evidence");
    if (st != ASSAY_OK) {
        verdict_fail(v, "evidence_form", "contrast-interop 2.1", NULL, NULL,
                     verdict_text(v, "%s", why.text));
        return ASSAY_OK;
    }
    if (a->m->snp_count == 0) {
        verdict_fail(v, "reference_value", APPRAISE_REF_SELECTION, NULL, "snp",
                     "the manifest has no reference value for SEV-SNP");
        return ASSAY_OK;
    }
    st = verify_snp(a, request, c, v, err);
    if (st != ASSAY_OK || !c->verified.decoded)
        return st;
    who->policy = appraise_identify(a, c->verified.report.host_data, v);
    trial =
        (struct trial){ a, &c->verified, who->policy, request->report_data };
    return appraise_try(&(struct appraise_references){ "snp", a->m->snp_count,
                                                       name, judge, &trial },
                        v, &who->reference, err);
}
