/* Intel's revocation lists, in the forms that services and caches send: DER,
 * PEM, or DER in hex (PCCS before version 4). */
#ifndef ASSAY_EVIDENCE_SGX_CRL_H
#define ASSAY_EVIDENCE_SGX_CRL_H

#include "crypto/crl.h"

/* As crl_parse(). */
ASSAY_MUST_CHECK
enum assay_status sgx_crl_read(struct span bytes, struct crl **out,
                               struct assay_error *err);

#endif
