/* SNP evidence on the wire: protobuf sevsnp.Attestation (contrast-interop
 * section 2.1), or base64 of the raw report (older generation).
 *
 * The signature covers the firmware's bytes, so the conversion is exact or
 * refused: fields of wrong length or out of range are malformed. */
#ifndef ASSAY_EVIDENCE_SNP_PROTO_H
#define ASSAY_EVIDENCE_SNP_PROTO_H

#include "evidence/collateral.h"
#include "evidence/snp_report.h"

/* Key of the CRL in certificate_chain.extras. */
#define SNP_CRL_EXTRA_KEY "00569ee4-e480-4fba-bbf4-45b629901180"

struct snp_evidence {
    uint8_t report[SNP_REPORT_SIZE];
    struct snp_collateral collateral; /* what came along; in the arena */
    enum snp_product product; /* what the sender says; a hint for version 2 */
};

/* Decode either form. Everything is copied into the arena.
 *
 * ASSAY_ERR_MALFORMED  not protobuf of this message, or a field is wrong
 * ASSAY_ERR_LIMIT      more than LIMIT_EVIDENCE_BYTES */
ASSAY_MUST_CHECK
enum assay_status snp_evidence_decode(struct span bytes, struct arena *arena,
                                      struct snp_evidence *out,
                                      struct assay_error *err);

/* What an issuer has: certificates in DER, each may be empty. */
struct snp_evidence_parts {
    struct span report; /* SNP_REPORT_SIZE bytes, decodable */
    struct span vcek, vlek, ask, ark;
    struct span crl;
    enum snp_product product; /* UNKNOWN: taken from the report */
};

/* Appends the protobuf form to *out. */
ASSAY_MUST_CHECK
enum assay_status snp_evidence_encode(const struct snp_evidence_parts *parts,
                                      struct buffer *out,
                                      struct assay_error *err);

#endif
