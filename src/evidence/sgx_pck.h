/* What a PCK certificate says about its platform: the SGX extension.
 *
 * Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5:
 * OID 1.2.840.113741.1.13.1, a SEQUENCE of { OID, value } pairs. */
#ifndef ASSAY_EVIDENCE_SGX_PCK_H
#define ASSAY_EVIDENCE_SGX_PCK_H

#include "base/buffer.h"
#include "base/error.h"

#define OID_SGX "1.2.840.113741.1.13.1"

enum { SGX_COMPONENTS = 16, SGX_FMSPC_SIZE = 6, SGX_PIID_SIZE = 16 };

enum sgx_type {
    SGX_STANDARD = 0,
    SGX_SCALABLE = 1,
    SGX_SCALABLE_WITH_INTEGRITY = 2,
};

struct sgx_pck {
    uint8_t ppid[16];
    uint8_t comp_svn[SGX_COMPONENTS];
    uint16_t pce_svn;
    uint8_t cpu_svn[16]; /* raw: not comparable part by part */
    uint8_t pce_id[2];
    uint8_t fmspc[SGX_FMSPC_SIZE];
    enum sgx_type sgx_type;
    /* Certificates of the Platform CA only: */
    bool has_platform_instance_id;
    uint8_t platform_instance_id[SGX_PIID_SIZE];
    bool has_configuration; /* then: */
    bool dynamic_platform;
    bool cached_keys;
    bool smt_enabled;
};

/* Decode the extension's value. Each known member exactly once, in any order;
 * unknown ones below OID_SGX are refused at the top level, where a new one
 * could weaken what is said.
 *
 * ASSAY_ERR_MALFORMED */
ASSAY_MUST_CHECK
enum assay_status sgx_pck_decode(struct span value, struct sgx_pck *out,
                                 struct assay_error *err);

/* Appends the extension's value, for simulators and tests. */
void sgx_pck_encode(const struct sgx_pck *pck, struct buffer *out);

/* "standard", "scalable", "scalable with integrity" */
const char *sgx_type_name(enum sgx_type type);

#endif
