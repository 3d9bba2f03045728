/* Claims of evidence as certificate extensions (CI 10.4). */
#ifndef ASSAY_SERVICE_CA_CLAIMS_H
#define ASSAY_SERVICE_CA_CLAIMS_H

#include "crypto/x509.h"
#include "evidence/claims.h"

/* One extension per claim that has an arc, in the order of claims, with the
 * OID root.arc and as value a DER INTEGER, BOOLEAN or OCTET STRING. Not
 * critical. The list and what it points to live in arena.
 *
 *   root  dotted decimal: "1.3.9901.2.1" for SNP */
ASSAY_MUST_CHECK
enum assay_status ca_claims_encode(const struct claims *claims,
                                   const char *root, struct arena *arena,
                                   struct cert_extension **list, size_t *count,
                                   struct assay_error *err);

#endif
