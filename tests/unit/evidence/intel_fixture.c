#include "intel_fixture.h"

#include <stdio.h>

#include "base/limits.h"
#include "codec/pem.h"

#define YEAR (INT64_C(365) * 24 * 3600)
#define DAY (INT64_C(24) * 3600)

/* --- documents ----------------------------------------------------------- */

#define SVNS(first)                                                            \
    "[{\"svn\":" first ",\"category\":\"BIOS\"},{\"svn\":2},{\"svn\":2},"      \
    "{\"svn\":2},{\"svn\":3},{\"svn\":1},{\"svn\":0},{\"svn\":5},"             \
    "{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},"             \
    "{\"svn\":0},{\"svn\":0},{\"svn\":0}]"
#define TDX_SVNS                                                               \
    "[{\"svn\":5},{\"svn\":0},{\"svn\":7},{\"svn\":0},{\"svn\":0},"            \
    "{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},"             \
    "{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},"             \
    "{\"svn\":0}]"
#define ZEROS_48                                                               \
    "000000000000000000000000000000000000000000000000"                         \
    "000000000000000000000000000000000000000000000000"
#define MODULE                                                                 \
    "\"mrsigner\":\"" ZEROS_48 "\",\"attributes\":\"0000000000000000\","       \
    "\"attributesMask\":\"FFFFFFFFFFFFFFFF\""
#define HEAD(id)                                                               \
    "{\"id\":\"" id "\",\"version\":3,"                                        \
    "\"issueDate\":\"2026-05-20T00:00:00Z\","                                  \
    "\"nextUpdate\":\"2026-06-19T00:00:00Z\",\"fmspc\":\"00806F050000\","      \
    "\"pceId\":\"0000\",\"tcbType\":0,\"tcbEvaluationDataNumber\":20,"
#define LEVEL(first, tdx, pce, date, status, more)                             \
    "{\"tcb\":{\"sgxtcbcomponents\":" SVNS(first) ",\"pcesvn\":" pce tdx       \
                                                  "},\"tcbDate\":\"" date      \
                                                  "\",\"tcbStatus\":\"" status \
                                                  "\"" more "}"
#define TDX_PART ",\"tdxtcbcomponents\":" TDX_SVNS

const char *
intel_tcb_info_body(bool is_tdx)
{
    if (!is_tdx)
        return HEAD("SGX") "\"tcbLevels\":[" LEVEL(
            "8", "", "13", "2025-05-14T00:00:00Z", "UpToDate",
            "") "," LEVEL("6", "", "13", "2024-03-13T00:00:00Z", "OutOfDate",
                          ",\"advisoryIDs\":[\"INTEL-SA-00837\"]") "]}";
    return HEAD(
        "TDX") "\"tdxModule\":{" MODULE "},"
               "\"tdxModuleIdentities\":[{\"id\":\"TDX_01\"," MODULE
               ",\"tcbLevels\":["
               "{\"tcb\":{\"isvsvn\":6},\"tcbDate\":\"2025-05-14T00:00:00Z\","
               "\"tcbStatus\":\"UpToDate\"},"
               "{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2024-03-13T00:00:00Z\","
               "\"tcbStatus\":\"OutOfDate\","
               "\"advisoryIDs\":[\"INTEL-SA-01036\"]}]}],\"tcbLevels\":[" LEVEL(
                   "8", TDX_PART, "13", "2025-05-14T00:00:00Z", "UpToDate",
                   "") "," LEVEL("6", TDX_PART, "13", "2024-03-13T00:00:00Z",
                                 "OutOfDate",
                                 ",\"advisoryIDs\":[\"INTEL-SA-00837\",\"INTEL-"
                                 "SA-00960\"]") "]}";
}

#define IDENTITY(id, prod)                                                     \
    "{\"id\":\"" id "\",\"version\":2,"                                        \
    "\"issueDate\":\"2026-05-20T00:00:00Z\","                                  \
    "\"nextUpdate\":\"2026-06-19T00:00:00Z\","                                 \
    "\"tcbEvaluationDataNumber\":20,\"miscselect\":\"00000000\","              \
    "\"miscselectMask\":\"FFFFFFFF\","                                         \
    "\"attributes\":\"11000000000000000000000000000000\","                     \
    "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","                 \
    "\"mrsigner\":\"DC9E2A7C6F948F17474E34A7FC43ED03"                          \
    "0F7C1563F1BABDDF6340C82E0E54A8C5\",\"isvprodid\":" prod ","               \
    "\"tcbLevels\":[{\"tcb\":{\"isvsvn\":4},"                                  \
    "\"tcbDate\":\"2025-05-14T00:00:00Z\",\"tcbStatus\":\"UpToDate\"},"        \
    "{\"tcb\":{\"isvsvn\":2},\"tcbDate\":\"2024-03-13T00:00:00Z\","            \
    "\"tcbStatus\":\"OutOfDate\"}]}"

