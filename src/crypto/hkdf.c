#include "crypto/hkdf.h"

#include <string.h>

#include "crypto/hmac.h"
#include "crypto/secret.h"

/* Section 2.3: T(i) = HMAC(PRK, T(i-1) | info | i), cut to out_len. */
static enum assay_status
expand(struct span prk, struct span info, uint8_t *out, size_t out_len,
       struct assay_error *err)
{
    uint8_t block[SHA256_SIZE];
    enum assay_status st = ASSAY_OK;
    size_t done = 0;

    for (uint8_t i = 1; done < out_len; i++) {
        const struct span parts[] = {
            span_of(block, i == 1 ? 0 : sizeof(block)),
            info,
            span_of(&i, 1),
        };
        size_t n = out_len - done;

        if (n > sizeof(block))
            n = sizeof(block);
        st = hmac_sha256(prk, parts, 3, block, err);
        if (st != ASSAY_OK)
            break;
        memcpy(out + done, block, n);
        done += n;
    }
    secret_cleanse(block, sizeof(block));
    if (st != ASSAY_OK)
        secret_cleanse(out, out_len);
    return st;
}

enum assay_status
hkdf_sha256(struct span ikm, struct span salt, struct span info, uint8_t *out,
            size_t out_len, struct assay_error *err)
{
    uint8_t prk[SHA256_SIZE];
    enum assay_status st;

    if (out_len < 1 || out_len > 255 * SHA256_SIZE)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "hkdf: %zu bytes asked for, 1 to %d can be had",
                          out_len, 255 * SHA256_SIZE);
    st = hmac_sha256(salt, &ikm, 1, prk, err);
    if (st == ASSAY_OK)
        st = expand(span_of(prk, sizeof(prk)), info, out, out_len, err);
    secret_cleanse(prk, sizeof(prk));
    return st;
}
