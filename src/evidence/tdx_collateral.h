/* What Intel says about its platforms: TCB info, QE identity, revocation
 * lists and the certificates that sign them. Untrusted until tdx_verify().
 *
 * Signatures cover the exact bytes that Intel sent, so documents are kept and
 * passed on as they came. Intel SGX and TDX PCS API v4. */
#ifndef ASSAY_EVIDENCE_TDX_COLLATERAL_H
#define ASSAY_EVIDENCE_TDX_COLLATERAL_H

#include "base/arena.h"
#include "base/error.h"
#include "evidence/tdx_quote.h"

/* A span whose ptr is NULL is missing; one of length 0 with a pointer is there
 * and empty, which is malformed. */
struct tdx_collateral {
    struct span tcb_info;              /* {"tcbInfo":{...},"signature":"..."} */
    struct span tcb_info_issuer_chain; /* PEM: TCB signer, root */
    struct span qe_identity;           /* {"enclaveIdentity":{...},...} */
    struct span qe_identity_issuer_chain;
    struct span root_ca_crl;          /* DER, PEM, or DER in hex */
    struct span pck_crl;              /* of the CA that issued the leaf */
    struct span pck_crl_issuer_chain; /* PEM: PCK CA, root */
    /* PEM, for quotes that bring none; a quote's own comes first. */
    struct span pck_certificate_chain;
};

/* All but the optional pck_certificate_chain are there. */
bool tdx_collateral_is_complete(const struct tdx_collateral *c);

/* Takes from other what c lacks. */
void tdx_collateral_fill(struct tdx_collateral *c,
                         const struct tdx_collateral *other);

/* What to ask Intel for. */
struct tdx_collateral_want {
    enum quote_tee tee; /* of the quote: chooses TCB info and identity */
    uint8_t fmspc[6];
    bool processor_ca; /* the leaf is from the Processor CA, else Platform */
};

/* Decode one file: a whole set as dcap-qvl, MigTD (which has a TCB info per
 * FMSPC: want chooses) or Open Enclave write it, or a single piece as Intel
 * sends it: TCB info, QE identity, a revocation list, a chain of certificates,
 * or a captured answer {"issuer_chain":..., ...}. Only what the file has is
 * filled in.
 *
 * What has to be put together anew is put in the arena around the signed
 * bytes, which stay as they are; the rest is borrowed or in the arena. None of
 * it is believed yet.
 *
 *   want  may be NULL when the file has one TCB info only
 *
 * ASSAY_ERR_MALFORMED, ASSAY_ERR_UNSUPPORTED (no known form),
 * ASSAY_ERR_NOT_FOUND (no TCB info for this FMSPC), ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status tdx_collateral_decode(struct span file,
                                        const struct tdx_collateral_want *want,
                                        struct arena *arena,
                                        struct tdx_collateral *out,
                                        struct assay_error *err);

#endif
