/* A file that holds evidence in any of its forms, opened up to the report. */
#ifndef ASSAY_CLI_EVIDENCE_INPUT_H
#define ASSAY_CLI_EVIDENCE_INPUT_H

#include "crypto/x509.h"
#include "evidence/collateral.h"
#include "evidence/evidence.h"
#include "evidence/insecure.h"

enum {
    EVIDENCE_INPUT_MAX = LIMIT_CRL_BYTES, /* a CRL can be shown, too */
    EVIDENCE_ARENA = 16 * 1024 * 1024,
};

struct evidence_input {
    enum evidence_format format; /* of the file */
    enum evidence_format inner;  /* of what a certificate carried; else same */
    struct span bytes;           /* the file */
    struct cert *cert;           /* the certificate that carried it, or NULL */
    bool has_report;
    struct span report; /* any length: judging it is the verifier's */
    struct snp_collateral collateral;
    enum snp_product product; /* what the sender says */
    bool has_quote;
    struct span quote; /* of Intel; decodable or not */
    bool has_td_report;
    struct span td_report; /* TDREPORT_SIZE bytes */
    bool has_hcl;
    struct hcl_blob hcl;
    bool has_insecure;
    struct insecure_evidence insecure;
};

/* Bytes are borrowed or in the arena; end with evidence_input_close, also
 * after a failure. Bytes of no known format count as a raw report.
 *
 * ASSAY_ERR_MALFORMED, ..LIMIT    the outer format is broken
 * ASSAY_ERR_UNSUPPORTED           recognised, but nothing we can open */
ASSAY_MUST_CHECK
enum assay_status evidence_input_open(struct span file, struct arena *arena,
                                      struct evidence_input *out,
                                      struct assay_error *err);
void evidence_input_close(struct evidence_input *in);

#endif
