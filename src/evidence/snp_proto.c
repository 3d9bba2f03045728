#include "evidence/snp_proto.h"

#include <string.h>

#include "sevsnp.pb-c.h"

#include "base/hex.h"
#include "base/reader.h"
#include "codec/wire.h"

/* --- report: message to bytes -------------------------------------------- */

struct field {
    const char *name;
    ProtobufCBinaryData from;
    uint8_t *to;
    size_t len;
};

static enum assay_status
copy_fields(const Sevsnp__Report *m, struct snp_report *r,
            struct assay_error *err)
{
    const struct field fields[] = {
        { "family_id", m->family_id, r->family_id, 16 },
        { "image_id", m->image_id, r->image_id, 16 },
        { "report_data", m->report_data, r->report_data, 64 },
        { "measurement", m->measurement, r->measurement, 48 },
        { "host_data", m->host_data, r->host_data, 32 },
        { "id_key_digest", m->id_key_digest, r->id_key_digest, 48 },
        { "author_key_digest", m->author_key_digest, r->author_key_digest, 48 },
        { "report_id", m->report_id, r->report_id, 32 },
        { "report_id_ma", m->report_id_ma, r->report_id_ma, 32 },
        { "chip_id", m->chip_id, r->chip_id, 64 },
        { "signature", m->signature, r->signature, SNP_SIGNATURE_SIZE },
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const struct field *f = &fields[i];

        if (f->from.len != f->len)
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "snp evidence: report.%s: got %zu bytes, want "
                              "%zu",
                              f->name, f->from.len, f->len);
        memcpy(f->to, f->from.data, f->len);
    }
    return ASSAY_OK;
}

static enum assay_status
copy_versions(const Sevsnp__Report *m, struct snp_report *r,
              struct assay_error *err)
{
    const uint32_t all = m->current_build | m->current_minor |
                         m->current_major | m->committed_build |
                         m->committed_minor | m->committed_major;

    if (all > 0xff)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "snp evidence: report: a firmware version number "
                          "over 255");
    r->current = (struct snp_firmware_version){ (uint8_t)m->current_major,
                                                (uint8_t)m->current_minor,
                                                (uint8_t)m->current_build };
    r->committed = (struct snp_firmware_version){ (uint8_t)m->committed_major,
                                                  (uint8_t)m->committed_minor,
                                                  (uint8_t)m->committed_build };
    return ASSAY_OK;
}

/* Reports before version 3 have no such bytes, whatever the sender knows. */
static enum assay_status
copy_cpuid(const Sevsnp__Report *m, struct snp_report *r,
           struct assay_error *err)
{
    if (m->version < 3)
        return ASSAY_OK;
    if (m->cpuid1eax_fms & ~UINT32_C(0x0fff0fff))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "snp evidence: report.cpuid1eax_fms: got 0x%x, "
                          "which has bits outside family, model and stepping",
                          m->cpuid1eax_fms);
    snp_cpuid_split(m->cpuid1eax_fms, &r->cpuid_fam_id, &r->cpuid_mod_id,
                    &r->cpuid_step);
    return ASSAY_OK;
}

static void
copy_numbers(const Sevsnp__Report *m, struct snp_report *r)
{
    r->version = m->version;
    r->guest_svn = m->guest_svn;
    r->policy = m->policy;
    r->vmpl = m->vmpl;
    r->signature_algo = m->signature_algo;
    r->current_tcb = m->current_tcb;
    r->platform_info = m->platform_info;
    r->flags = m->signer_info;
    r->reported_tcb = m->reported_tcb;
    r->committed_tcb = m->committed_tcb;
    r->launch_tcb = m->launch_tcb;
    r->launch_mit_vector = m->launch_mit_vector;
    r->current_mit_vector = m->current_mit_vector;
}

static enum assay_status
report_from_message(const Sevsnp__Report *m, uint8_t raw[SNP_REPORT_SIZE],
                    struct assay_error *err)
{
    struct snp_report r = { 0 };
    enum assay_status st;

    copy_numbers(m, &r);
    st = copy_fields(m, &r, err);
    if (st == ASSAY_OK)
        st = copy_versions(m, &r, err);
    if (st == ASSAY_OK)
        st = copy_cpuid(m, &r, err);
    if (st == ASSAY_OK)
        snp_report_encode(&r, raw);
    return st;
}

