/* Private keys to DER and back. */
#include <limits.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "crypto/der.h"
#include "crypto/key_internal.h"

static EVP_PKEY *
decode_pkcs8(const unsigned char **at, long len)
{
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, at, len);
    EVP_PKEY *pkey = info ? EVP_PKCS82PKEY(info) : NULL;

    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

/* All three forms begin with a version; what follows tells them apart. */
static EVP_PKEY *
decode_private(struct span der, const unsigned char **at)
{
    struct reader outer = reader_over(der);
    struct reader rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    long len = (long)der.len;

    (void)rd_der(&rd, DER_INTEGER);
    switch (rd_der_peek(&rd)) {
    case DER_SEQUENCE: /* RFC 5958: the algorithm */
        return decode_pkcs8(at, len);
    case DER_OCTET_STRING: /* RFC 5915: the scalar */
        return d2i_PrivateKey(EVP_PKEY_EC, NULL, at, len);
    case DER_INTEGER: /* RFC 8017: the modulus */
        return d2i_PrivateKey(EVP_PKEY_RSA, NULL, at, len);
    default:
        return NULL;
    }
}

/* A file whose halves disagree would sign what nobody can verify. A trial
 * finds that at a fiftieth of the price of OpenSSL's own check of an RSA key,
 * which tests the primes. */
static enum assay_status
check_halves(const struct key *key, struct assay_error *err)
{
    struct span message = span_str("do both halves belong together?");
    enum signature_alg alg = key_signature_alg(key);
    struct buffer signature;
    enum assay_status st;

    buffer_init(&signature, LIMIT_KEY_FILE_BYTES, NULL);
    st = key_sign(key, alg, message, &signature, err);
    if (st == ASSAY_OK)
        st = key_verify(key, alg, message, buffer_span(&signature), err);
    buffer_free(&signature);
    if (st == ASSAY_ERR_UNTRUSTED)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "private key: its halves do not match");
    return st;
}

enum assay_status
key_from_private_der(struct span der, struct key **out, struct assay_error *err)
{
    const unsigned char *at = der.ptr;
    enum assay_status st = key_check_der(der, "private key", err);
    struct key *key = NULL;
    EVP_PKEY *pkey;

    if (st != ASSAY_OK)
        return st;
    pkey = decode_private(der, &at);
    if (!pkey || at != der.ptr + der.len) {
        EVP_PKEY_free(pkey);
        return ossl_fail(err, ASSAY_ERR_MALFORMED, "private key");
    }
    st = key_wrap(pkey, true, span_of(NULL, 0), &key, err);
    if (st != ASSAY_OK)
        return st;
    st = key_check_type(key, key->type != KEY_OTHER, "private key", err);
    if (st == ASSAY_OK)
        st = check_halves(key, err);
    if (st == ASSAY_OK)
        *out = key;
    else
        key_free(key);
    return ossl_done(st);
}

/* OpenSSL's encoders write to a place they are given: straight into pages
 * that are kept out of core dumps. */
static enum assay_status
encode_secret(int (*encode)(const void *object, unsigned char **at),
              const void *object, struct secret *out, struct assay_error *err)
{
    struct secret der = { 0 };
    unsigned char *at;
    int len = encode(object, NULL);
    enum assay_status st;

    if (len <= 0)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "private key");
    st = secret_alloc(&der, (size_t)len, err);
    if (st != ASSAY_OK)
        return st;
    at = der.ptr;
    if (encode(object, &at) != len) {
        secret_wipe(&der);
        return ossl_fail(err, ASSAY_ERR_NOMEM, "private key");
    }
    *out = der;
    return ossl_done(ASSAY_OK);
}

static int
encode_pkcs8(const void *object, unsigned char **at)
{
    return i2d_PKCS8_PRIV_KEY_INFO(object, at);
}

static int
encode_legacy(const void *object, unsigned char **at)
{
    return i2d_PrivateKey(object, at);
}

enum assay_status
key_pkcs8_der(const struct key *key, struct secret *out,
              struct assay_error *err)
{
    enum assay_status st = key_check_private(key, "PKCS#8", err);
    PKCS8_PRIV_KEY_INFO *info;

    if (st != ASSAY_OK)
        return st;
    info = EVP_PKEY2PKCS8(key->pkey);
    if (!info)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "PKCS#8");
    st = encode_secret(encode_pkcs8, info, out, err);
    PKCS8_PRIV_KEY_INFO_free(info);
    return st;
}

enum assay_status
key_legacy_der(const struct key *key, struct secret *out,
               struct assay_error *err)
{
    enum assay_status st = key_check_private(key, "private key", err);

    return st == ASSAY_OK ? encode_secret(encode_legacy, key->pkey, out, err)
                          : st;
}

enum assay_status
key_private_scalar_p384(const struct key *key, struct secret *d,
                        struct assay_error *err)
{
    bool fits = key->type == KEY_P384 && key->has_private;
    enum assay_status st = key_check_type(key, fits, "private scalar", err);
    struct secret bytes = { 0 };
    BIGNUM *n = NULL;

    if (st == ASSAY_OK)
        st = secret_alloc(&bytes, P384_SIZE, err);
    if (st != ASSAY_OK)
        return st;
    if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &n) != 1 ||
        BN_bn2binpad(n, bytes.ptr, P384_SIZE) != P384_SIZE) {
        BN_clear_free(n);
        secret_wipe(&bytes);
        return ossl_fail(err, ASSAY_ERR_NOMEM, "private scalar");
    }
    BN_clear_free(n);
    *d = bytes;
    return ossl_done(ASSAY_OK);
}
