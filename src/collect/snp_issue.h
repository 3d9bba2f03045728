/* SNP evidence for the wire (contrast-interop section 2.1): a report with its
 * certificates. */
#ifndef ASSAY_COLLECT_SNP_ISSUE_H
#define ASSAY_COLLECT_SNP_ISSUE_H

#include "collect/collect.h"
#include "evidence/collateral.h"

/* Appends protobuf sevsnp.Attestation of a report to *evidence. May block on
 * the collateral, which may be NULL. */
ASSAY_MUST_CHECK
enum assay_status snp_issue_encode(const struct collected *got,
                                   const struct collateral_source *collateral,
                                   struct buffer *evidence,
                                   struct assay_error *err);

#endif
