/* Public keys: SubjectPublicKeyInfo, read and written.
 *
 * The three kinds of keys we use are read here and handed over as numbers.
 * OpenSSL's own decoder costs two thousand allocations and tries every format
 * it knows; it is left the kinds we only carry. */
#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "crypto/der.h"
#include "crypto/key_internal.h"

enum {
    P256_SPKI_SIZE = 91,
    P384_SPKI_SIZE = 120,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 16384, /* OpenSSL verifies no larger ones */
    RSA_BYTES_MAX = RSA_BITS_MAX / 8,
    RSA_EXPONENT = 65537,
};

/* SubjectPublicKeyInfo up to the point: id-ecPublicKey, the named curve, the
 * BIT STRING and the byte that says "uncompressed" (RFC 5480). */
static const uint8_t p256_prefix[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
};
static const uint8_t p384_prefix[] = {
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04,
};
/* AlgorithmIdentifier rsaEncryption, NULL (RFC 4055 section 1.2). */
static const uint8_t rsa_algorithm[] = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
    0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
};

/* --- which kind ---------------------------------------------------------- */

static bool
has_prefix(struct span s, const uint8_t *prefix, size_t len)
{
    return s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

static int
count_bits(struct span n)
{
    int bits = (int)n.len * 8;

    for (unsigned mask = 0x80; mask > n.ptr[0]; mask >>= 1)
        bits--;
    return bits;
}

/* The RSAPublicKey (RFC 8017 A.1.1) in a SubjectPublicKeyInfo. */
static struct span
find_rsa_key(struct span spki)
{
    struct reader outer = reader_over(spki);
    struct reader rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    struct span algorithm, bits;
    uint8_t tag;

    (void)rd_der_any(&rd, &tag, &algorithm);
    bits = rd_der(&rd, DER_BIT_STRING);
    if (!rd_done(&outer) || !rd_done(&rd) || bits.len < 1 || bits.ptr[0] != 0 ||
        !span_equal(algorithm, span_of(rsa_algorithm, sizeof(rsa_algorithm))))
        return span_of(NULL, 0);
    return span_sub(bits, 1, bits.len);
}

/* False for what is no RSA key, or none that can be used. */
static bool
read_rsa(struct span spki, struct rsa_public *out)
{
    struct reader outer = reader_over(find_rsa_key(spki));
    struct reader rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    struct span n = rd_der(&rd, DER_INTEGER);
    uint64_t e = rd_der_uint(&rd);
    int bits;

    if (!rd_done(&outer) || !rd_done(&rd) || e < 3 || e % 2 == 0 ||
        n.len < RSA_BITS_MIN / 8 || n.len > RSA_BYTES_MAX + 1)
        return false;
    if (n.ptr[0] >= 0x80)
        return false; /* negative */
    if (n.ptr[n.len - 1] % 2 == 0)
        return false; /* no two odd primes: OpenSSL cannot even compute */
    if (n.ptr[0] == 0)
        n = span_sub(n, 1, n.len);
    bits = count_bits(n);
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        return false;
    *out = (struct rsa_public){ n, e, bits };
    return true;
}

enum key_type
key_read_spki(struct span spki, struct rsa_public *rsa)
{
    if (spki.len == P256_SPKI_SIZE &&
        has_prefix(spki, p256_prefix, sizeof(p256_prefix)))
        return KEY_P256;
    if (spki.len == P384_SPKI_SIZE &&
        has_prefix(spki, p384_prefix, sizeof(p384_prefix)))
        return KEY_P384;
    if (!read_rsa(spki, rsa))
        return KEY_OTHER;
    return rsa->bits == 4096 && rsa->e == RSA_EXPONENT ? KEY_RSA4096 : KEY_RSA;
}

/* --- reading ------------------------------------------------------------- */

static EVP_PKEY *
from_params(const char *algorithm, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    EVP_PKEY *pkey = NULL;

    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* point: 04 || X || Y. OSSL_PARAM wants its strings writable. */
static EVP_PKEY *
make_ec(enum key_type type, struct span point)
{
    char p256[] = "P-256", p384[] = "P-384";
    uint8_t copy[1 + 2 * P384_SIZE];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                         type == KEY_P256 ? p256 : p384, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy,
                                          point.len),
        OSSL_PARAM_construct_end(),
    };

    memcpy(copy, point.ptr, point.len);
    return from_params("EC", params);
}

static EVP_PKEY *
make_rsa(const struct rsa_public *rsa)
{
    uint8_t n[RSA_BYTES_MAX]; /* in the machine's order */
    uint64_t e = rsa->e;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, rsa->n.len),
        OSSL_PARAM_construct_uint64(OSSL_PKEY_PARAM_RSA_E, &e),
        OSSL_PARAM_construct_end(),
    };

    for (size_t i = 0; i < rsa->n.len; i++)
        n[i] = rsa->n.ptr[rsa->n.len - 1 - i];
    return from_params("RSA", params);
}

static EVP_PKEY *
make_other(struct span der)
{
    const unsigned char *at = der.ptr;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)der.len);

    if (pkey && at != der.ptr + der.len) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

