#include "evidence/snp_verify.h"

#include <string.h>

#include "evidence/snp_bind.h"
#include "evidence/snp_form.h"

#define ABI "AMD 56860 ATTESTATION_REPORT"

/* A check that stands for all that could not be made. */
static void
give_up(struct verdict *v, const char *why)
{
    verdict_lack(v, "report_signature", ABI ", SIGNATURE", why);
    verdict_lack(v, "root_trusted", "AMD 57230, ARK public keys", why);
}

static bool
read_report(struct span raw, struct snp_report *r, struct verdict *v)
{
    struct assay_error why = { 0 };
    const char *want = verdict_text(v, "%d bytes", SNP_REPORT_SIZE);
    const char *got = verdict_text(v, "%zu bytes", raw.len);

    if (snp_report_read(raw, r, &why) == ASSAY_OK) {
        verdict_pass(v, "report_length", ABI, want, got);
        return true;
    }
    verdict_fail(v, "report_length", ABI, want, got,
                 "this is not a report of any version");
    give_up(v, "the report could not be read");
    return false;
}

/* What the CPUID bytes say. They are not trustworthy yet, but choosing a root
 * by them is: that root then confirms them. */
static enum snp_product
check_cpuid(const struct snp_report *r, enum snp_product configured,
            struct verdict *v)
{
    static const char name[] = "cpuid";
    static const char ref[] = ABI ", CPUID_FAM_ID and CPUID_MOD_ID";
    enum snp_product product = snp_report_product(r);
    const char *want = configured == SNP_PRODUCT_UNKNOWN
                           ? "a known product"
                           : snp_product_name(configured);
    const char *got;

    if (r->version < 3) {
        verdict_waive(v, name, ref,
                      "reports of version 2 do not say; the certificate does");
        return configured;
    }
    got = verdict_text(v, "%s (family 0x%02x model 0x%02x stepping %u)",
                       snp_cpu_name(r->cpuid_fam_id, r->cpuid_mod_id),
                       r->cpuid_fam_id, r->cpuid_mod_id, r->cpuid_step);
    if (product == SNP_PRODUCT_UNKNOWN)
        verdict_fail(v, name, ref, want, got,
                     "no root key is known for this processor");
    else if (configured != SNP_PRODUCT_UNKNOWN && configured != product)
        verdict_fail(v, name, ref, want, got,
                     "the report is from another product");
    else
        verdict_pass(v, name, ref, want, got);
    return product != SNP_PRODUCT_UNKNOWN ? product : configured;
}

/* The verdict outlives the report, so the claims get a copy of it. */
static void
keep_claims(const struct snp_report *r, enum snp_product product,
            struct verdict *v)
{
    struct snp_report *copy = arena_alloc(v->arena, sizeof(*copy));

    if (!copy) {
        v->nomem = true;
        return;
    }
    *copy = *r;
    copy->raw = (struct span){ 0 };
    if (snp_report_claims(copy, product, v->arena, &v->claims, NULL) !=
        ASSAY_OK)
        v->nomem = true;
}

static void
keep_results(const struct snp_report *r, const struct snp_chain *chain,
             enum snp_product product, struct verdict *v,
             struct snp_verified *out)
{
    const struct snp_leaf_facts *facts = snp_chain_facts(chain);

    *out = (struct snp_verified){ .decoded = true,
                                  .report = *r,
                                  .product = product,
                                  .signer = snp_report_signing_key(r) };
    if (facts && facts->csp_id[0])
        out->csp_id = verdict_text(v, "%s", facts->csp_id);
}

static enum assay_status
verify_with_chain(const struct snp_report *r, enum snp_product product,
                  const struct snp_collateral *collateral,
                  const struct snp_verify_params *p, struct verdict *v,
                  struct snp_verified *out, struct assay_error *err)
{
    struct snp_chain_want want = { .report = r,
                                   .signer = snp_report_signing_key(r),
                                   .product = product,
                                   .clock = p->clock,
                                   .anchors = p->anchors,
                                   .source = p->source };
    struct snp_chain *chain = NULL;
    enum assay_status st =
        snp_chain_get(p->cache, collateral, &want, &chain, err);

    if (st != ASSAY_OK)
        return st;
    if (product == SNP_PRODUCT_UNKNOWN)
        product = snp_chain_product(chain);
    snp_chain_check(chain, clock_now(p->clock), v);
    st = snp_revocation_check(chain, collateral, p, v, err);
    if (st == ASSAY_OK)
        st = snp_bind_check(r, chain, p->allow_masked_chip, v, err);
    if (st == ASSAY_OK) {
        snp_consistency_check(r, product, v);
        keep_claims(r, product, v);
        keep_results(r, chain, product, v, out);
    }
    snp_chain_release(chain);
    return st;
}

enum assay_status
snp_verify(struct span report, const struct snp_collateral *collateral,
           const struct snp_verify_params *params, struct verdict *v,
           struct snp_verified *out, struct assay_error *err)
{
    struct snp_report r;
    enum snp_product product;
    enum assay_status st = ASSAY_OK;

    *out = (struct snp_verified){ 0 };
    if (!read_report(report, &r, v))
        return v->nomem ? assay_nomem(err, "verdict") : ASSAY_OK;
    snp_form_check(&r, v);
    if (r.version < SNP_VERSION_MIN || r.version > SNP_VERSION_MAX) {
        /* Its fields may mean anything: nothing further is read from it. */
        give_up(v, "the version of the report is not known");
    } else {
        product = check_cpuid(&r, params->product, v);
        st = verify_with_chain(&r, product, collateral, params, v, out, err);
    }
    if (st == ASSAY_OK && v->nomem)
        st = assay_nomem(err, "verdict");
    return st;
}
