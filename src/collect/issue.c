#include "collect/issue.h"

#include <string.h>

#include "collect/snp_issue.h"
#include "evidence/tdx_proto.h"

static enum evidence_oid
oid_of(const char *provider)
{
    if (strcmp(provider, "sev_guest") == 0)
        return EVIDENCE_OID_SNP;
    if (strcmp(provider, "tdx_guest") == 0)
        return EVIDENCE_OID_TDX;
    return EVIDENCE_OID_NONE;
}

enum assay_status
issue_encode(const struct collected *got,
             const struct collateral_source *collateral, enum evidence_oid *oid,
             struct buffer *evidence, struct assay_error *err)
{
    enum evidence_oid kind = oid_of(got->provider);
    enum assay_status st;

    if (kind == EVIDENCE_OID_SNP)
        st = snp_issue_encode(got, collateral, evidence, err);
    else if (kind == EVIDENCE_OID_TDX)
        st = tdx_evidence_encode(got->outblob, evidence, err);
    else
        st = assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                        "evidence: the provider is %s, want sev_guest or "
                        "tdx_guest",
                        got->provider);
    if (st == ASSAY_OK)
        *oid = kind;
    return st;
}

enum assay_status
issue_evidence(const struct issue_config *cfg,
               const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
               enum evidence_oid *oid, struct buffer *evidence,
               struct assay_error *err)
{
    struct collected got;
    struct arena arena;
    enum assay_status st;

    arena_init(&arena, 3 * LIMIT_TSM_BLOB_BYTES, NULL);
    st = collect_report(&cfg->collect, report_data, cfg->vmpl, &arena, &got,
                        err);
    if (st == ASSAY_OK)
        st = issue_encode(&got, cfg->collateral, oid, evidence, err);
    arena_drop(&arena);
    return st;
}
