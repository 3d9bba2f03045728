#include "evidence/tdx_quote.h"

#include <string.h>

#include "base/reader.h"

enum {
    V5_DESCRIPTOR_SIZE = 6,
    KEY_TYPE_P256 = 2, /* ECDSA-256-with-P-256 */
};

/* 939a7233-f79c-4ca9-940a-0db3957f0607, as it stands in the header. */
const uint8_t quote_vendor_intel[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c,
                                         0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3,
                                         0x95, 0x7f, 0x06, 0x07 };

const char *
quote_tee_name(enum quote_tee tee)
{
    return tee == QUOTE_TEE_TDX ? "TDX" : "SGX";
}

/* --- header -------------------------------------------------------------- */

static enum assay_status
check_header(const struct tdx_quote *q, uint32_t tee, struct assay_error *err)
{
    if (q->version < 3 || q->version > 5)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "quote: version %u, know 3 to 5", q->version);
    if (q->attestation_key_type != KEY_TYPE_P256)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "quote: attestation key type %u, know 2 (ECDSA "
                          "P-256)",
                          q->attestation_key_type);
    if (tee != QUOTE_TEE_SGX && (tee != QUOTE_TEE_TDX || q->version == 3))
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "quote: TEE type 0x%x in version %u", tee,
                          q->version);
    if (memcmp(q->qe_vendor_id, quote_vendor_intel,
               sizeof(quote_vendor_intel)) != 0)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "quote: the vendor of the quoting enclave is not "
                          "Intel");
    return ASSAY_OK;
}

static enum assay_status
read_header(struct reader *rd, struct tdx_quote *q, struct assay_error *err)
{
    uint32_t tee;

    q->version = rd_u16le(rd);
    q->attestation_key_type = rd_u16le(rd);
    tee = rd_u32le(rd);
    rd_copy(rd, q->qe_svn, sizeof(q->qe_svn));
    rd_copy(rd, q->pce_svn, sizeof(q->pce_svn));
    rd_copy(rd, q->qe_vendor_id, sizeof(q->qe_vendor_id));
    rd_copy(rd, q->user_data, sizeof(q->user_data));
    if (!rd_ok(rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: got %zu bytes, want a header of %d",
                          rd->offset, QUOTE_HEADER_SIZE);
    q->tee = tee == QUOTE_TEE_TDX ? QUOTE_TEE_TDX : QUOTE_TEE_SGX;
    return check_header(q, tee, err);
}

/* --- bodies -------------------------------------------------------------- */

static void
read_sgx_report(struct reader *rd, struct sgx_report *r)
{
    rd_copy(rd, r->cpu_svn, sizeof(r->cpu_svn));
    r->misc_select = rd_u32le(rd);
    rd_copy(rd, r->reserved1, sizeof(r->reserved1));
    rd_copy(rd, r->attributes, sizeof(r->attributes));
    rd_copy(rd, r->mr_enclave, sizeof(r->mr_enclave));
    rd_copy(rd, r->reserved2, sizeof(r->reserved2));
    rd_copy(rd, r->mr_signer, sizeof(r->mr_signer));
    rd_copy(rd, r->reserved3, sizeof(r->reserved3));
    r->isv_prod_id = rd_u16le(rd);
    r->isv_svn = rd_u16le(rd);
    rd_copy(rd, r->reserved4, sizeof(r->reserved4));
    rd_copy(rd, r->report_data, sizeof(r->report_data));
}

static void
read_td_report(struct reader *rd, enum quote_body body, struct td_report *t)
{
    rd_copy(rd, t->tee_tcb_svn, sizeof(t->tee_tcb_svn));
    rd_copy(rd, t->mr_seam, sizeof(t->mr_seam));
    rd_copy(rd, t->mr_signer_seam, sizeof(t->mr_signer_seam));
    rd_copy(rd, t->seam_attributes, sizeof(t->seam_attributes));
    rd_copy(rd, t->td_attributes, sizeof(t->td_attributes));
    rd_copy(rd, t->xfam, sizeof(t->xfam));
    rd_copy(rd, t->mr_td, sizeof(t->mr_td));
    rd_copy(rd, t->mr_config_id, sizeof(t->mr_config_id));
    rd_copy(rd, t->mr_owner, sizeof(t->mr_owner));
    rd_copy(rd, t->mr_owner_config, sizeof(t->mr_owner_config));
    for (size_t i = 0; i < TDX_RTMRS; i++)
        rd_copy(rd, t->rtmr[i], sizeof(t->rtmr[i]));
    rd_copy(rd, t->report_data, sizeof(t->report_data));
    if (body != QUOTE_BODY_TD_15)
        return;
    rd_copy(rd, t->tee_tcb_svn2, sizeof(t->tee_tcb_svn2));
    rd_copy(rd, t->mr_service_td, sizeof(t->mr_service_td));
}

static uint32_t
body_size(enum quote_body body)
{
    switch (body) {
    case QUOTE_BODY_SGX:
        return SGX_REPORT_SIZE;
    case QUOTE_BODY_TD_10:
        return TD_REPORT_10_SIZE;
    case QUOTE_BODY_TD_15:
        break;
    }
    return TD_REPORT_15_SIZE;
}

/* Version 5 says what its body is; it must be a body of its TEE. */
static enum assay_status
read_descriptor(struct reader *rd, struct tdx_quote *q, struct assay_error *err)
{
    uint16_t type = rd_u16le(rd);
    uint32_t size = rd_u32le(rd);

    if (!rd_ok(rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: the body descriptor is cut short");
    if (type < QUOTE_BODY_SGX || type > QUOTE_BODY_TD_15)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "quote: body type %u, know 1 to 3", type);
    q->body = (enum quote_body)type;
    if (size != body_size(q->body))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: body type %u of %u bytes, want %u", type,
                          size, body_size(q->body));
    if ((q->tee == QUOTE_TEE_SGX) != (q->body == QUOTE_BODY_SGX))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: body type %u in a quote of %s", type,
                          quote_tee_name(q->tee));
    return ASSAY_OK;
}

