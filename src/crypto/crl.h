/* X.509 certificate revocation lists (RFC 5280 section 5), decoded.
 *
 * As strict, as immutable and as unjudging as x509.h. */
#ifndef ASSAY_CRYPTO_CRL_H
#define ASSAY_CRYPTO_CRL_H

#include "crypto/x509.h"

struct crl;

/* ASSAY_ERR_MALFORMED, ASSAY_ERR_LIMIT (LIMIT_CRL_BYTES), ASSAY_ERR_NOMEM.
 * A critical extension is refused as ASSAY_ERR_UNSUPPORTED, in the list or in
 * an entry: it could mean the list is partial. der is copied. */
ASSAY_MUST_CHECK
enum assay_status crl_parse(struct span der, struct crl **out,
                            struct assay_error *err);
struct crl *crl_dup(const struct crl *crl);
void crl_free(struct crl *crl);

struct span crl_der(const struct crl *crl);
int crl_version(const struct crl *crl);        /* 2 means v2 */
struct span crl_issuer(const struct crl *crl); /* DER of the Name */
const char *crl_issuer_common_name(const struct crl *crl);
int64_t crl_this_update(const struct crl *crl); /* seconds since 1970 UTC */
bool crl_has_next_update(const struct crl *crl);
int64_t crl_next_update(const struct crl *crl); /* 0 when absent */
struct span crl_number(const struct crl *crl);  /* like cert_serial; or empty */
struct span crl_authority_key_id(const struct crl *crl); /* or empty */
const struct signature_facts *crl_signature(const struct crl *crl);

struct crl_entry {
    struct span serial; /* like cert_serial */
    int64_t revoked_at;
};
size_t crl_entry_count(const struct crl *crl);
struct crl_entry crl_entry_at(const struct crl *crl, size_t i);
bool crl_is_revoked(const struct crl *crl, struct span serial);

ASSAY_MUST_CHECK
enum assay_status crl_verify_signature(const struct crl *crl,
                                       const struct key *issuer,
                                       struct assay_error *err);

#endif