const char *
intel_qe_identity_body(bool is_tdx)
{
    return is_tdx ? IDENTITY("TD_QE", "2") : IDENTITY("QE", "1");
}

char *
intel_replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    size_t head, size = strlen(text) + strlen(to) + 1;
    char *out = malloc(size);

    assert_non_null(at);
    assert_non_null(out);
    head = (size_t)(at - text);
    snprintf(out, size, "%.*s%s%s", (int)head, text, to, at + strlen(from));
    return out;
}

void
intel_document(const char *name, const char *body, const struct key *key,
               struct buffer *out)
{
    struct assay_error err = { 0 };
    uint8_t signature[64];

    assert_ok(key_sign_p256_raw(key, span_str(body), signature, &err), &err);
    buffer_init(out, LIMIT_SGX_DOCUMENT_BYTES, NULL);
    buffer_addf(out, "{\"%s\":", name);
    buffer_add_str(out, body);
    buffer_add_str(out, ",\"signature\":\"");
    buffer_add_hex(out, span_of(signature, sizeof(signature)));
    buffer_add_str(out, "\"}");
}

/* --- certificates -------------------------------------------------------- */

static void
name_of(const char *cn, struct buffer *der)
{
    const struct x509_attribute attributes[] = {
        { "2.5.4.3", DER_UTF8_STRING, cn },
        { "2.5.4.10", DER_UTF8_STRING, "Intel Corporation" },
        { "2.5.4.7", DER_UTF8_STRING, "Santa Clara" },
        { "2.5.4.8", DER_UTF8_STRING, "CA" },
        { "2.5.4.6", DER_PRINTABLE_STRING, "US" },
    };
    struct assay_error err = { 0 };

    buffer_init(der, 1024, NULL);
    assert_ok(x509_name_encode(attributes, COUNT(attributes), der, &err), &err);
}

static void
make_cert(struct intel_machine *m, const struct intel_cert_spec *s,
          struct buffer *der)
{
    const unsigned ca = KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN;
    struct buffer subject, issuer;
    struct assay_error err = { 0 };
    struct x509_extensions x;
    struct arena arena;

    arena_init(&arena, 1 << 20, NULL);
    x509_extensions_init(&x, &arena);
    x509_add_basic_constraints(&x, s->is_ca,
                               !s->is_ca              ? -1
                               : s->key == INTEL_ROOT ? 1
                                                      : 0);
    if (!s->no_key_usage)
        x509_add_key_usage(&x, s->is_ca ? ca : KEY_USAGE_DIGITAL_SIGNATURE);
    if (s->unknown_critical)
        x509_add_raw(&x, "1.2.3.4", true, span_of("\x05\x00", 2));
    if (s->sgx_extension.len > 0)
        x509_add_raw(&x, OID_SGX, false, s->sgx_extension);
    name_of(s->cn, &subject);
    name_of(s->issuer_cn, &issuer);
    buffer_init(der, LIMIT_CERT_BYTES, NULL);
    assert_ok(
        cert_build(
            &(struct cert_spec){
                .subject = buffer_span(&subject),
                .issuer = buffer_span(&issuer),
                .serial = span_of(&s->serial, 1),
                .not_before = s->not_before ? s->not_before : INTEL_NOW - YEAR,
                .not_after = s->not_after ? s->not_after : INTEL_NOW + 7 * YEAR,
                .key = m->keys[s->key],
                .signer = m->keys[s->signer],
                .extensions = &x },
            der, &err),
        &err);
    buffer_free(&subject);
    buffer_free(&issuer);
    arena_drop(&arena);
}

static void
make_crl(struct intel_machine *m, const char *issuer_cn, enum intel_key signer,
         uint8_t revoked, struct buffer *der)
{
    const struct crl_entry entry = { span_of(&revoked, 1), INTEL_NOW - DAY };
    struct assay_error err = { 0 };
    struct x509_extensions x;
    struct buffer issuer;
    struct arena arena;

    arena_init(&arena, 1 << 16, NULL);
    x509_extensions_init(&x, &arena);
    x509_add_crl_number(&x, 1);
    name_of(issuer_cn, &issuer);
    buffer_init(der, LIMIT_CRL_BYTES, NULL);
    assert_ok(crl_build(&(struct crl_spec){ .issuer = buffer_span(&issuer),
                                            .this_update = INTEL_NOW - DAY,
                                            .next_update = m->crl_next_update,
                                            .entries = &entry,
                                            .entry_count = revoked != 0,
                                            .signer = m->keys[signer],
                                            .extensions = &x },
                        der, &err),
              &err);
    buffer_free(&issuer);
    arena_drop(&arena);
}

