/* An answer of Intel's service as one piece of bytes, for caches and bundles:
 * the body and the issuer chain, which comes in a header, together in JSON,
 *
 *   {"tcb_info_json": TEXT, "issuer_chain": PEM}
 *   {"enclave_identity_json": TEXT, "issuer_chain": PEM}
 *   {"crl_data": HEX, "issuer_chain": PEM}
 *
 * as other tools capture them; tdx_collateral_decode() reads it. The signed
 * text is one JSON string, so not a byte of it changes. */
#ifndef ASSAY_COLLECT_PCS_ANSWER_H
#define ASSAY_COLLECT_PCS_ANSWER_H

#include "collect/kds_check.h"
#include "collect/pcs_path.h"

/* Replaces *body by the JSON; chain is the header's value, URL-encoded.
 * ASSAY_ERR_MALFORMED, ASSAY_ERR_LIMIT, ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status pcs_answer_wrap(const struct kds_path *path,
                                  struct span chain, struct buffer *body,
                                  struct assay_error *err);

/* As kds_validity(): is it what the path names, and from when to when. Says
 * nothing about genuineness. */
ASSAY_MUST_CHECK
enum assay_status pcs_answer_validity(const struct kds_path *path,
                                      struct span bytes,
                                      struct kds_validity *out,
                                      struct assay_error *err);

#endif