static enum assay_status
read_body(struct reader *rd, struct span raw, struct tdx_quote *q,
          struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    q->body = q->tee == QUOTE_TEE_SGX ? QUOTE_BODY_SGX : QUOTE_BODY_TD_10;
    if (q->version == 5)
        st = read_descriptor(rd, q, err);
    if (st != ASSAY_OK)
        return st;
    if (q->body == QUOTE_BODY_SGX)
        read_sgx_report(rd, &q->enclave);
    else
        read_td_report(rd, q->body, &q->td);
    if (!rd_ok(rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: got %zu bytes, the body is cut short",
                          raw.len);
    q->signed_part = span_sub(raw, 0, rd->offset);
    return ASSAY_OK;
}

/* --- signature data ------------------------------------------------------ */

/* The QE report and what follows it, the same in all versions: the block must
 * be used up exactly. */
static enum assay_status
read_certification(struct reader *rd, struct tdx_quote *q,
                   struct assay_error *err)
{
    struct reader report;
    uint16_t type;

    q->qe_report_raw = rd_span(rd, SGX_REPORT_SIZE);
    rd_copy(rd, q->qe_report_signature, sizeof(q->qe_report_signature));
    q->qe_auth_data = rd_span(rd, rd_u16le(rd));
    type = rd_u16le(rd);
    q->cert_data = rd_span(rd, rd_u32le(rd));
    if (!rd_ok(rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: a length in the certification data runs past "
                          "its end");
    if (rd->rest.len > 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: %zu bytes left over behind the certification "
                          "data",
                          rd->rest.len);
    if (type < QUOTE_CERT_PPID || type > QUOTE_CERT_PCK_CHAIN)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "quote: certification data type %u, know 1 to 5",
                          type);
    q->cert_type = (enum quote_cert_data)type;
    report = reader_over(q->qe_report_raw);
    read_sgx_report(&report, &q->qe_report);
    return ASSAY_OK;
}

/* Versions 4 and 5 wrap it in certification data of type 6. */
static enum assay_status
read_outer_block(struct reader *rd, struct tdx_quote *q,
                 struct assay_error *err)
{
    uint16_t type = rd_u16le(rd);
    struct span block = rd_span(rd, rd_u32le(rd));
    struct reader inner = reader_over(block);

    if (!rd_ok(rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: the length of the certification data runs "
                          "past the end");
    if (type != QUOTE_CERT_QE_REPORT)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "quote: outer certification data of type %u, want 6",
                          type);
    if (rd->rest.len > 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: %zu bytes left over in the signature data",
                          rd->rest.len);
    return read_certification(&inner, q, err);
}

static enum assay_status
read_signature_data(struct span data, struct tdx_quote *q,
                    struct assay_error *err)
{
    struct reader rd = reader_over(data);

    rd_copy(&rd, q->signature, sizeof(q->signature));
    rd_copy(&rd, q->attestation_key, sizeof(q->attestation_key));
    if (!rd_ok(&rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: %zu bytes of signature data hold no "
                          "signature",
                          data.len);
    if (q->version == 3)
        return read_certification(&rd, q, err);
    return read_outer_block(&rd, q, err);
}

enum assay_status
tdx_quote_decode(struct span raw, struct tdx_quote *out,
                 struct assay_error *err)
{
    struct reader rd = reader_over(raw);
    struct tdx_quote q = { 0 };
    struct span data;
    enum assay_status st = read_header(&rd, &q, err);

    if (st == ASSAY_OK)
        st = read_body(&rd, raw, &q, err);
    if (st != ASSAY_OK)
        return st;
    q.signed_data_size = rd_u32le(&rd);
    data = rd_span(&rd, q.signed_data_size);
    if (!rd_ok(&rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "quote: %u bytes of signature data declared, got %zu",
                          q.signed_data_size, raw.len - q.signed_part.len);
    st = read_signature_data(data, &q, err);
    q.trailing = rd.rest;
    if (st == ASSAY_OK)
        *out = q;
    return st;
}
