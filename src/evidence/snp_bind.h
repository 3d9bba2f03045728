/* Steps of snp_verify(): the report against its leaf, and against itself. */
#ifndef ASSAY_EVIDENCE_SNP_BIND_H
#define ASSAY_EVIDENCE_SNP_BIND_H

#include "evidence/snp_chain.h"
#include "evidence/snp_verify.h"

/* Signature over the bytes as received, TCB and chip of the certificate. */
ASSAY_MUST_CHECK
enum assay_status snp_bind_check(const struct snp_report *r,
                                 const struct snp_chain *chain,
                                 bool allow_masked_chip, struct verdict *v,
                                 struct assay_error *err);

/* Relations that honest firmware keeps. */
void snp_consistency_check(const struct snp_report *r, enum snp_product product,
                           struct verdict *v);

/* Revocation of the intermediate. */
ASSAY_MUST_CHECK
enum assay_status snp_revocation_check(const struct snp_chain *chain,
                                       const struct snp_collateral *collateral,
                                       const struct snp_verify_params *params,
                                       struct verdict *v,
                                       struct assay_error *err);

#endif
