#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto/ossl.h"

static bool
mac_parts(EVP_MAC_CTX *ctx, struct span key, const struct span *parts, size_t n,
          uint8_t *out)
{
    char sha256[] = "SHA256"; /* OSSL_PARAM wants it writable */
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_end(),
    };
    /* A NULL key would mean "keep the key of before". */
    const uint8_t *key_ptr = key.ptr ? key.ptr : (const uint8_t *)"";
    size_t out_len;

    if (EVP_MAC_init(ctx, key_ptr, key.len, params) != 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (EVP_MAC_update(ctx, parts[i].ptr, parts[i].len) != 1)
            return false;
    }
    return EVP_MAC_final(ctx, out, &out_len, SHA256_SIZE) == 1 &&
           out_len == SHA256_SIZE;
}

enum assay_status
hmac_sha256(struct span key, const struct span *parts, size_t n,
            uint8_t out[SHA256_SIZE], struct assay_error *err)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool ok = ctx && mac_parts(ctx, key, parts, n, out);

    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    if (!ok)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "hmac");
    return ASSAY_OK;
}
