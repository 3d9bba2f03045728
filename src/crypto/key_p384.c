/* What is done with P-384 keys alone. */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "crypto/der.h"
#include "crypto/hmac.h"
#include "crypto/key_internal.h"

enum { POINT_SIZE = 1 + 2 * P384_SIZE };

/* --- CI 8.3: a key out of a seed ----------------------------------------- */

struct drbg {
    uint8_t key[SHA256_SIZE];
    uint8_t value[SHA256_SIZE];
};

/* K = HMAC(K, V || separator || seed || label); V = HMAC(K, V) */
static enum assay_status
drbg_update(struct drbg *d, uint8_t separator, struct span seed,
            struct assay_error *err)
{
    const struct span parts[] = {
        span_of(d->value, sizeof(d->value)),
        span_of(&separator, 1),
        seed,
        span_str("det ECDSA key gen P-384"),
    };
    struct span k = span_of(d->key, sizeof(d->key));
    enum assay_status st = hmac_sha256(k, parts, 4, d->key, err);

    return st == ASSAY_OK ? hmac_sha256(k, parts, 1, d->value, err) : st;
}

static enum assay_status
drbg_draw(struct span seed, uint8_t out[P384_SIZE], struct assay_error *err)
{
    struct drbg d;
    struct span k = span_of(d.key, sizeof(d.key));
    struct span v = span_of(d.value, sizeof(d.value));
    enum assay_status st;

    memset(d.key, 0x00, sizeof(d.key));
    memset(d.value, 0x01, sizeof(d.value));
    st = drbg_update(&d, 0x00, seed, err);
    if (st == ASSAY_OK)
        st = drbg_update(&d, 0x01, seed, err);
    if (st == ASSAY_OK)
        st = hmac_sha256(k, &v, 1, d.value, err);
    memcpy(out, d.value, SHA256_SIZE);
    if (st == ASSAY_OK)
        st = hmac_sha256(k, &v, 1, d.value, err);
    memcpy(out + SHA256_SIZE, d.value, P384_SIZE - SHA256_SIZE);
    secret_cleanse(&d, sizeof(d));
    return st;
}

/* The order of the group, big-endian. */
static const uint8_t p384_order[P384_SIZE] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
    0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
};

/* RFC 5915 ECPrivateKey around the scalar, which follows it, and the curve's
 * name, which comes last. OpenSSL computes the public half that is missing. */
static const uint8_t sec1_head[] = {
    0x30, 0x3e, 0x02, 0x01, 0x01, 0x04, 0x30,
};
static const uint8_t sec1_tail[] = {
    0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22,
};

enum assay_status
key_deterministic_p384(struct span seed, struct key **out,
                       struct assay_error *err)
{
    struct secret der = { 0 };
    uint8_t *d;
    enum assay_status st = secret_alloc(
        &der, sizeof(sec1_head) + P384_SIZE + sizeof(sec1_tail), err);

    if (st != ASSAY_OK)
        return st;
    d = der.ptr + sizeof(sec1_head);
    memcpy(der.ptr, sec1_head, sizeof(sec1_head));
    memcpy(d + P384_SIZE, sec1_tail, sizeof(sec1_tail));
    st = drbg_draw(seed, d, err);
    /* One seed in 2^190 gets here; upstream does not draw again either. */
    if (st == ASSAY_OK && (span_is_zero(span_of(d, P384_SIZE)) ||
                           memcmp(d, p384_order, P384_SIZE) >= 0))
        st = assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                        "key from seed: number outside the group");
    if (st == ASSAY_OK)
        st = key_from_private_der(secret_span(&der), out, err);
    secret_wipe(&der);
    /* The DER is ours and well formed: only memory can be missing. */
    return st == ASSAY_ERR_MALFORMED ? assay_nomem(err, "key from seed") : st;
}

/* --- CI 7.4: a key out of a constant signature --------------------------- */

struct recovery {
    EC_GROUP *group;
    EC_POINT *point;
    BN_CTX *ctx;
    BIGNUM *z, *half, *x;
};

static void
recovery_free(struct recovery *c)
{
    BN_free(c->x);
    BN_free(c->half);
    BN_free(c->z);
    BN_CTX_free(c->ctx);
    EC_POINT_free(c->point);
    EC_GROUP_free(c->group);
}

/* z becomes -z/2 and half 1/2, modulo the order; x is r = 2. */
static bool
recovery_init(struct recovery *c, const uint8_t digest[SHA384_SIZE])
{
    const BIGNUM *order;

    c->group = EC_GROUP_new_by_curve_name(NID_secp384r1);
    c->point = c->group ? EC_POINT_new(c->group) : NULL;
    c->ctx = BN_CTX_new();
    c->z = BN_bin2bn(digest, SHA384_SIZE, NULL);
    c->half = BN_new();
    c->x = BN_new();
    if (!c->point || !c->ctx || !c->z || !c->half || !c->x)
        return false;
    order = EC_GROUP_get0_order(c->group);
    return BN_set_word(c->x, 2) == 1 &&
           BN_mod_inverse(c->half, c->x, order, c->ctx) &&
           BN_mod_mul(c->z, c->z, c->half, order, c->ctx) == 1 &&
           BN_mod_sub(c->z, order, c->z, order, c->ctx) == 1;
}

/* Q = r^-1 (s R - z G) with r = 2, s = 1 and R the point with x = 2 and the
 * given parity of y. */
static bool
recovery_candidate(struct recovery *c, int y_odd, uint8_t out[POINT_SIZE])
{
    return EC_POINT_set_compressed_coordinates(c->group, c->point, c->x, y_odd,
                                               c->ctx) == 1 &&
           EC_POINT_mul(c->group, c->point, c->z, c->point, c->half, c->ctx) ==
               1 &&
           EC_POINT_point2oct(c->group, c->point, POINT_CONVERSION_UNCOMPRESSED,
                              out, POINT_SIZE, c->ctx) == POINT_SIZE;
}

enum assay_status
key_recover_p384_constant(const uint8_t digest[SHA384_SIZE], struct key **out,
                          struct assay_error *err)
{
    uint8_t even[POINT_SIZE], odd[POINT_SIZE];
    struct recovery c = { 0 };
    bool ok = recovery_init(&c, digest) && recovery_candidate(&c, 0, even) &&
              recovery_candidate(&c, 1, odd);

    recovery_free(&c);
    if (!ok)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "key recovery");
    /* By x, then y: as both are big-endian, the order of the bytes. */
    return key_from_point_p384(memcmp(even, odd, POINT_SIZE) <= 0 ? even : odd,
                               out, err);
}
