/* Is this genuine quote the one I want, from a platform I accept? The relying
 * party's expectations as data, each turned into a check (contrast-interop
 * sections 6.4 and 7.6).
 *
 * All zero is strict: only UpToDate, no debugging, and every measurement must
 * be stated or waived. */
#ifndef ASSAY_EVIDENCE_TDX_APPRAISE_H
#define ASSAY_EVIDENCE_TDX_APPRAISE_H

#include "evidence/expect.h"
#include "evidence/tdx_verify.h"

/* Which platforms are acceptable. */
struct tcb_policy {
    /* Bit (1u << enum tcb_status); 0: UpToDate alone. */
    unsigned accepted;
    /* When given, a platform with any other advisory is refused. */
    const char *const *advisory_ids;
    size_t advisory_count;
    int64_t min_tcb_date; /* seconds since 1970; 0: any */
    uint32_t min_evaluation_number;
    /* For so long after a part went out of date it counts as if it had not;
     * seconds; 0: not at all. */
    int64_t grace_s;
    /* Of the PCK certificate (contrast-interop section 6.4). */
    bool require_memory_integrity;
    bool require_smt_disabled;
    bool require_static_platform;
    bool require_uncached_keys;
    struct span allowed_piids; /* 16 bytes each, back to back; empty: any */
};

/* Minimum versions of older manifests (contrast-interop section 6.4). */
struct tdx_minimum_svns {
    bool check;
    uint16_t qe_svn;  /* of the QE report: the header's field is zero */
    uint16_t pce_svn; /* of the PCK certificate, likewise */
    uint8_t tee_tcb_svn[16];
};

/* Borrowed during tdx_appraise() only. */
struct tdx_reference {
    struct tcb_policy tcb;

    struct expect report_data; /* 64 bytes; of SGX quotes too */
    /* TDX: 48 bytes each */
    struct expect mr_config_id;
    struct expect mr_td;
    struct expect mr_seam;
    struct expect rtmr[TDX_RTMRS];
    struct expect mr_owner;
    struct expect mr_owner_config;
    /* 48 bytes, bodies of 1.5 only. ANY: a warning when it is not zero. */
    struct expect mr_service_td;
    struct expect td_attributes; /* 8 bytes, as in the report */
    struct expect xfam;          /* 8 bytes, as in the report */
    bool ignore_cet;             /* bits 11 and 12 of XFAM are the host's */
    /* SGX: 32 bytes each */
    struct expect mr_enclave;
    struct expect mr_signer;

    struct tdx_minimum_svns minimum;
    bool allow_debug;
};

/* Appends one check per expectation; skipped ones too. verified is the result
 * of tdx_verify() on the same verdict; nothing is compared when the quote was
 * not decoded. Does not conclude.
 *
 * ASSAY_ERR_NOMEM as far as the arena goes. */
ASSAY_MUST_CHECK
enum assay_status tdx_appraise(const struct tdx_verified *verified,
                               const struct tdx_reference *reference,
                               struct verdict *v, struct assay_error *err);

#endif
