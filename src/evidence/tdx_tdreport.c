#include "evidence/tdx_tdreport.h"

#include <string.h>

#include "base/reader.h"
#include "crypto/digest.h"

enum {
    TYPE_TDX = 0x81,
    TCB_INFO_AT = 256,
    TCB_INFO_SIZE = 239,
    INFO_AT = 512,
    INFO_SIZE = 512,
};

/* TEE_TCB_INFO */
static void
read_tcb_info(struct reader *rd, struct td_report *t)
{
    rd_skip_to(rd, TCB_INFO_AT + 8); /* VALID */
    rd_copy(rd, t->tee_tcb_svn, sizeof(t->tee_tcb_svn));
    rd_copy(rd, t->mr_seam, sizeof(t->mr_seam));
    rd_copy(rd, t->mr_signer_seam, sizeof(t->mr_signer_seam));
    rd_copy(rd, t->seam_attributes, sizeof(t->seam_attributes));
    rd_copy(rd, t->tee_tcb_svn2, sizeof(t->tee_tcb_svn2));
}

/* TDINFO_STRUCT */
static void
read_info(struct reader *rd, struct td_report *t)
{
    rd_skip_to(rd, INFO_AT);
    rd_copy(rd, t->td_attributes, sizeof(t->td_attributes));
    rd_copy(rd, t->xfam, sizeof(t->xfam));
    rd_copy(rd, t->mr_td, sizeof(t->mr_td));
    rd_copy(rd, t->mr_config_id, sizeof(t->mr_config_id));
    rd_copy(rd, t->mr_owner, sizeof(t->mr_owner));
    rd_copy(rd, t->mr_owner_config, sizeof(t->mr_owner_config));
    for (size_t i = 0; i < TDX_RTMRS; i++)
        rd_copy(rd, t->rtmr[i], sizeof(t->rtmr[i]));
    rd_copy(rd, t->mr_service_td, sizeof(t->mr_service_td));
}

static enum assay_status
check_digest(struct span part, const uint8_t want[48], bool *holds,
             struct assay_error *err)
{
    uint8_t digest[SHA384_SIZE];
    enum assay_status st = digest_sha384(part, digest, err);

    if (st == ASSAY_OK)
        *holds = memcmp(digest, want, sizeof(digest)) == 0;
    return st;
}

enum assay_status
tdreport_decode(struct span raw, struct tdreport *out, struct assay_error *err)
{
    struct reader rd = reader_over(raw);
    struct tdreport r = { 0 };
    uint8_t type;
    enum assay_status st;

    if (raw.len != TDREPORT_SIZE)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "TDREPORT: got %zu bytes, want %d", raw.len,
                          TDREPORT_SIZE);
    type = rd_u8(&rd);
    if (type != TYPE_TDX)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "TDREPORT: type 0x%x, want 0x%x", type, TYPE_TDX);
    (void)rd_u8(&rd); /* subtype */
    r.version = rd_u8(&rd);
    rd_skip_to(&rd, 16);
    rd_copy(&rd, r.cpu_svn, sizeof(r.cpu_svn));
    rd_copy(&rd, r.tee_tcb_info_hash, sizeof(r.tee_tcb_info_hash));
    rd_copy(&rd, r.tee_info_hash, sizeof(r.tee_info_hash));
    rd_copy(&rd, r.td.report_data, sizeof(r.td.report_data));
    rd_skip_to(&rd, 224);
    rd_copy(&rd, r.mac, sizeof(r.mac));
    read_tcb_info(&rd, &r.td);
    read_info(&rd, &r.td);
    st = check_digest(span_sub(raw, TCB_INFO_AT, TCB_INFO_SIZE),
                      r.tee_tcb_info_hash, &r.tee_tcb_info_holds, err);
    if (st == ASSAY_OK)
        st = check_digest(span_sub(raw, INFO_AT, INFO_SIZE), r.tee_info_hash,
                          &r.tee_info_holds, err);
    if (st == ASSAY_OK)
        *out = r;
    return st;
}