/* --- chain --------------------------------------------------------------- */

static enum assay_status
add_certificates(const Sevsnp__CertificateChain *m, struct arena *arena,
                 struct snp_collateral *c, struct assay_error *err)
{
    const struct {
        const char *name;
        ProtobufCBinaryData bytes;
    } certs[] = { { "vcek_cert", m->vcek_cert },
                  { "vlek_cert", m->vlek_cert },
                  { "ask_cert", m->ask_cert },
                  { "ark_cert", m->ark_cert } };

    for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
        struct span bytes = wire_span(certs[i].bytes);
        enum assay_status st;

        if (bytes.len == 0)
            continue;
        st = snp_collateral_add_file(c, bytes, arena, err);
        if (st != ASSAY_OK)
            return assay_context(err, st, "snp evidence: %s", certs[i].name);
    }
    return ASSAY_OK;
}

static enum assay_status
add_crls(const Sevsnp__CertificateChain *m, struct snp_collateral *c,
         struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; i < m->n_extras && st == ASSAY_OK; i++) {
        struct span value = wire_span(m->extras[i]->value);

        if (strcmp(m->extras[i]->key, SNP_CRL_EXTRA_KEY) == 0 && value.len > 0)
            st = snp_collateral_add_crl(c, value, err);
    }
    return st;
}

/* --- decode -------------------------------------------------------------- */

static enum assay_status
decode_message(const Sevsnp__Attestation *m, struct arena *arena,
               struct snp_evidence *out, struct assay_error *err)
{
    enum assay_status st;

    if (!m->report)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "snp evidence: no report in it");
    st = report_from_message(m->report, out->report, err);
    if (st == ASSAY_OK && m->certificate_chain) {
        st = add_certificates(m->certificate_chain, arena, &out->collateral,
                              err);
        if (st == ASSAY_OK)
            st = add_crls(m->certificate_chain, &out->collateral, err);
    }
    if (m->product && m->product->name < SNP_PRODUCT_COUNT)
        out->product = (enum snp_product)m->product->name;
    return st;
}

static enum assay_status
decode_protobuf(struct span bytes, struct arena *arena,
                struct snp_evidence *out, struct assay_error *err)
{
    const Sevsnp__Attestation *m = (const void *)wire_unpack(
        &sevsnp__attestation__descriptor, bytes, arena, err);

    if (!m)
        return assay_context(err, ASSAY_ERR_MALFORMED, "snp evidence");
    return decode_message(m, arena, out, err);
}

