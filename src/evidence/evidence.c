#include "evidence/evidence.h"

#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/reader.h"
#include "crypto/der.h"
#include "evidence/snp_report.h"
#include "evidence/tdx_quote.h"
#include "evidence/tdx_tdreport.h"

#define HCL_MAGIC UINT32_C(0x414c4348) /* "HCLA" */

enum { GUID_SIZE = 16, HCL_REPORT_AT = 0x20, HCL_DATA_AT = 0x4c0 };

/* Any first entry of a certificate table that we know (snp_cert_table.c). */
static bool
looks_like_table(struct span s)
{
    static const uint8_t starts[][4] = {
        { 0x63, 0xda, 0x75, 0x8d }, { 0xa8, 0x07, 0x4b, 0xc2 },
        { 0x4a, 0xb7, 0xb3, 0x79 }, { 0xc0, 0xb4, 0x06, 0xa4 },
        { 0x92, 0xf8, 0x1b, 0xc3 }, { 0xec, 0xae, 0x0c, 0x0f },
    };

    if (s.len < 24)
        return false;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (memcmp(s.ptr, starts[i], sizeof(starts[i])) == 0)
            return true;
    }
    return span_is_zero(s);
}

/* TBSCertList has a time where TBSCertificate has two in a SEQUENCE, and no
 * explicit version (RFC 5280 sections 4.1 and 5.1). */
static enum evidence_format
certificate_or_crl(struct span s)
{
    struct reader whole = reader_over(s);
    struct reader outer = reader_over(rd_der(&whole, DER_SEQUENCE));
    struct reader tbs = reader_over(rd_der(&outer, DER_SEQUENCE));

    if (!rd_ok(&whole) || !rd_ok(&outer))
        return EVIDENCE_UNKNOWN;
    if (rd_der_peek(&tbs) == DER_CONTEXT_CONSTRUCTED)
        return EVIDENCE_CERT_DER;
    if (rd_der_peek(&tbs) == DER_INTEGER)
        rd_der(&tbs, DER_INTEGER);
    rd_der(&tbs, DER_SEQUENCE); /* algorithm */
    rd_der(&tbs, DER_SEQUENCE); /* issuer */
    if (rd_der_peek(&tbs) == DER_UTC_TIME ||
        rd_der_peek(&tbs) == DER_GENERALIZED_TIME)
        return EVIDENCE_CRL_DER;
    return rd_ok(&tbs) ? EVIDENCE_CERT_DER : EVIDENCE_UNKNOWN;
}

static bool
starts_with(struct span s, const char *text)
{
    size_t len = strlen(text);

    return s.len >= len && memcmp(s.ptr, text, len) == 0;
}

static bool
contains_pem(struct span s)
{
    static const char mark[] = "-----BEGIN ";

    return memmem(s.ptr, s.len, mark, sizeof(mark) - 1) != NULL;
}

