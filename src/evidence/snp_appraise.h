/* Is this genuine report the one I want? The relying party's expectations as
 * data, each turned into a check (contrast-interop sections 7.2 to 7.4).
 *
 * Nothing is unchecked by accident: an expectation that is neither stated nor
 * waived fails. DEBUG and MIGRATE_MA are refused unless allowed here. */
#ifndef ASSAY_EVIDENCE_SNP_APPRAISE_H
#define ASSAY_EVIDENCE_SNP_APPRAISE_H

#include "evidence/expect.h"
#include "evidence/snp_launch.h"
#include "evidence/snp_tcb.h"
#include "evidence/snp_verify.h"

/* Items of item_size bytes, back to back. */
struct snp_allow_list {
    struct span items; /* empty: no such list */
};

/* Borrowed during snp_appraise() only. */
struct snp_reference {
    enum snp_product product;    /* UNKNOWN: any */
    uint32_t min_report_version; /* 0: any */

    struct expect report_data; /* 64 bytes */
    struct expect host_data;   /* 32 bytes */
    /* NULL with any_measurement false fails. */
    struct snp_launch *launch;
    bool any_measurement;

    /* "Allowing" bits of POLICY only where set here, "requiring" bits at least
     * those set here, ABI version at least the one here. */
    bool check_guest_policy;
    uint64_t guest_policy;
    bool allow_debug;
    bool allow_migrate_ma;

    uint32_t vmpl;
    bool any_vmpl; /* then a VMPL other than 0 is a warning */

    bool check_minimum_tcb;
    struct snp_tcb_parts minimum_tcb;        /* reported and committed */
    struct snp_tcb_parts minimum_launch_tcb; /* launch */
    bool check_minimum_firmware;
    struct snp_firmware_version minimum_firmware; /* of current; of committed
                                                     too when provisional
                                                     firmware is refused */
    bool refuse_provisional;

    bool check_platform_info;
    uint64_t platform_required;  /* bits that must be 1 */
    uint64_t platform_forbidden; /* bits that must be 0 */

    /* Bits that LAUNCH and CURRENT must both have; 0: none. */
    uint64_t mitigations;

    /* The ID key digest must be the anonymous one of the launch digest that
     * matched, with guest_policy (section 7.4); needs launch. */
    bool require_id_block;
    /* Or: it, or the author key's, must be one of these. */
    struct snp_allow_list id_key_digests;     /* 48 bytes each */
    struct snp_allow_list author_key_digests; /* 48 bytes each */

    struct snp_allow_list chip_ids;    /* 64 bytes each */
    bool allow_milan_without_chip_ids; /* the risk is accepted */
    struct span csp_id; /* VLEK: the provider it must name; empty: any */
};

/* Appends one check per expectation; skipped ones too. verified is the result
 * of snp_verify() on the same verdict; nothing is compared when the report was
 * not decoded. Does not conclude.
 *
 * ASSAY_ERR_NOMEM as far as the arena goes. */
ASSAY_MUST_CHECK
enum assay_status snp_appraise(const struct snp_verified *verified,
                               const struct snp_reference *reference,
                               struct verdict *v, struct assay_error *err);

#endif
