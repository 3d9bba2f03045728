/* Is this quote genuine, and how up to date is the platform behind it?
 *
 * Order of trust: the form of the bytes, a chain up to Intel's pinned root and
 * its revocation lists, Intel's signatures over TCB info and QE identity, the
 * quoting enclave, the attestation key it vouches for, the quote. The TCB
 * status that follows is a fact (struct tcb_result), not yet a judgement: what
 * of it is acceptable, and what the relying party wants of a genuine quote, is
 * tdx_appraise.h. */
#ifndef ASSAY_EVIDENCE_TDX_VERIFY_H
#define ASSAY_EVIDENCE_TDX_VERIFY_H

#include "base/clock.h"
#include "evidence/collateral.h"
#include "evidence/sgx_pck.h"
#include "evidence/sgx_tcb.h"
#include "evidence/tdx_collateral.h"
#include "evidence/trust.h"
#include "evidence/verdict.h"

struct tdx_cache; /* tdx_cache.h */

struct tdx_verify_params {
    const struct trust_anchors *anchors; /* NULL: Intel's pin alone */
    /* Read when the collateral that is to be current is in hand. */
    const struct clock *clock;
    enum quote_tee tee; /* a quote of the other is refused */
    /* Asked for what the collateral lacks; NULL: offline. */
    const struct collateral_source *source;
    struct tdx_cache *cache; /* NULL: verify everything anew */
};

/* Filled as far as the quote could be read. */
struct tdx_verified {
    int64_t now;            /* when dates were looked at */
    bool decoded;           /* quote is well formed */
    struct tdx_quote quote; /* spans are borrowed from the input */
    bool has_pck;           /* the leaf's extension could be read, then: */
    struct sgx_pck pck;
    bool has_tcb; /* Intel's documents are genuine and fit the quote, then: */
    struct tcb_result tcb; /* also in the verdict */
};

/* Appends a check for every rule to *v, and the claims of the quote. What the
 * evidence is worth is in the checks; the status only tells whether they could
 * all be made: ASSAY_OK, or ASSAY_ERR_NOMEM.
 *
 * The collateral's bytes are borrowed during the call. */
ASSAY_MUST_CHECK
enum assay_status tdx_verify(struct span quote,
                             const struct tdx_collateral *collateral,
                             const struct tdx_verify_params *params,
                             struct verdict *v, struct tdx_verified *out,
                             struct assay_error *err);

/* Every field of the quote, and of its platform (pck may be NULL), with the
 * arcs of contrast-interop section 10.4. Copied. */
ASSAY_MUST_CHECK
enum assay_status tdx_quote_claims(const struct tdx_quote *q,
                                   const struct sgx_pck *pck,
                                   struct arena *arena, struct claims *out,
                                   struct assay_error *err);

#endif
