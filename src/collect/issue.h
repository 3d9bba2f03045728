/* Evidence of this guest, ready for the wire (contrast-interop section 2): the
 * report with what is needed to verify it, as far as that can be had quickly.
 * A verifier fetches what is missing itself, so nothing here but the report is
 * needed for success. */
#ifndef ASSAY_COLLECT_ISSUE_H
#define ASSAY_COLLECT_ISSUE_H

#include "collect/collect.h"
#include "evidence/collateral.h"
#include "evidence/oid.h"

struct issue_config {
    struct collect_config collect;
    uint32_t vmpl; /* or COLLECT_VMPL_DEFAULT */
    /* Where an SNP report's chain and CRL come from when the host gave none;
     * NULL: only the host. It is the caller's to give it a short deadline. */
    const struct collateral_source *collateral;
};

/* Appends evidence over report_data to *evidence, of the kind that this guest
 * can give: SNP as sevsnp.Attestation, TDX as tdx.QuoteV4. Blocks.
 *
 *   oid  the kind; written only when ASSAY_OK is returned
 *
 * Statuses as collect_report; ASSAY_ERR_UNSUPPORTED for other providers. */
ASSAY_MUST_CHECK
enum assay_status
issue_evidence(const struct issue_config *cfg,
               const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
               enum evidence_oid *oid, struct buffer *evidence,
               struct assay_error *err);

/* The same from a report already there. */
ASSAY_MUST_CHECK
enum assay_status issue_encode(const struct collected *got,
                               const struct collateral_source *collateral,
                               enum evidence_oid *oid, struct buffer *evidence,
                               struct assay_error *err);

#endif
