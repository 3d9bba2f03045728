/* HMAC-SHA-256 (RFC 2104) over the concatenation of parts. */
#ifndef ASSAY_CRYPTO_HMAC_H
#define ASSAY_CRYPTO_HMAC_H

#include "crypto/digest.h"

ASSAY_MUST_CHECK
enum assay_status hmac_sha256(struct span key, const struct span *parts,
                              size_t n, uint8_t out[SHA256_SIZE],
                              struct assay_error *err);

#endif
