/* Enclave identity, version 2: what Intel's quoting enclave looks like. Intel
 * SGX and TDX PCS API v4, "Get Quoting Enclave Identity".
 *
 * Decoded is not verified: its signature, dates and fit are tdx_verify()'s. */
#ifndef ASSAY_EVIDENCE_SGX_QE_IDENTITY_H
#define ASSAY_EVIDENCE_SGX_QE_IDENTITY_H

#include "evidence/sgx_document.h"

struct sgx_qe_identity {
    bool is_td_qe; /* id "TD_QE"; else "QE" */
    int64_t issue_date;
    int64_t next_update;
    uint32_t evaluation_number;
    uint8_t misc_select[4]; /* bytes in the order of the report */
    uint8_t misc_select_mask[4];
    uint8_t attributes[16];
    uint8_t attributes_mask[16];
    uint8_t mr_signer[32];
    uint16_t isv_prod_id;
    struct sgx_isv_levels levels;
};

/* Decode the body of the document "enclaveIdentity".
 *
 * ASSAY_ERR_MALFORMED, ASSAY_ERR_LIMIT, ASSAY_ERR_UNSUPPORTED (version, id,
 * status), ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status sgx_qe_identity_decode(const struct json *body,
                                         struct arena *arena,
                                         struct sgx_qe_identity *out,
                                         struct assay_error *err);

#endif