static void
add_pem(struct buffer *pem, const struct buffer *der)
{
    struct assay_error err = { 0 };

    assert_ok(pem_encode("CERTIFICATE", buffer_span(der), pem, &err), &err);
}

static void
make_pki(struct intel_machine *m)
{
    struct buffer extension;

    buffer_init(&extension, 4096, NULL);
    if (m->leaf_spec.sgx_extension.len == 0) {
        sgx_pck_encode(&m->pck, &extension);
        m->leaf_spec.sgx_extension = buffer_span(&extension);
    }
    make_cert(m, &m->root_spec, &m->root);
    make_cert(m, &m->ca_spec, &m->ca);
    make_cert(m, &m->leaf_spec, &m->leaf);
    make_cert(m, &m->signer_spec, &m->signer);
    if (extension.len > 0)
        m->leaf_spec.sgx_extension = span_of(NULL, 0);
    buffer_free(&extension);
    make_crl(m, m->root_spec.cn, INTEL_ROOT, m->revoked_by_root, &m->root_crl);
    make_crl(m, m->ca_spec.cn, INTEL_CA, m->revoked_by_ca, &m->pck_crl);
    buffer_init(&m->chain, 1 << 16, NULL);
    add_pem(&m->chain, &m->leaf);
    add_pem(&m->chain, &m->ca);
    add_pem(&m->chain, &m->root);
    buffer_init(&m->signer_chain, 1 << 16, NULL);
    add_pem(&m->signer_chain, &m->signer);
    add_pem(&m->signer_chain, &m->root);
    buffer_init(&m->ca_chain, 1 << 16, NULL);
    add_pem(&m->ca_chain, &m->ca);
    add_pem(&m->ca_chain, &m->root);
}

/* --- the quote ----------------------------------------------------------- */

static void
sign_quote(struct intel_machine *m)
{
    static const uint8_t auth[32] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    struct tdx_quote *q = &m->quote;
    struct assay_error err = { 0 };
    struct buffer part;

    q->qe_auth_data = span_of(auth, sizeof(auth));
    q->cert_data = buffer_span(&m->chain);
    assert_ok(
        key_point_p256(m->keys[INTEL_ATTESTATION], q->attestation_key, &err),
        &err);
    if (!m->keep_qe_report) {
        const struct span parts[] = { span_of(q->attestation_key, 64),
                                      q->qe_auth_data };

        memset(q->qe_report.report_data, 0, 64);
        assert_ok(digest_compute(DIGEST_SHA256, parts, 2,
                                 q->qe_report.report_data, &err),
                  &err);
    }
    buffer_init(&part, 4096, NULL);
    sgx_report_encode(&q->qe_report, &part);
    assert_ok(key_sign_p256_raw(m->keys[INTEL_LEAF], buffer_span(&part),
                                q->qe_report_signature, &err),
              &err);
    buffer_clear(&part);
    tdx_quote_encode_signed_part(q, &part);
    assert_ok(key_sign_p256_raw(m->keys[INTEL_ATTESTATION], buffer_span(&part),
                                q->signature, &err),
              &err);
    buffer_free(&part);
    buffer_init(&m->raw, LIMIT_EVIDENCE_BYTES, NULL);
    tdx_quote_encode(q, &m->raw);
}

/* --- all of it ----------------------------------------------------------- */

static void
free_made(struct intel_machine *m)
{
    struct buffer *all[] = { &m->root,     &m->ca,          &m->leaf,
                             &m->signer,   &m->chain,       &m->signer_chain,
                             &m->ca_chain, &m->root_crl,    &m->pck_crl,
                             &m->tcb_info, &m->qe_identity, &m->raw };

    for (size_t i = 0; i < COUNT(all); i++)
        buffer_free(all[i]);
    trust_anchors_wipe(&m->anchors);
}

static void
make(struct intel_machine *m)
{
    bool is_tdx = m->quote.tee == QUOTE_TEE_TDX;
    struct assay_error err = { 0 };

    make_pki(m);
    sign_quote(m);
    intel_document("tcbInfo",
                   m->tcb_info_body ? m->tcb_info_body
                                    : intel_tcb_info_body(is_tdx),
                   m->keys[INTEL_SIGNER], &m->tcb_info);
    intel_document("enclaveIdentity",
                   m->qe_identity_body ? m->qe_identity_body
                                       : intel_qe_identity_body(is_tdx),
                   m->keys[INTEL_SIGNER], &m->qe_identity);
    assert_ok(trust_anchors_add(&m->anchors, buffer_span(&m->root), &err),
              &err);
    m->collateral = (struct tdx_collateral){
        .tcb_info = buffer_span(&m->tcb_info),
        .tcb_info_issuer_chain = buffer_span(&m->signer_chain),
        .qe_identity = buffer_span(&m->qe_identity),
        .qe_identity_issuer_chain = buffer_span(&m->signer_chain),
        .root_ca_crl = buffer_span(&m->root_crl),
        .pck_crl = buffer_span(&m->pck_crl),
        .pck_crl_issuer_chain = buffer_span(&m->ca_chain),
    };
}

