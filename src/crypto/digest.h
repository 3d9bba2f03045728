/* SHA-2 over the concatenation of parts.
 *
 * Fails only when memory runs out. */
#ifndef ASSAY_CRYPTO_DIGEST_H
#define ASSAY_CRYPTO_DIGEST_H

#include "base/error.h"

enum digest_alg { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

enum {
    SHA256_SIZE = 32,
    SHA384_SIZE = 48,
    SHA512_SIZE = 64,
    DIGEST_MAX_SIZE = SHA512_SIZE,
};

size_t digest_size(enum digest_alg alg); /* bytes */

/* out has room for digest_size(alg) bytes. */
ASSAY_MUST_CHECK
enum assay_status digest_compute(enum digest_alg alg, const struct span *parts,
                                 size_t n, uint8_t *out,
                                 struct assay_error *err);

/* The common case of one part. */
ASSAY_MUST_CHECK
enum assay_status digest_sha256(struct span in, uint8_t out[SHA256_SIZE],
                                struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status digest_sha384(struct span in, uint8_t out[SHA384_SIZE],
                                struct assay_error *err);

#endif
