#include "evidence/tdx_proto.h"

#include <string.h>

#include "tdx.pb-c.h"

#include "base/limits.h"
#include "codec/wire.h"

/* --- message to quote ---------------------------------------------------- */

struct field {
    const char *name;
    ProtobufCBinaryData from;
    uint8_t *to;
    size_t len;
};

#define FIELD(m, name, to)                                                     \
    {                                                                          \
#name, (m)->name, (to), sizeof(to)                                     \
    }

static enum assay_status
copy_fields(const char *where, const struct field *fields, size_t count,
            struct assay_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];

        if (f->from.len != f->len)
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "tdx evidence: %s.%s: got %zu bytes, want %zu",
                              where, f->name, f->from.len, f->len);
        memcpy(f->to, f->from.data, f->len);
    }
    return ASSAY_OK;
}

static enum assay_status
want_number(const char *name, uint32_t got, size_t want,
            enum assay_status status, struct assay_error *err)
{
    if (got == want)
        return ASSAY_OK;
    return assay_fail(err, status, "tdx evidence: %s: got %u, want %zu", name,
                      got, want);
}

static enum assay_status
read_header(const Tdx__Header *m, struct tdx_quote *q, struct assay_error *err)
{
    const struct field fields[] = {
        FIELD(m, qe_svn, q->qe_svn),
        FIELD(m, pce_svn, q->pce_svn),
        FIELD(m, qe_vendor_id, q->qe_vendor_id),
        FIELD(m, user_data, q->user_data),
    };
    enum assay_status st = want_number("header.version", m->version, 4,
                                       ASSAY_ERR_UNSUPPORTED, err);

    if (st == ASSAY_OK)
        st = want_number("header.attestation_key_type", m->attestation_key_type,
                         2, ASSAY_ERR_UNSUPPORTED, err);
    if (st == ASSAY_OK)
        st = want_number("header.tee_type", m->tee_type, QUOTE_TEE_TDX,
                         ASSAY_ERR_UNSUPPORTED, err);
    if (st != ASSAY_OK)
        return st;
    q->version = 4;
    q->attestation_key_type = 2;
    q->tee = QUOTE_TEE_TDX;
    q->body = QUOTE_BODY_TD_10;
    return copy_fields("header", fields, sizeof(fields) / sizeof(fields[0]),
                       err);
}

static enum assay_status
read_rtmrs(const Tdx__TDQuoteBody *m, struct td_report *t,
           struct assay_error *err)
{
    if (m->n_rtmrs != TDX_RTMRS)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "tdx evidence: td_quote_body.rtmrs: got %zu, want %d",
                          m->n_rtmrs, TDX_RTMRS);
    for (size_t i = 0; i < TDX_RTMRS; i++) {
        const struct field f = { "rtmrs", m->rtmrs[i], t->rtmr[i],
                                 TDX_MR_SIZE };
        enum assay_status st = copy_fields("td_quote_body", &f, 1, err);

        if (st != ASSAY_OK)
            return st;
    }
    return ASSAY_OK;
}

static enum assay_status
read_body(const Tdx__TDQuoteBody *m, struct td_report *t,
          struct assay_error *err)
{
    const struct field fields[] = {
        FIELD(m, tee_tcb_svn, t->tee_tcb_svn),
        FIELD(m, mr_seam, t->mr_seam),
        FIELD(m, mr_signer_seam, t->mr_signer_seam),
        FIELD(m, seam_attributes, t->seam_attributes),
        FIELD(m, td_attributes, t->td_attributes),
        FIELD(m, xfam, t->xfam),
        FIELD(m, mr_td, t->mr_td),
        FIELD(m, mr_config_id, t->mr_config_id),
        FIELD(m, mr_owner, t->mr_owner),
        FIELD(m, mr_owner_config, t->mr_owner_config),
        FIELD(m, report_data, t->report_data),
    };
    enum assay_status st = copy_fields("td_quote_body", fields,
                                       sizeof(fields) / sizeof(fields[0]), err);

    return st == ASSAY_OK ? read_rtmrs(m, t, err) : st;
}