static void
init_platform(struct intel_machine *m)
{
    static const uint8_t svns[SGX_COMPONENTS] = { 8, 2, 2, 2, 3, 1, 0, 5 };
    static const uint8_t fmspc[] = { 0x00, 0x80, 0x6f, 0x05, 0x00, 0x00 };
    struct sgx_pck *p = &m->pck;

    memcpy(p->comp_svn, svns, sizeof(svns));
    memcpy(p->fmspc, fmspc, sizeof(fmspc));
    p->pce_svn = 13;
    p->sgx_type = SGX_SCALABLE;
    p->has_platform_instance_id = p->has_configuration = true;
    memset(p->platform_instance_id, 0x11, sizeof(p->platform_instance_id));
    p->dynamic_platform = p->smt_enabled = true;
}

static void
init_quote(struct intel_machine *m, uint16_t version)
{
    static const uint8_t mr_signer[32] = {
        0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34,
        0xa7, 0xfc, 0x43, 0xed, 0x03, 0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba,
        0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5
    };
    struct tdx_quote *q = &m->quote;

    q->version = version;
    q->attestation_key_type = 2;
    q->tee = version == 3 ? QUOTE_TEE_SGX : QUOTE_TEE_TDX;
    q->body = version == 3   ? QUOTE_BODY_SGX
              : version == 4 ? QUOTE_BODY_TD_10
                             : QUOTE_BODY_TD_15;
    memcpy(q->qe_vendor_id, quote_vendor_intel, sizeof(q->qe_vendor_id));
    q->td.tee_tcb_svn[0] = q->td.tee_tcb_svn2[0] = 6;
    q->td.tee_tcb_svn[1] = q->td.tee_tcb_svn2[1] = 1;
    q->td.tee_tcb_svn[2] = q->td.tee_tcb_svn2[2] = 7;
    q->td.td_attributes[3] = 0x10; /* SEPT_VE_DISABLE */
    q->td.xfam[0] = 0xe7;
    memset(q->td.mr_td, 0xaa, sizeof(q->td.mr_td));
    memset(q->td.rtmr, 0xbb, sizeof(q->td.rtmr));
    memset(q->td.report_data, 0xcc, sizeof(q->td.report_data));
    memset(q->enclave.mr_enclave, 0xdd, sizeof(q->enclave.mr_enclave));
    q->qe_report.attributes[0] = 0x11;
    memcpy(q->qe_report.mr_signer, mr_signer, sizeof(mr_signer));
    q->qe_report.isv_prod_id = version == 3 ? 1 : 2;
    q->qe_report.isv_svn = 4;
    q->cert_type = QUOTE_CERT_PCK_CHAIN;
}

void
intel_machine_init(struct intel_machine *m, uint16_t version)
{
    static const char root[] = "Intel SGX Root CA";
    static const char ca[] = "Intel SGX PCK Platform CA";
    struct assay_error err = { 0 };

    *m = (struct intel_machine){
        .root_spec = { root, root, INTEL_ROOT, INTEL_ROOT, 1, .is_ca = true },
        .ca_spec = { ca, root, INTEL_CA, INTEL_ROOT, 2, .is_ca = true },
        .leaf_spec = { "Intel SGX PCK Certificate", ca, INTEL_LEAF, INTEL_CA, 3,
                       .is_ca = false },
        .signer_spec = { "Intel SGX TCB Signing", root, INTEL_SIGNER,
                         INTEL_ROOT, 4, .is_ca = false },
        .crl_next_update = INTEL_NOW + 20 * DAY,
    };
    for (size_t i = 0; i < INTEL_KEYS; i++)
        assert_ok(key_generate(KEY_P256, &m->keys[i], &err), &err);
    init_platform(m);
    init_quote(m, version);
    make(m);
}

void
intel_machine_remake(struct intel_machine *m)
{
    free_made(m);
    make(m);
}

void
intel_machine_free(struct intel_machine *m)
{
    free_made(m);
    for (size_t i = 0; i < INTEL_KEYS; i++)
        key_free(m->keys[i]);
}