static struct span
without_line_end(struct span s)
{
    while (s.len > 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

/* The older form: base64 of the raw report, no chain. */
static bool
decode_base64(struct span bytes, struct snp_evidence *out)
{
    uint8_t raw[SNP_REPORT_SIZE + 3];
    size_t len = sizeof(raw);
    struct span text = without_line_end(bytes);

    if (text.len != base64_encoded_len(SNP_REPORT_SIZE) ||
        !base64_decode(text, raw, &len) || len != SNP_REPORT_SIZE)
        return false;
    memcpy(out->report, raw, SNP_REPORT_SIZE);
    return true;
}

enum assay_status
snp_evidence_decode(struct span bytes, struct arena *arena,
                    struct snp_evidence *out, struct assay_error *err)
{
    struct snp_evidence *e;
    enum assay_status st;

    if (bytes.len > LIMIT_EVIDENCE_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "snp evidence: got %zu bytes, want at most %d",
                          bytes.len, (int)LIMIT_EVIDENCE_BYTES);
    e = arena_alloc(arena, sizeof(*e));
    if (!e)
        return assay_nomem(err, "snp evidence");
    if (decode_base64(bytes, e)) {
        *out = *e;
        return ASSAY_OK;
    }
    st = decode_protobuf(bytes, arena, e, err);
    if (st == ASSAY_OK)
        *out = *e;
    return st;
}

/* --- encode -------------------------------------------------------------- */

static void
message_from_report(const struct snp_report *r, Sevsnp__Report *m)
{
    m->version = r->version;
    m->guest_svn = r->guest_svn;
    m->policy = r->policy;
    m->family_id = wire_bytes(span_of(r->family_id, 16));
    m->image_id = wire_bytes(span_of(r->image_id, 16));
    m->vmpl = r->vmpl;
    m->signature_algo = r->signature_algo;
    m->current_tcb = r->current_tcb;
    m->platform_info = r->platform_info;
    m->signer_info = r->flags;
    m->report_data = wire_bytes(span_of(r->report_data, 64));
    m->measurement = wire_bytes(span_of(r->measurement, 48));
    m->host_data = wire_bytes(span_of(r->host_data, 32));
    m->id_key_digest = wire_bytes(span_of(r->id_key_digest, 48));
    m->author_key_digest = wire_bytes(span_of(r->author_key_digest, 48));
    m->report_id = wire_bytes(span_of(r->report_id, 32));
    m->report_id_ma = wire_bytes(span_of(r->report_id_ma, 32));
    m->reported_tcb = r->reported_tcb;
    m->chip_id = wire_bytes(span_of(r->chip_id, 64));
    m->committed_tcb = r->committed_tcb;
    m->current_build = r->current.build;
    m->current_minor = r->current.minor;
    m->current_major = r->current.major;
    m->committed_build = r->committed.build;
    m->committed_minor = r->committed.minor;
    m->committed_major = r->committed.major;
    m->launch_tcb = r->launch_tcb;
    m->signature = wire_bytes(span_of(r->signature, SNP_SIGNATURE_SIZE));
    if (r->version >= 3)
        m->cpuid1eax_fms =
            snp_cpuid_eax(r->cpuid_fam_id, r->cpuid_mod_id, r->cpuid_step);
    m->launch_mit_vector = r->launch_mit_vector;
    m->current_mit_vector = r->current_mit_vector;
}

/* What the message cannot carry must not be lost in silence: the signature
 * would no longer verify at the other end. */
static enum assay_status
check_faithful(const Sevsnp__Report *m, struct span raw,
               struct assay_error *err)
{
    uint8_t back[SNP_REPORT_SIZE];
    enum assay_status st = report_from_message(m, back, err);

    if (st == ASSAY_OK && !span_equal(raw, span_of(back, sizeof(back))))
        st = assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                        "snp evidence: the report has bytes that protobuf "
                        "evidence cannot carry");
    return st;
}

enum assay_status
snp_evidence_encode(const struct snp_evidence_parts *parts, struct buffer *out,
                    struct assay_error *err)
{
    Sevsnp__Report report = SEVSNP__REPORT__INIT;
    Sevsnp__CertificateChain chain = SEVSNP__CERTIFICATE_CHAIN__INIT;
    Sevsnp__CertificateChain__Extra crl;
    Sevsnp__CertificateChain__Extra *extras[] = { &crl };
    Sevsnp__Stepping stepping = SEVSNP__STEPPING__INIT;
    Sevsnp__SevProduct product = SEVSNP__SEV_PRODUCT__INIT;
    Sevsnp__Attestation m = SEVSNP__ATTESTATION__INIT;
    char crl_key[] = SNP_CRL_EXTRA_KEY;
    struct snp_report r;
    enum assay_status st = snp_report_read(parts->report, &r, err);

    if (st != ASSAY_OK)
        return st;
    message_from_report(&r, &report);
    st = check_faithful(&report, parts->report, err);
    if (st != ASSAY_OK)
        return st;
    chain.vcek_cert = wire_bytes(parts->vcek);
    chain.vlek_cert = wire_bytes(parts->vlek);
    chain.ask_cert = wire_bytes(parts->ask);
    chain.ark_cert = wire_bytes(parts->ark);
    sevsnp__certificate_chain__extra__init(&crl);
    if (parts->crl.len > 0) {
        crl.key = crl_key;
        crl.value = wire_bytes(parts->crl);
        chain.extras = extras;
        chain.n_extras = 1;
    }
    product.name = parts->product != SNP_PRODUCT_UNKNOWN
                       ? parts->product
                       : snp_report_product(&r);
    product.machine_stepping = &stepping;
    m.report = &report;
    m.certificate_chain = &chain;
    m.product = &product;
    return wire_pack(&m.base, out, err);
}
