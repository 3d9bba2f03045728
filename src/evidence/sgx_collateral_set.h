/* Collateral, judged: revocation lists, TCB info and QE identity with their
 * signers, as far as that does not depend on time or on one machine.
 * Immutable and reference-counted. */
#ifndef ASSAY_EVIDENCE_SGX_COLLATERAL_SET_H
#define ASSAY_EVIDENCE_SGX_COLLATERAL_SET_H

#include "crypto/crl.h"
#include "evidence/sgx_pck_chain.h"
#include "evidence/sgx_qe_identity.h"
#include "evidence/sgx_tcb_info.h"
#include "evidence/tdx_collateral.h"

struct sgx_collateral_set {
    atomic_uint refs;
    struct arena arena;
    struct verdict log;
    struct sgx_windows windows;
    struct crl *root_crl; /* NULL unless it verified, as the next */
    struct crl *pck_crl;
    bool has_info; /* signed by its signer, then: */
    struct sgx_tcb_info info;
    bool has_identity; /* likewise */
    struct sgx_qe_identity identity;
};

/* Judge collateral for quotes with this chain's CA and root. It is made even
 * when something is missing or bad: the checks say so.
 *
 * Only ASSAY_ERR_NOMEM. */
ASSAY_MUST_CHECK
enum assay_status sgx_collateral_set_build(
    const struct tdx_collateral *collateral, const struct sgx_pck_chain *chain,
    const struct trust_anchors *anchors, struct sgx_collateral_set **out,
    struct assay_error *err);
struct sgx_collateral_set *
sgx_collateral_set_ref(struct sgx_collateral_set *set);
void sgx_collateral_set_release(struct sgx_collateral_set *set);

/* One check per rule, dates at now and the revocation of this leaf (may be
 * NULL) included. */
void sgx_collateral_set_check(const struct sgx_collateral_set *set,
                              const struct cert *leaf, int64_t now,
                              struct verdict *v);

bool sgx_collateral_set_is_good(const struct sgx_collateral_set *set);

#endif
