/* TCB info, version 3: the levels of all platforms of one FMSPC, for SGX or
 * TDX. Intel SGX and TDX PCS API v4, "Get TCB Info".
 *
 * Decoded is not verified: its signature, dates and fit are tdx_verify()'s. */
#ifndef ASSAY_EVIDENCE_SGX_TCB_INFO_H
#define ASSAY_EVIDENCE_SGX_TCB_INFO_H

#include "evidence/sgx_document.h"
#include "evidence/sgx_pck.h"

struct sgx_tcb_level {
    uint8_t sgx[SGX_COMPONENTS];
    uint16_t pce_svn;
    uint8_t tdx[SGX_COMPONENTS]; /* zero for SGX */
    enum tcb_status status;
    int64_t date;
    struct sgx_advisories advisories;
};

struct tdx_module {
    uint8_t mr_signer[TDX_MR_SIZE];
    uint8_t attributes[8];
    uint8_t attributes_mask[8];
};

struct tdx_module_identity {
    uint8_t major; /* of "TDX_<hex>" */
    struct tdx_module module;
    struct sgx_isv_levels levels;
};

/* Lists and texts are in the arena. */
struct sgx_tcb_info {
    bool is_tdx; /* id "TDX"; else "SGX" */
    int64_t issue_date;
    int64_t next_update;
    uint8_t fmspc[SGX_FMSPC_SIZE];
    uint8_t pce_id[2];
    uint32_t evaluation_number;
    struct tdx_module module; /* TDX: for modules of major version 0 */
    struct tdx_module_identity *identities;
    size_t identity_count;
    struct sgx_tcb_level *levels; /* highest first */
    size_t level_count;
};

/* Decode the body of the document "tcbInfo". Unknown members are ignored, as
 * Intel asks; an unknown version or status is not.
 *
 * ASSAY_ERR_MALFORMED, ASSAY_ERR_LIMIT, ASSAY_ERR_UNSUPPORTED (version, type,
 * status), ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status sgx_tcb_info_decode(const struct json *body,
                                      struct arena *arena,
                                      struct sgx_tcb_info *out,
                                      struct assay_error *err);

/* The identity of modules of this major version, or NULL. */
const struct tdx_module_identity *
tdx_module_identity_find(const struct sgx_tcb_info *info, uint8_t major);

#endif
