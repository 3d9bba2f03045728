/* The parts of tdx_verify(), each appending its checks. Internal. */
#ifndef ASSAY_EVIDENCE_TDX_RULES_H
#define ASSAY_EVIDENCE_TDX_RULES_H

#include "evidence/sgx_collateral_set.h"
#include "evidence/tdx_verify.h"

#define TDX_QUOTE_REF "Intel TDX DCAP Quoting Library API, Quote Format"
#define TDX_VERIFY_REF "Intel SGX/TDX DCAP Quote Verification"

/* --- from the cache, which may be NULL, or made anew and kept when good --- */

ASSAY_MUST_CHECK
enum assay_status tdx_cache_chain(struct tdx_cache *cache, struct span pem,
                                  struct span roots,
                                  const struct trust_anchors *anchors,
                                  struct sgx_pck_chain **out,
                                  struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status tdx_cache_collateral(struct tdx_cache *cache,
                                       const struct tdx_collateral *c,
                                       const struct sgx_pck_chain *chain,
                                       const struct trust_anchors *anchors,
                                       struct sgx_collateral_set **out,
                                       struct assay_error *err);
/* The attestation key, x || y; ASSAY_ERR_MALFORMED when it is not on P-256. */
ASSAY_MUST_CHECK
enum assay_status tdx_cache_key(struct tdx_cache *cache, const uint8_t xy[64],
                                struct key **out, struct assay_error *err);

/* --- rules -----------------------------------------------------------------
 */

/* PCK key signed the QE report, which names the attestation key, which signed
 * the quote. leaf may be NULL. */
ASSAY_MUST_CHECK
enum assay_status tdx_bind_check(const struct tdx_quote *q,
                                 const struct cert *leaf,
                                 struct tdx_cache *cache, struct verdict *v,
                                 struct assay_error *err);

/* Do documents and quote belong together, and what status follows? pck may be
 * NULL. True, and *out completed, when there is a status. */
bool tdx_tcb_check(const struct tdx_quote *q, const struct sgx_pck *pck,
                   const struct sgx_collateral_set *set, struct verdict *v,
                   struct tcb_result *out);

#endif