static enum assay_status
read_enclave(const Tdx__EnclaveReport *m, struct sgx_report *r,
             struct assay_error *err)
{
    const struct field fields[] = {
        FIELD(m, cpu_svn, r->cpu_svn),
        FIELD(m, reserved1, r->reserved1),
        FIELD(m, attributes, r->attributes),
        FIELD(m, mr_enclave, r->mr_enclave),
        FIELD(m, reserved2, r->reserved2),
        FIELD(m, mr_signer, r->mr_signer),
        FIELD(m, reserved3, r->reserved3),
        FIELD(m, reserved4, r->reserved4),
        FIELD(m, report_data, r->report_data),
    };

    if (m->isv_prod_id > UINT16_MAX || m->isv_svn > UINT16_MAX)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "tdx evidence: qe_report: isv_prod_id %u, isv_svn "
                          "%u, want at most 65535",
                          m->isv_prod_id, m->isv_svn);
    r->misc_select = m->misc_select;
    r->isv_prod_id = (uint16_t)m->isv_prod_id;
    r->isv_svn = (uint16_t)m->isv_svn;
    return copy_fields("qe_report", fields, sizeof(fields) / sizeof(fields[0]),
                       err);
}

static enum assay_status
read_chain(const Tdx__PCKCertificateChainData *m, struct tdx_quote *q,
           struct assay_error *err)
{
    enum assay_status st =
        want_number("pck_certificate_chain_data type", m->certificate_data_type,
                    QUOTE_CERT_PCK_CHAIN, ASSAY_ERR_UNSUPPORTED, err);

    if (st == ASSAY_OK)
        st = want_number("pck_certificate_chain_data.size", m->size,
                         m->pck_cert_chain.len, ASSAY_ERR_MALFORMED, err);
    q->cert_type = QUOTE_CERT_PCK_CHAIN;
    q->cert_data = wire_span(m->pck_cert_chain);
    return st;
}

static enum assay_status
read_certification(const Tdx__QEReportCertificationData *m, struct tdx_quote *q,
                   struct assay_error *err)
{
    const struct field signature =
        FIELD(m, qe_report_signature, q->qe_report_signature);
    enum assay_status st;

    if (!m->qe_report || !m->qe_auth_data || !m->pck_certificate_chain_data)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "tdx evidence: qe_report_certification_data lacks a "
                          "part");
    st = copy_fields("qe_report_certification_data", &signature, 1, err);
    if (st == ASSAY_OK)
        st = read_enclave(m->qe_report, &q->qe_report, err);
    if (st == ASSAY_OK && m->qe_auth_data->data.len > UINT16_MAX)
        st = assay_fail(err, ASSAY_ERR_MALFORMED,
                        "tdx evidence: qe_auth_data: got %zu bytes",
                        m->qe_auth_data->data.len);
    if (st == ASSAY_OK)
        st = want_number("qe_auth_data.parsed_data_size",
                         m->qe_auth_data->parsed_data_size,
                         m->qe_auth_data->data.len, ASSAY_ERR_MALFORMED, err);
    q->qe_auth_data = wire_span(m->qe_auth_data->data);
    return st == ASSAY_OK ? read_chain(m->pck_certificate_chain_data, q, err)
                          : st;
}

static enum assay_status
read_signed_data(const Tdx__AuthData *m, struct tdx_quote *q,
                 struct assay_error *err)
{
    const struct field fields[] = {
        FIELD(m, signature, q->signature),
        FIELD(m, ecdsa_attestation_key, q->attestation_key),
    };
    const Tdx__CertificationData *c = m->certification_data;
    enum assay_status st = copy_fields("signed_data", fields, 2, err);

    if (st != ASSAY_OK)
        return st;
    if (!c || !c->qe_report_certification_data)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "tdx evidence: no certification data");
    st = want_number("certification_data type", c->certificate_data_type,
                     QUOTE_CERT_QE_REPORT, ASSAY_ERR_UNSUPPORTED, err);
    return st == ASSAY_OK
               ? read_certification(c->qe_report_certification_data, q, err)
               : st;
}

/* --- sizes --------------------------------------------------------------- */