static EVP_PKEY *
make_key(struct span der)
{
    struct rsa_public rsa;
    enum key_type type = key_read_spki(der, &rsa);

    switch (type) {
    case KEY_P256:
        return make_ec(type, span_sub(der, sizeof(p256_prefix) - 1, 65));
    case KEY_P384:
        return make_ec(type, span_sub(der, sizeof(p384_prefix) - 1, 97));
    case KEY_RSA4096:
    case KEY_RSA:
        return make_rsa(&rsa);
    case KEY_OTHER:
        break;
    }
    return make_other(der);
}

/* Of a kind we read ourselves only the numbers can be wrong, and OpenSSL then
 * says so. Of the others it calls whatever went wrong a "decode error": a
 * stranger must not be able to make that look like a lack of memory. */
static enum assay_status
fail_key(struct span der, struct assay_error *err)
{
    struct rsa_public rsa;

    if (key_read_spki(der, &rsa) == KEY_OTHER)
        return ossl_fail(err, ASSAY_ERR_MALFORMED, "public key");
    return ossl_fail_named(err, ASSAY_ERR_MALFORMED, "public key");
}

enum assay_status
key_check_der(struct span der, const char *what, struct assay_error *err)
{
    if (der.len > LIMIT_KEY_FILE_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT, "%s: %zu bytes, at most %d",
                          what, der.len, LIMIT_KEY_FILE_BYTES);
    if (!der_is_strict(der))
        return assay_fail(err, ASSAY_ERR_MALFORMED, "%s: not DER", what);
    return ASSAY_OK;
}

enum assay_status
key_from_spki_der(struct span der, struct key **out, struct assay_error *err)
{
    enum assay_status st = key_check_der(der, "public key", err);
    EVP_PKEY *pkey;

    if (st != ASSAY_OK)
        return st;
    pkey = make_key(der);
    if (!pkey)
        return fail_key(der, err);
    return key_wrap(pkey, false, der, out, err);
}

/* Read as what it is in a SubjectPublicKeyInfo. */
enum assay_status
key_from_rsa_public_der(struct span der, struct key **out,
                        struct assay_error *err)
{
    static const uint8_t no_unused_bits = 0;
    enum assay_status st = key_check_der(der, "RSA public key", err);
    struct buffer spki;
    size_t whole, bits;

    if (st != ASSAY_OK)
        return st;
    buffer_init(&spki, 2 * LIMIT_KEY_FILE_BYTES, NULL);
    whole = der_begin(&spki);
    buffer_add(&spki, span_of(rsa_algorithm, sizeof(rsa_algorithm)));
    bits = der_begin(&spki);
    buffer_add(&spki, span_of(&no_unused_bits, 1));
    buffer_add(&spki, der);
    der_end(&spki, DER_BIT_STRING, bits);
    der_end(&spki, DER_SEQUENCE, whole);
    st = buffer_check(&spki, "RSA public key", err);
    if (st == ASSAY_OK)
        st = key_from_spki_der(buffer_span(&spki), out, err);
    buffer_free(&spki);
    return st;
}

enum assay_status
key_from_point_p384(const uint8_t point[1 + 2 * P384_SIZE], struct key **out,
                    struct assay_error *err)
{
    uint8_t spki[P384_SPKI_SIZE];

    memcpy(spki, p384_prefix, sizeof(p384_prefix));
    memcpy(spki + sizeof(p384_prefix), point + 1, 2 * P384_SIZE);
    return key_from_spki_der(span_of(spki, sizeof(spki)), out, err);
}

enum assay_status
key_from_point_p256(const uint8_t xy[64], struct key **out,
                    struct assay_error *err)
{
    uint8_t spki[P256_SPKI_SIZE];

    memcpy(spki, p256_prefix, sizeof(p256_prefix));
    memcpy(spki + sizeof(p256_prefix), xy, 64);
    return key_from_spki_der(span_of(spki, sizeof(spki)), out, err);
}

/* --- writing ------------------------------------------------------------- */

enum assay_status
key_point_p384(const struct key *key, uint8_t xy[96], struct assay_error *err)
{
    enum assay_status st =
        key_check_type(key, key->type == KEY_P384, "point of the key", err);

    if (st == ASSAY_OK)
        memcpy(xy, key->spki + sizeof(p384_prefix), 2 * P384_SIZE);
    return st;
}

enum assay_status
key_point_p256(const struct key *key, uint8_t xy[64], struct assay_error *err)
{
    enum assay_status st =
        key_check_type(key, key->type == KEY_P256, "point of the key", err);

    if (st == ASSAY_OK)
        memcpy(xy, key->spki + sizeof(p256_prefix), 64);
    return st;
}

enum assay_status
key_rsa_public_der(const struct key *key, struct buffer *out,
                   struct assay_error *err)
{
    bool is_rsa = key->type == KEY_RSA4096 || key->type == KEY_RSA;
    enum assay_status st = key_check_type(key, is_rsa, "PKCS#1", err);

    if (st != ASSAY_OK)
        return st;
    buffer_add(out, find_rsa_key(key_spki(key)));
    return buffer_check(out, "PKCS#1", err);
}
