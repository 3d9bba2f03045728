/* What a key is made of. Internal to crypto/. */
#ifndef ASSAY_CRYPTO_KEY_INTERNAL_H
#define ASSAY_CRYPTO_KEY_INTERNAL_H

#include <stdatomic.h>

#include <openssl/evp.h>

#include "crypto/key.h"
#include "crypto/ossl.h"

/* Objects of crypto/ come from OPENSSL_malloc, so that one hook fails every
 * allocation of this layer in turn. */
struct key {
    struct key *self; /* lets a const holder share it */
    atomic_uint refs;
    EVP_PKEY *pkey;
    enum key_type type;
    bool has_private;
    uint8_t *spki;
    size_t spki_len;
};

enum { P384_SIZE = 48 }; /* bytes of a coordinate and of a scalar */

/* Takes pkey, also on failure. spki is copied; empty: encoded from pkey. */
ASSAY_MUST_CHECK
enum assay_status key_wrap(EVP_PKEY *pkey, bool has_private, struct span spki,
                           struct key **out, struct assay_error *err);

struct rsa_public {
    struct span n; /* big-endian, no leading zero; borrowed */
    uint64_t e;
    int bits; /* of n */
};

/* The kind of key in a SubjectPublicKeyInfo; *rsa is written for RSA only. */
enum key_type key_read_spki(struct span spki, struct rsa_public *rsa);

/* Strict, and no longer than a key file may be. */
ASSAY_MUST_CHECK
enum assay_status key_check_der(struct span der, const char *what,
                                struct assay_error *err);

/* A public P-384 key from 04 || X || Y, which must be on the curve. */
ASSAY_MUST_CHECK
enum assay_status key_from_point_p384(const uint8_t point[1 + 2 * P384_SIZE],
                                      struct key **out,
                                      struct assay_error *err);

/* Is this key of the kind alg signs with? ASSAY_ERR_UNSUPPORTED if not. */
ASSAY_MUST_CHECK
enum assay_status key_check_type(const struct key *key, bool fits,
                                 const char *what, struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status key_check_private(const struct key *key, const char *what,
                                    struct assay_error *err);

#endif
