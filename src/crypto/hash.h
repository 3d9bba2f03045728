/* Hashes and HMAC by name, MD5 and SHA-1 among them: what a policy language
 * offers its users. Attestation itself uses digest.h and hmac.h. */
#ifndef ASSAY_CRYPTO_HASH_H
#define ASSAY_CRYPTO_HASH_H

#include "base/error.h"

enum hash_alg { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512 };

enum { HASH_MAX_SIZE = 64 };

/* Fail only when memory runs out, or the library lacks the algorithm
 * (ASSAY_ERR_UNSUPPORTED). *len is the size of the result. */
ASSAY_MUST_CHECK
enum assay_status hash_compute(enum hash_alg alg, struct span in,
                               uint8_t out[HASH_MAX_SIZE], size_t *len,
                               struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status hash_hmac(enum hash_alg alg, struct span key,
                            struct span message, uint8_t out[HASH_MAX_SIZE],
                            size_t *len, struct assay_error *err);

#endif
