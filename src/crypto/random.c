#include "crypto/random.h"

#include <limits.h>

#include <openssl/rand.h>

#include "crypto/ossl.h"

/* The private generator: what comes out may become a key, and must not be
 * predictable from nonces that are shown to everybody. */
static bool
fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    while (len > 0) {
        int n = len > INT_MAX ? INT_MAX : (int)len;

        if (RAND_priv_bytes(out, n) != 1) {
            (void)ossl_done(ASSAY_ERR_IO);
            return false;
        }
        out += n;
        len -= (size_t)n;
    }
    return true;
}

const struct random_source random_system = { fill, NULL };
