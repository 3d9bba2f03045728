/* Is this report genuine? Form, certificates, binding, consistency.
 *
 * Order of trust: the form of the bytes, a chain up to a pinned root, the
 * signature over the bytes as they came, the leaf's claims against the
 * report's. What the relying party wants of a genuine report is another
 * question: snp_appraise.h. */
#ifndef ASSAY_EVIDENCE_SNP_VERIFY_H
#define ASSAY_EVIDENCE_SNP_VERIFY_H

#include "base/clock.h"
#include "evidence/collateral.h"
#include "evidence/snp_chain.h"
#include "evidence/snp_report.h"
#include "evidence/trust.h"
#include "evidence/verdict.h"

/* What follows when no revocation list could be had. */
enum snp_crl_need {
    SNP_CRL_NEEDED = 0, /* the verdict is unknown */
    SNP_CRL_OPTIONAL,   /* "revocation" is skipped, the others decide */
};                      /* a strict verdict fails in either case */

struct snp_verify_params {
    const struct trust_anchors *anchors; /* NULL: the vendor's pins alone */
    /* Read when the collateral that is to be current is in hand: a certificate
     * may be younger than the question. */
    const struct clock *clock;
    /* What the caller says the product is, for reports of version 2, which do
     * not say; when a report does say, it must agree. UNKNOWN: no opinion. */
    enum snp_product product;
    enum snp_crl_need crl;
    bool allow_stale_crl;   /* past nextUpdate: a warning */
    bool allow_masked_chip; /* VCEK-signed with CHIP_ID zero: a warning */
    const struct collateral_source *source; /* NULL: offline */
    struct snp_chain_cache *cache;          /* NULL: verify the chain anew */
};

/* Filled as far as the report could be read. */
struct snp_verified {
    bool decoded;             /* report is well formed and usable */
    struct snp_report report; /* raw is borrowed from the input */
    enum snp_product product; /* as the chain confirmed it */
    enum snp_signing_key signer;
    const char *csp_id; /* VLEK: the provider; in the arena, else NULL */
};

/* Appends a check for every rule to *v, and the claims of the report. What
 * the evidence is worth is in the checks; the status only tells whether they
 * could all be made: ASSAY_OK, or ASSAY_ERR_NOMEM.
 *
 * The collateral's bytes are borrowed during the call. Missing pieces are
 * asked from params->source. */
ASSAY_MUST_CHECK
enum assay_status snp_verify(struct span report,
                             const struct snp_collateral *collateral,
                             const struct snp_verify_params *params,
                             struct verdict *v, struct snp_verified *out,
                             struct assay_error *err);

#endif
