/* Intel quotes, decoded: TDX and SGX, versions 3, 4 and 5.
 *
 * A decoded quote is well formed, nothing more: only tdx_verify() can say it
 * is genuine. Layouts: Intel TDX DCAP Quoting Library API, appendix "Quote
 * Format" (versions 4 and 5), and Intel SGX ECDSA QuoteGen Reference, appendix
 * A (version 3). Integers are little-endian; the numbers of signatures and
 * keys are big-endian. */
#ifndef ASSAY_EVIDENCE_TDX_QUOTE_H
#define ASSAY_EVIDENCE_TDX_QUOTE_H

#include "base/buffer.h"
#include "base/error.h"

enum {
    QUOTE_HEADER_SIZE = 48,
    SGX_REPORT_SIZE = 384,
    TD_REPORT_10_SIZE = 584,
    TD_REPORT_15_SIZE = 648,
    QUOTE_SIGNATURE_SIZE = 64, /* r || s, P-256 */
    QUOTE_KEY_SIZE = 64,       /* x || y, P-256 */
    TDX_MR_SIZE = 48,          /* every measurement register */
    TDX_RTMRS = 4,
};

enum quote_tee { QUOTE_TEE_SGX = 0x00, QUOTE_TEE_TDX = 0x81 };

/* The types of a version 5 body; older quotes are told apart by TEE. */
enum quote_body {
    QUOTE_BODY_SGX = 1,
    QUOTE_BODY_TD_10 = 2,
    QUOTE_BODY_TD_15 = 3,
};

enum quote_cert_data {
    QUOTE_CERT_PPID = 1,         /* these three need the PCK certificate */
    QUOTE_CERT_PPID_RSA2048 = 2, /* from somewhere else */
    QUOTE_CERT_PPID_RSA3072 = 3,
    QUOTE_CERT_PCK_LEAF = 4,
    QUOTE_CERT_PCK_CHAIN = 5, /* PEM, usually leaf, CA, root */
    QUOTE_CERT_QE_REPORT = 6, /* the outer block of versions 4 and 5 */
    QUOTE_CERT_PLATFORM_MANIFEST = 7,
};

/* An enclave's report: that of the quoting enclave, or the body of an SGX
 * quote. */
struct sgx_report {
    uint8_t cpu_svn[16];
    uint32_t misc_select;
    uint8_t reserved1[28];
    uint8_t attributes[16]; /* 8 of flags, 8 of XFRM */
    uint8_t mr_enclave[32];
    uint8_t reserved2[32];
    uint8_t mr_signer[32];
    uint8_t reserved3[96];
    uint16_t isv_prod_id;
    uint16_t isv_svn;
    uint8_t reserved4[60];
    uint8_t report_data[64];
};

enum { SGX_ATTRIBUTE_DEBUG = 0x02 }; /* of attributes[0] */

struct td_report {
    uint8_t tee_tcb_svn[16]; /* [0] module SVN, [1] its major version */
    uint8_t mr_seam[TDX_MR_SIZE];
    uint8_t mr_signer_seam[TDX_MR_SIZE];
    uint8_t seam_attributes[8];
    uint8_t td_attributes[8]; /* a little-endian word: see tdx_attributes.h */
    uint8_t xfam[8];          /* likewise */
    uint8_t mr_td[TDX_MR_SIZE];
    uint8_t mr_config_id[TDX_MR_SIZE];
    uint8_t mr_owner[TDX_MR_SIZE];
    uint8_t mr_owner_config[TDX_MR_SIZE];
    uint8_t rtmr[TDX_RTMRS][TDX_MR_SIZE];
    uint8_t report_data[64];
    /* Zero unless the body is QUOTE_BODY_TD_15: */
    uint8_t tee_tcb_svn2[16]; /* of the module that is loaded now */
    uint8_t mr_service_td[TDX_MR_SIZE];
};

/* Spans are borrowed from the input. */
struct tdx_quote {
    uint16_t version; /* 3, 4 or 5 */
    uint16_t attestation_key_type;
    enum quote_tee tee;
    uint8_t qe_svn[2]; /* as on the wire; zero in versions 4 and 5 */
    uint8_t pce_svn[2];
    uint8_t qe_vendor_id[16];
    uint8_t user_data[20];

    enum quote_body body;
    struct td_report td;       /* TDX */
    struct sgx_report enclave; /* SGX */

    struct span signed_part;   /* header, descriptor and body */
    uint32_t signed_data_size; /* what the quote says of the rest */
    uint8_t signature[QUOTE_SIGNATURE_SIZE];
    uint8_t attestation_key[QUOTE_KEY_SIZE];
    struct span qe_report_raw; /* SGX_REPORT_SIZE bytes */
    struct sgx_report qe_report;
    uint8_t qe_report_signature[QUOTE_SIGNATURE_SIZE];
    struct span qe_auth_data;
    enum quote_cert_data cert_type; /* 1 to 5 */
    struct span cert_data;
    /* Behind the declared end: padding, if it is all zero. Nothing vouches
     * for it, so tdx_verify() refuses anything else. */
    struct span trailing;
};

/* Decode a quote of any version.
 *
 *   raw  untrusted; must outlive *out
 *   out  written only when ASSAY_OK is returned
 *
 * All lengths up to the declared end must add up exactly.
 *
 * ASSAY_ERR_MALFORMED    cut short, lengths that lie, bytes left over
 * ASSAY_ERR_UNSUPPORTED  unknown version, TEE, key or certification type, or
 *                        a quoting enclave that is not Intel's */
ASSAY_MUST_CHECK
enum assay_status tdx_quote_decode(struct span raw, struct tdx_quote *out,
                                   struct assay_error *err);

/* The bytes of a quote of any version, for simulators and tests: appends what
 * will be signed, or the whole. Derived fields (signed_part, qe_report_raw,
 * signed_data_size, trailing) are not looked at. */
void tdx_quote_encode_signed_part(const struct tdx_quote *q,
                                  struct buffer *out);
void tdx_quote_encode(const struct tdx_quote *q, struct buffer *out);
void sgx_report_encode(const struct sgx_report *r, struct buffer *out);

/* The 16 bytes every quoting enclave of Intel writes. */
extern const uint8_t quote_vendor_intel[16];

/* "TDX" or "SGX" */
const char *quote_tee_name(enum quote_tee tee);

#endif
