#include "crypto/digest.h"

#include <assert.h>

#include <openssl/evp.h>

#include "crypto/ossl.h"

size_t
digest_size(enum digest_alg alg)
{
    switch (alg) {
    case DIGEST_SHA256:
        return SHA256_SIZE;
    case DIGEST_SHA384:
        return SHA384_SIZE;
    case DIGEST_SHA512:
        return SHA512_SIZE;
    }
    assert(0 && "unknown digest");
    return 0;
}

static const EVP_MD *
digest_md(enum digest_alg alg)
{
    switch (alg) {
    case DIGEST_SHA256:
        return EVP_sha256();
    case DIGEST_SHA384:
        return EVP_sha384();
    case DIGEST_SHA512:
        return EVP_sha512();
    }
    assert(0 && "unknown digest");
    return NULL;
}

static bool
hash_parts(EVP_MD_CTX *ctx, enum digest_alg alg, const struct span *parts,
           size_t n, uint8_t *out)
{
    if (EVP_DigestInit_ex(ctx, digest_md(alg), NULL) != 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) != 1)
            return false;
    }
    return EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

enum assay_status
digest_compute(enum digest_alg alg, const struct span *parts, size_t n,
               uint8_t *out, struct assay_error *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && hash_parts(ctx, alg, parts, n, out);

    EVP_MD_CTX_free(ctx);
    if (!ok)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "digest");
    return ASSAY_OK;
}

enum assay_status
digest_sha256(struct span in, uint8_t out[SHA256_SIZE], struct assay_error *err)
{
    return digest_compute(DIGEST_SHA256, &in, 1, out, err);
}

enum assay_status
digest_sha384(struct span in, uint8_t out[SHA384_SIZE], struct assay_error *err)
{
    return digest_compute(DIGEST_SHA384, &in, 1, out, err);
}
