/* Evidence of any kind: what a file or an extension holds. */
#ifndef ASSAY_EVIDENCE_EVIDENCE_H
#define ASSAY_EVIDENCE_EVIDENCE_H

#include "base/arena.h"
#include "base/error.h"
#include "evidence/oid.h"

enum evidence_format {
    EVIDENCE_UNKNOWN = 0,
    EVIDENCE_SNP_REPORT,     /* 1184 raw bytes */
    EVIDENCE_SNP_PROTOBUF,   /* sevsnp.Attestation */
    EVIDENCE_SNP_BASE64,     /* raw report in base64 (older generation) */
    EVIDENCE_SNP_CERT_TABLE, /* auxblob */
    EVIDENCE_HCL,            /* Azure's vTPM blob around a report */
    EVIDENCE_TDX_QUOTE,
    EVIDENCE_TDX_PROTOBUF, /* tdx.QuoteV4 */
    EVIDENCE_SGX_QUOTE,
    EVIDENCE_QUOTE_TEXT, /* hex or base64; not told by evidence_detect() */
    EVIDENCE_TDREPORT,   /* see tdx_tdreport.h */
    EVIDENCE_CERT_DER,
    EVIDENCE_CERT_PEM,
    EVIDENCE_CRL_DER,
    EVIDENCE_INSECURE,
};

/* By the first bytes and the length; says nothing about validity. */
enum evidence_format evidence_detect(struct span bytes);
const char *evidence_format_name(enum evidence_format format);

/* Begins like a quote of either TEE, of any version we know. */
bool evidence_is_quote(struct span bytes);

/* Azure's HCL blob (version 1 and 2): the report and the runtime data whose
 * digest is in REPORT_DATA. Spans are borrowed. */
struct hcl_blob {
    struct span report;
    struct span runtime_data; /* JSON with the vTPM's key */
    uint32_t report_type;     /* 2 SNP, 4 TDX */
    uint32_t hash_type;       /* 1 SHA-256, 2 SHA-384, 3 SHA-512 */
};
ASSAY_MUST_CHECK
enum assay_status hcl_blob_decode(struct span bytes, struct hcl_blob *out,
                                  struct assay_error *err);

#endif
