#include "crypto/hash.h"

#include <openssl/evp.h>

static const char *
name_of(enum hash_alg alg)
{
    static const char *const names[] = {
        [HASH_MD5] = "MD5",       [HASH_SHA1] = "SHA1",
        [HASH_SHA256] = "SHA256", [HASH_SHA384] = "SHA384",
        [HASH_SHA512] = "SHA512",
    };

    return names[alg];
}

enum assay_status
hash_compute(enum hash_alg alg, struct span in, uint8_t out[HASH_MAX_SIZE],
             size_t *len, struct assay_error *err)
{
    if (EVP_Q_digest(NULL, name_of(alg), NULL, in.ptr, in.len, out, len) == 1)
        return ASSAY_OK;
    return assay_fail(err, ASSAY_ERR_UNSUPPORTED, "hash: %s failed",
                      name_of(alg));
}

enum assay_status
hash_hmac(enum hash_alg alg, struct span key, struct span message,
          uint8_t out[HASH_MAX_SIZE], size_t *len, struct assay_error *err)
{
    static const uint8_t none[1];

    /* The library takes a NULL key for a missing one. */
    if (EVP_Q_mac(NULL, "HMAC", NULL, name_of(alg), NULL,
                  key.len > 0 ? key.ptr : none, key.len,
                  message.len > 0 ? message.ptr : none, message.len, out,
                  HASH_MAX_SIZE, len))
        return ASSAY_OK;
    return assay_fail(err, ASSAY_ERR_UNSUPPORTED, "hmac: %s failed",
                      name_of(alg));
}
