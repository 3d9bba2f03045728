/* SNP evidence of this guest, ready for the wire (contrast-interop section
 * 2.1): the report with what is needed to verify it, as far as that can be had
 * quickly. A verifier fetches what is missing itself, so nothing here but the
 * report is needed for success. */
#ifndef ASSAY_COLLECT_SNP_ISSUE_H
#define ASSAY_COLLECT_SNP_ISSUE_H

#include "collect/collect.h"
#include "evidence/collateral.h"

struct snp_issue_config {
    struct collect_config collect;
    uint32_t vmpl; /* or COLLECT_VMPL_DEFAULT */
    /* Where the chain and the CRL come from when the host gave none; NULL:
     * only the host. It is the caller's to give it a short deadline. */
    const struct collateral_source *collateral;
};

/* Appends protobuf sevsnp.Attestation over report_data to *evidence. Blocks.
 * ASSAY_ERR_UNSUPPORTED when this is no SNP guest; else as collect_report. */
ASSAY_MUST_CHECK
enum assay_status
collect_snp_evidence(const struct snp_issue_config *cfg,
                     const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
                     struct buffer *evidence, struct assay_error *err);

/* The same from a report already there. */
ASSAY_MUST_CHECK
enum assay_status snp_issue_encode(const struct collected *got,
                                   const struct collateral_source *collateral,
                                   struct buffer *evidence,
                                   struct assay_error *err);

#endif
