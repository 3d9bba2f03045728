#include "atls/issuer.h"

static enum assay_status
issue(void *ctx, const uint8_t report_data[ATLS_REPORT_DATA_SIZE],
      enum evidence_oid *oid, struct buffer *evidence, struct assay_error *err)
{
    return issue_evidence(ctx, report_data, oid, evidence, err);
}

void
atls_vm_issuer_init(struct atls_issuer *issuer, struct issue_config *config)
{
    *issuer = (struct atls_issuer){ issue, config };
}