static struct span
trimmed(struct span s)
{
    while (s.len > 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

static bool
is_base64_report(struct span s)
{
    uint8_t out[SNP_REPORT_SIZE + 2];
    size_t len = sizeof(out);

    s = trimmed(s);
    return s.len == base64_encoded_len(SNP_REPORT_SIZE) &&
           base64_decode(s, out, &len) && len == SNP_REPORT_SIZE;
}

/* Header of a quote: version, ECDSA, and a TEE type that it may have. */
static enum evidence_format
quote_format(struct span s)
{
    struct reader rd = reader_over(s);
    uint16_t version = rd_u16le(&rd);
    uint16_t key_type = rd_u16le(&rd);
    uint32_t tee = rd_u32le(&rd);

    if (!rd_ok(&rd) || version < 3 || version > 5 || key_type < 2 ||
        key_type > 3)
        return EVIDENCE_UNKNOWN;
    if (tee == QUOTE_TEE_TDX && version > 3)
        return EVIDENCE_TDX_QUOTE;
    return tee == QUOTE_TEE_SGX ? EVIDENCE_SGX_QUOTE : EVIDENCE_UNKNOWN;
}

bool
evidence_is_quote(struct span bytes)
{
    return quote_format(bytes) != EVIDENCE_UNKNOWN;
}

/* A first field 1 to 3, length-delimited, that fits: Attestation begins with
 * its report, of more than a thousand bytes, and QuoteV4 with a header whose
 * version (field 1) is 4. */
static enum evidence_format
protobuf_format(struct span s)
{
    if (s.len <= 4 || (s.ptr[0] != 0x0a && s.ptr[0] != 0x12))
        return EVIDENCE_UNKNOWN;
    if (s.ptr[0] == 0x0a && s.ptr[1] < 0x80 && s.ptr[2] == 0x08 &&
        s.ptr[3] == 4)
        return EVIDENCE_TDX_PROTOBUF;
    return EVIDENCE_SNP_PROTOBUF;
}

enum evidence_format
evidence_detect(struct span s)
{
    if (s.len == 0)
        return EVIDENCE_UNKNOWN;
    if (s.len == SNP_REPORT_SIZE && s.ptr[1] == 0 && s.ptr[2] == 0 &&
        s.ptr[3] == 0 && s.ptr[0] != 0)
        return EVIDENCE_SNP_REPORT;
    if (starts_with(s, "HCLA"))
        return EVIDENCE_HCL;
    if (evidence_is_quote(s))
        return quote_format(s);
    if (s.len == TDREPORT_SIZE && s.ptr[0] == 0x81 && s.ptr[1] == 0)
        return EVIDENCE_TDREPORT;
    if (looks_like_table(s))
        return EVIDENCE_SNP_CERT_TABLE;
    if (s.ptr[0] == DER_SEQUENCE && certificate_or_crl(s) != EVIDENCE_UNKNOWN)
        return certificate_or_crl(s);
    if (protobuf_format(s) == EVIDENCE_TDX_PROTOBUF)
        return EVIDENCE_TDX_PROTOBUF; /* has PEM in it */
    if (contains_pem(s))
        return EVIDENCE_CERT_PEM;
    if (is_base64_report(s))
        return EVIDENCE_SNP_BASE64;
    if (s.ptr[0] == '{')
        return EVIDENCE_INSECURE;
    return protobuf_format(s);
}

const char *
evidence_format_name(enum evidence_format format)
{
    static const char *const names[] = {
        [EVIDENCE_UNKNOWN] = "unknown",
        [EVIDENCE_SNP_REPORT] = "SEV-SNP report",
        [EVIDENCE_SNP_PROTOBUF] = "SEV-SNP evidence (protobuf)",
        [EVIDENCE_SNP_BASE64] = "SEV-SNP report (base64)",
        [EVIDENCE_SNP_CERT_TABLE] = "SEV-SNP certificate table",
        [EVIDENCE_HCL] = "Azure HCL blob",
        [EVIDENCE_TDX_QUOTE] = "TDX quote",
        [EVIDENCE_TDX_PROTOBUF] = "TDX evidence (protobuf)",
        [EVIDENCE_SGX_QUOTE] = "SGX quote",
        [EVIDENCE_QUOTE_TEXT] = "quote (hex or base64)",
        [EVIDENCE_TDREPORT] = "TDREPORT",
        [EVIDENCE_CERT_DER] = "certificate (DER)",
        [EVIDENCE_CERT_PEM] = "certificates (PEM)",
        [EVIDENCE_CRL_DER] = "revocation list (DER)",
        [EVIDENCE_INSECURE] = "insecure evidence",
    };

    return names[format];
}

enum assay_status
hcl_blob_decode(struct span bytes, struct hcl_blob *out,
                struct assay_error *err)
{
    struct reader rd = reader_over(bytes);
    struct hcl_blob b = { 0 };
    uint32_t magic = rd_u32le(&rd);
    uint32_t data_len;

    rd_skip_to(&rd, HCL_REPORT_AT);
    b.report = rd_span(&rd, SNP_REPORT_SIZE);
    rd_skip_to(&rd, HCL_DATA_AT + 8); /* data size, version */
    b.report_type = rd_u32le(&rd);
    b.hash_type = rd_u32le(&rd);
    data_len = rd_u32le(&rd);
    if (!rd_ok(&rd) || magic != HCL_MAGIC)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "HCL blob: header cut short or not HCLA");
    b.runtime_data = rd_span(&rd, data_len);
    if (!rd_ok(&rd) || !span_is_zero(rd.rest))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "HCL blob: got %zu bytes behind the report, want "
                          "%u of runtime data and zeros",
                          bytes.len - HCL_DATA_AT, data_len);
    *out = b;
    return ASSAY_OK;
}
