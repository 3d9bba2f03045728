/* What the vendor says about its keys: certificates and revocation lists, and
 * where to ask for what did not come with the evidence. All of it is untrusted
 * until it verifies up to a pinned root. */
#ifndef ASSAY_EVIDENCE_COLLATERAL_H
#define ASSAY_EVIDENCE_COLLATERAL_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "evidence/snp_report.h"
#include "evidence/tdx_collateral.h"

/* As many as a file of certificates may hold, in no particular order. */
struct snp_collateral {
    struct span certs[LIMIT_CERTS_PER_FILE]; /* DER, one certificate each */
    size_t cert_count;
    struct span crls[LIMIT_CERTS_PER_FILE]; /* DER */
    size_t crl_count;
};

/* Adds the certificates and CRLs of a file: DER, or PEM with one or many
 * blocks. PEM is decoded into the arena, DER borrowed. Other PEM blocks are
 * ignored; a file with neither certificate nor CRL is malformed. */
ASSAY_MUST_CHECK
enum assay_status snp_collateral_add_file(struct snp_collateral *c,
                                          struct span file, struct arena *arena,
                                          struct assay_error *err);

/* Adds one certificate or CRL in DER, borrowed. ASSAY_ERR_LIMIT when full. */
ASSAY_MUST_CHECK
enum assay_status snp_collateral_add_cert(struct snp_collateral *c,
                                          struct span der,
                                          struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status snp_collateral_add_crl(struct snp_collateral *c,
                                         struct span der,
                                         struct assay_error *err);

/* Where missing collateral comes from: the vendor's service, a cache, a
 * bundle. Each function appends to *out and may block; they must be callable
 * from several threads at once.
 *
 * ASSAY_ERR_IO          could not be had now: no verdict
 * ASSAY_ERR_NOT_FOUND   does not exist
 * ASSAY_ERR_UNSUPPORTED this source never has it (a VLEK, a masked chip) */
struct collateral_source {
    /* The VCEK of report->chip_id at report->reported_tcb, in DER. */
    enum assay_status (*snp_vcek)(void *ctx, const struct snp_report *report,
                                  enum snp_product product, struct buffer *der,
                                  struct assay_error *err);
    /* ASK and ARK, or with vlek ASVK and ARK, in PEM. */
    enum assay_status (*snp_chain)(void *ctx, enum snp_product product,
                                   bool vlek, struct buffer *pem,
                                   struct assay_error *err);
    enum assay_status (*snp_crl)(void *ctx, enum snp_product product, bool vlek,
                                 struct buffer *der, struct assay_error *err);
    /* Everything Intel says about one kind of platform. The bytes are put in
     * the arena. What could be had is filled in even when the rest could not;
     * the status is then that of the first piece that was not. */
    enum assay_status (*tdx_collateral)(void *ctx,
                                        const struct tdx_collateral_want *want,
                                        struct arena *arena,
                                        struct tdx_collateral *out,
                                        struct assay_error *err);
    void *ctx;
};

#endif
