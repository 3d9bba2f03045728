/* AMD's key distribution service: what it has, named by the path of its URL
 * (AMD 57230, VCEK Certificate and KDS Interface; sev-snp.md section 3).
 *
 * A path is also the name of the thing in caches and bundles, whichever
 * server or proxy it came from; so there is one spelling of each. */
#ifndef ASSAY_COLLECT_KDS_PATH_H
#define ASSAY_COLLECT_KDS_PATH_H

#include "base/error.h"
#include "evidence/snp_report.h"

enum collateral_kind {
    COLLATERAL_VCEK = 1,   /* DER certificate of one chip at one TCB */
    COLLATERAL_VCEK_CHAIN, /* PEM: ASK, ARK */
    COLLATERAL_VLEK_CHAIN, /* PEM: ASVK, ARK */
    COLLATERAL_VCEK_CRL,   /* DER */
    COLLATERAL_VLEK_CRL,   /* DER */
    /* Intel's, each with its issuer chain: see pcs_answer.h */
    COLLATERAL_TDX_TCB_INFO,
    COLLATERAL_SGX_TCB_INFO,
    COLLATERAL_TDX_QE_IDENTITY,
    COLLATERAL_SGX_QE_IDENTITY,
    COLLATERAL_PCK_CRL,
    COLLATERAL_SGX_ROOT_CRL,
};

/* "vcek", "vcek-chain", "vlek-chain", "vcek-crl", "vlek-crl", "tdx-tcb-info",
 * "sgx-tcb-info", "tdx-qe-identity", "sgx-qe-identity", "pck-crl",
 * "sgx-root-crl" */
const char *collateral_kind_name(enum collateral_kind kind);

bool collateral_is_crl(enum collateral_kind kind); /* of AMD */
bool collateral_is_intel(enum collateral_kind kind);
/* Dated by its vendor and replaced before it expires; the rest stays good. */
bool collateral_is_renewed(enum collateral_kind kind);

#define KDS_BASE_URL "https://kdsintf.amd.com"

/* "/vcek/v1/Milan/", 128 digits, and five levels. */
enum { KDS_PATH_SIZE = 256 };

struct kds_path {
    enum collateral_kind kind;
    enum snp_product product; /* UNKNOWN for Intel's */
    char text[KDS_PATH_SIZE];
};

/* Whose it is: AMD's product, or "Intel". */
const char *kds_path_line(const struct kds_path *path);

/* The VCEK of a chip at a TCB (the report's REPORTED_TCB, or a certificate's
 * own). ASSAY_ERR_UNSUPPORTED when the product is unknown or the chip is
 * masked: nobody can be asked for those. */
ASSAY_MUST_CHECK
enum assay_status kds_path_vcek(enum snp_product product,
                                const uint8_t chip_id[64], uint64_t tcb,
                                struct kds_path *out, struct assay_error *err);

/* The same for a report: its chip at its REPORTED_TCB. Also
 * ASSAY_ERR_UNSUPPORTED when a VLEK signed it, which providers alone can get.
 */
ASSAY_MUST_CHECK
enum assay_status kds_path_of_report(const struct snp_report *report,
                                     enum snp_product product,
                                     struct kds_path *out,
                                     struct assay_error *err);

/* Any kind but the VCEK. */
ASSAY_MUST_CHECK
enum assay_status kds_path_of(enum collateral_kind kind,
                              enum snp_product product, struct kds_path *out,
                              struct assay_error *err);

/* Takes exactly the spelling that these, and those of pcs_path.h, produce. */
ASSAY_MUST_CHECK
enum assay_status kds_path_parse(struct span text, struct kds_path *out,
                                 struct assay_error *err);

#endif
