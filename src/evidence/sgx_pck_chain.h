/* The certificates behind a quote: PCK leaf, PCK CA, root.
 *
 * What does not depend on time is established when a chain is made; dates are
 * looked at on each use. Immutable and reference-counted. */
#ifndef ASSAY_EVIDENCE_SGX_PCK_CHAIN_H
#define ASSAY_EVIDENCE_SGX_PCK_CHAIN_H

#include <stdatomic.h>

#include "evidence/sgx_certs.h"
#include "evidence/sgx_pck.h"
#include "evidence/tdx_collateral.h"

struct sgx_pck_chain {
    atomic_uint refs;
    struct arena arena;
    struct verdict log; /* checks that do not depend on time; in the arena */
    struct sgx_windows windows;
    struct cert *leaf; /* NULL when missing, as the next two */
    struct cert *ca;
    struct cert *root;
    bool own_root; /* root came with the chain */
    bool is_processor_ca;
    enum trust_kind trust;
    bool has_pck; /* the extension of the leaf could be read, then: */
    struct sgx_pck pck;
};

/* Build a chain from PEM, in any order, and judge it. It is made even when it
 * is incomplete or bad: sgx_pck_chain_check() says so.
 *
 *   roots  PEM to look for the root in when the chain comes without it; may
 *          be empty
 *
 * Only ASSAY_ERR_NOMEM. */
ASSAY_MUST_CHECK
enum assay_status sgx_pck_chain_build(struct span pem, struct span roots,
                                      const struct trust_anchors *anchors,
                                      struct sgx_pck_chain **out,
                                      struct assay_error *err);
struct sgx_pck_chain *sgx_pck_chain_ref(struct sgx_pck_chain *chain);
void sgx_pck_chain_release(struct sgx_pck_chain *chain); /* NULL is fine */

/* One check per rule, dates at now included. */
void sgx_pck_chain_check(const struct sgx_pck_chain *chain, int64_t now,
                         struct verdict *v);

/* All rules that do not depend on time hold. */
bool sgx_pck_chain_is_good(const struct sgx_pck_chain *chain);

/* What to ask for to judge a quote with this chain (PEM), believed or not.
 *
 * ASSAY_ERR_MALFORMED  there is no PCK certificate to read it from */
ASSAY_MUST_CHECK
enum assay_status sgx_pck_chain_want(struct span pem, enum quote_tee tee,
                                     struct tdx_collateral_want *out,
                                     struct assay_error *err);

#endif