/* What the quote says of its own parts, from its bytes. */
struct sizes {
    uint32_t signed_data;
    uint32_t certification;
};

static struct sizes
sizes_of(const struct tdx_quote *q)
{
    size_t inner = SGX_REPORT_SIZE + QUOTE_SIGNATURE_SIZE + 2 +
                   q->qe_auth_data.len + 2 + 4 + q->cert_data.len;

    return (struct sizes){
        .signed_data =
            (uint32_t)(QUOTE_SIGNATURE_SIZE + QUOTE_KEY_SIZE + 2 + 4 + inner),
        .certification = (uint32_t)inner,
    };
}

static enum assay_status
check_sizes(const Tdx__QuoteV4 *m, const struct tdx_quote *q,
            struct assay_error *err)
{
    struct sizes want = sizes_of(q);
    enum assay_status st =
        want_number("signed_data_size", m->signed_data_size, want.signed_data,
                    ASSAY_ERR_MALFORMED, err);

    if (st == ASSAY_OK)
        st = want_number("certification_data.size",
                         m->signed_data->certification_data->size,
                         want.certification, ASSAY_ERR_MALFORMED, err);
    return st;
}

static enum assay_status
quote_from_message(const Tdx__QuoteV4 *m, struct tdx_quote *q,
                   struct assay_error *err)
{
    enum assay_status st;

    if (!m->header || !m->td_quote_body || !m->signed_data)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "tdx evidence: no header, body or signed data");
    st = read_header(m->header, q, err);
    if (st == ASSAY_OK)
        st = read_body(m->td_quote_body, &q->td, err);
    if (st == ASSAY_OK)
        st = read_signed_data(m->signed_data, q, err);
    return st == ASSAY_OK ? check_sizes(m, q, err) : st;
}

enum assay_status
tdx_evidence_decode(struct span bytes, struct arena *arena, struct span *quote,
                    struct assay_error *err)
{
    struct tdx_quote q = { 0 };
    const Tdx__QuoteV4 *m;
    struct buffer raw;
    enum assay_status st;

    if (bytes.len > LIMIT_EVIDENCE_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "tdx evidence: got %zu bytes, want at most %d",
                          bytes.len, (int)LIMIT_EVIDENCE_BYTES);
    m = (const void *)wire_unpack(&tdx__quote_v4__descriptor, bytes, arena,
                                  err);
    if (!m)
        return assay_context(err, ASSAY_ERR_MALFORMED, "tdx evidence");
    st = quote_from_message(m, &q, err);
    if (st != ASSAY_OK)
        return st;
    buffer_init(&raw, LIMIT_EVIDENCE_BYTES, NULL);
    tdx_quote_encode(&q, &raw);
    st = buffer_check(&raw, "tdx evidence", err);
    if (st == ASSAY_OK && !arena_dup(arena, buffer_span(&raw), quote))
        st = assay_nomem(err, "tdx evidence");
    buffer_free(&raw);
    return st;
}

/* --- quote to message ---------------------------------------------------- */

#define BYTES(field) wire_bytes(span_of(field, sizeof(field)))

static void
fill_header(const struct tdx_quote *q, Tdx__Header *m)
{
    m->version = q->version;
    m->attestation_key_type = q->attestation_key_type;
    m->tee_type = q->tee;
    m->qe_svn = BYTES(q->qe_svn);
    m->pce_svn = BYTES(q->pce_svn);
    m->qe_vendor_id = BYTES(q->qe_vendor_id);
    m->user_data = BYTES(q->user_data);
}

static void
fill_body(const struct td_report *t, ProtobufCBinaryData rtmrs[TDX_RTMRS],
          Tdx__TDQuoteBody *m)
{
    m->tee_tcb_svn = BYTES(t->tee_tcb_svn);
    m->mr_seam = BYTES(t->mr_seam);
    m->mr_signer_seam = BYTES(t->mr_signer_seam);
    m->seam_attributes = BYTES(t->seam_attributes);
    m->td_attributes = BYTES(t->td_attributes);
    m->xfam = BYTES(t->xfam);
    m->mr_td = BYTES(t->mr_td);
    m->mr_config_id = BYTES(t->mr_config_id);
    m->mr_owner = BYTES(t->mr_owner);
    m->mr_owner_config = BYTES(t->mr_owner_config);
    for (size_t i = 0; i < TDX_RTMRS; i++)
        rtmrs[i] = BYTES(t->rtmr[i]);
    m->rtmrs = rtmrs;
    m->n_rtmrs = TDX_RTMRS;
    m->report_data = BYTES(t->report_data);
}

