/* Quotes for simulators and tests. */
#include "base/writer.h"
#include "evidence/tdx_quote.h"

#define ADD(out, field) buffer_add(out, span_of(field, sizeof(field)))

static void
add_u16(struct buffer *out, uint16_t value)
{
    uint8_t bytes[2];
    struct writer wr = writer_over(bytes, sizeof(bytes));

    wr_u16le(&wr, value);
    buffer_add(out, wr_written(&wr));
}

static void
add_u32(struct buffer *out, size_t value)
{
    uint8_t bytes[4];
    struct writer wr = writer_over(bytes, sizeof(bytes));

    wr_u32le(&wr, (uint32_t)value);
    buffer_add(out, wr_written(&wr));
}

void
sgx_report_encode(const struct sgx_report *r, struct buffer *out)
{
    ADD(out, r->cpu_svn);
    add_u32(out, r->misc_select);
    ADD(out, r->reserved1);
    ADD(out, r->attributes);
    ADD(out, r->mr_enclave);
    ADD(out, r->reserved2);
    ADD(out, r->mr_signer);
    ADD(out, r->reserved3);
    add_u16(out, r->isv_prod_id);
    add_u16(out, r->isv_svn);
    ADD(out, r->reserved4);
    ADD(out, r->report_data);
}

static void
td_report_encode(const struct td_report *t, enum quote_body body,
                 struct buffer *out)
{
    ADD(out, t->tee_tcb_svn);
    ADD(out, t->mr_seam);
    ADD(out, t->mr_signer_seam);
    ADD(out, t->seam_attributes);
    ADD(out, t->td_attributes);
    ADD(out, t->xfam);
    ADD(out, t->mr_td);
    ADD(out, t->mr_config_id);
    ADD(out, t->mr_owner);
    ADD(out, t->mr_owner_config);
    for (size_t i = 0; i < TDX_RTMRS; i++)
        ADD(out, t->rtmr[i]);
    ADD(out, t->report_data);
    if (body != QUOTE_BODY_TD_15)
        return;
    ADD(out, t->tee_tcb_svn2);
    ADD(out, t->mr_service_td);
}

void
tdx_quote_encode_signed_part(const struct tdx_quote *q, struct buffer *out)
{
    static const uint16_t sizes[] = { [QUOTE_BODY_SGX] = SGX_REPORT_SIZE,
                                      [QUOTE_BODY_TD_10] = TD_REPORT_10_SIZE,
                                      [QUOTE_BODY_TD_15] = TD_REPORT_15_SIZE };

    add_u16(out, q->version);
    add_u16(out, q->attestation_key_type);
    add_u32(out, q->tee);
    ADD(out, q->qe_svn);
    ADD(out, q->pce_svn);
    ADD(out, q->qe_vendor_id);
    ADD(out, q->user_data);
    if (q->version == 5) {
        add_u16(out, (uint16_t)q->body);
        add_u32(out, sizes[q->body]);
    }
    if (q->body == QUOTE_BODY_SGX)
        sgx_report_encode(&q->enclave, out);
    else
        td_report_encode(&q->td, q->body, out);
}

static size_t
certification_size(const struct tdx_quote *q)
{
    return SGX_REPORT_SIZE + QUOTE_SIGNATURE_SIZE + 2 + q->qe_auth_data.len +
           2 + 4 + q->cert_data.len;
}

void
tdx_quote_encode(const struct tdx_quote *q, struct buffer *out)
{
    size_t inner = certification_size(q);
    size_t outer = q->version == 3 ? 0 : 2 + 4;

    tdx_quote_encode_signed_part(q, out);
    add_u32(out, QUOTE_SIGNATURE_SIZE + QUOTE_KEY_SIZE + outer + inner);
    ADD(out, q->signature);
    ADD(out, q->attestation_key);
    if (outer > 0) {
        add_u16(out, QUOTE_CERT_QE_REPORT);
        add_u32(out, inner);
    }
    sgx_report_encode(&q->qe_report, out);
    ADD(out, q->qe_report_signature);
    add_u16(out, (uint16_t)q->qe_auth_data.len);
    buffer_add(out, q->qe_auth_data);
    add_u16(out, (uint16_t)q->cert_type);
    add_u32(out, q->cert_data.len);
    buffer_add(out, q->cert_data);
}
