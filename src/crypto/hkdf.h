/* HKDF-SHA-256, extract and expand (RFC 5869).
 *
 *   out  holds out_len bytes, 1 to 255 * 32; the caller wipes it. Worthless
 *        unless ASSAY_OK is returned.
 *
 * ASSAY_ERR_LIMIT  out_len is outside what RFC 5869 allows */
#ifndef ASSAY_CRYPTO_HKDF_H
#define ASSAY_CRYPTO_HKDF_H

#include "crypto/digest.h"

ASSAY_MUST_CHECK
enum assay_status hkdf_sha256(struct span ikm, struct span salt,
                              struct span info, uint8_t *out, size_t out_len,
                              struct assay_error *err);

#endif
