#include "atls/issuer.h"

static enum assay_status
issue_snp(void *ctx, const uint8_t report_data[ATLS_REPORT_DATA_SIZE],
          struct buffer *evidence, struct assay_error *err)
{
    return collect_snp_evidence(ctx, report_data, evidence, err);
}

void
atls_snp_issuer_init(struct atls_issuer *issuer,
                     struct snp_issue_config *config)
{
    *issuer = (struct atls_issuer){ EVIDENCE_OID_SNP, issue_snp, config };
}