static void
fill_enclave(const struct sgx_report *r, Tdx__EnclaveReport *m)
{
    m->cpu_svn = BYTES(r->cpu_svn);
    m->misc_select = r->misc_select;
    m->reserved1 = BYTES(r->reserved1);
    m->attributes = BYTES(r->attributes);
    m->mr_enclave = BYTES(r->mr_enclave);
    m->reserved2 = BYTES(r->reserved2);
    m->mr_signer = BYTES(r->mr_signer);
    m->reserved3 = BYTES(r->reserved3);
    m->isv_prod_id = r->isv_prod_id;
    m->isv_svn = r->isv_svn;
    m->reserved4 = BYTES(r->reserved4);
    m->report_data = BYTES(r->report_data);
}

static enum assay_status
pack_quote(const struct tdx_quote *q, struct buffer *out,
           struct assay_error *err)
{
    Tdx__Header header = TDX__HEADER__INIT;
    Tdx__TDQuoteBody body = TDX__TDQUOTE_BODY__INIT;
    Tdx__EnclaveReport enclave = TDX__ENCLAVE_REPORT__INIT;
    Tdx__QeAuthData auth = TDX__QE_AUTH_DATA__INIT;
    Tdx__PCKCertificateChainData chain = TDX__PCKCERTIFICATE_CHAIN_DATA__INIT;
    Tdx__QEReportCertificationData report =
        TDX__QEREPORT_CERTIFICATION_DATA__INIT;
    Tdx__CertificationData certification = TDX__CERTIFICATION_DATA__INIT;
    Tdx__AuthData signed_data = TDX__AUTH_DATA__INIT;
    Tdx__QuoteV4 m = TDX__QUOTE_V4__INIT;
    ProtobufCBinaryData rtmrs[TDX_RTMRS];
    struct sizes sizes = sizes_of(q);

    fill_header(q, &header);
    fill_body(&q->td, rtmrs, &body);
    fill_enclave(&q->qe_report, &enclave);
    auth.parsed_data_size = (uint32_t)q->qe_auth_data.len;
    auth.data = wire_bytes(q->qe_auth_data);
    chain.certificate_data_type = (uint32_t)q->cert_type;
    chain.size = (uint32_t)q->cert_data.len;
    chain.pck_cert_chain = wire_bytes(q->cert_data);
    report.qe_report = &enclave;
    report.qe_report_signature = BYTES(q->qe_report_signature);
    report.qe_auth_data = &auth;
    report.pck_certificate_chain_data = &chain;
    certification.certificate_data_type = QUOTE_CERT_QE_REPORT;
    certification.size = sizes.certification;
    certification.qe_report_certification_data = &report;
    signed_data.signature = BYTES(q->signature);
    signed_data.ecdsa_attestation_key = BYTES(q->attestation_key);
    signed_data.certification_data = &certification;
    m.header = &header;
    m.td_quote_body = &body;
    m.signed_data_size = sizes.signed_data;
    m.signed_data = &signed_data;
    return wire_pack(&m.base, out, err);
}

enum assay_status
tdx_evidence_encode(struct span quote, struct buffer *out,
                    struct assay_error *err)
{
    struct tdx_quote q;
    enum assay_status st = tdx_quote_decode(quote, &q, err);

    if (st != ASSAY_OK)
        return st;
    if (q.version != 4 || q.tee != QUOTE_TEE_TDX ||
        q.cert_type != QUOTE_CERT_PCK_CHAIN)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "tdx evidence: %s quote of version %u with "
                          "certification data of type %d, want TDX, 4 and %d",
                          quote_tee_name(q.tee), q.version, q.cert_type,
                          QUOTE_CERT_PCK_CHAIN);
    return pack_quote(&q, out, err);
}
