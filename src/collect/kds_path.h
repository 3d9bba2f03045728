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
};

/* "vcek", "vcek-chain", "vlek-chain", "vcek-crl", "vlek-crl" */
const char *collateral_kind_name(enum collateral_kind kind);

bool collateral_is_crl(enum collateral_kind kind);

#define KDS_BASE_URL "https://kdsintf.amd.com"

/* "/vcek/v1/Milan/", 128 digits, and five levels. */
enum { KDS_PATH_SIZE = 256 };

struct kds_path {
    enum collateral_kind kind;
    enum snp_product product;
    char text[KDS_PATH_SIZE];
};

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

/* Takes exactly the spelling that the two above produce. */
ASSAY_MUST_CHECK
enum assay_status kds_path_parse(struct span text, struct kds_path *out,
                                 struct assay_error *err);

#endif
