/* Asymmetric keys: ECDSA on P-256 and P-384, RSA.
 *
 * A struct key is immutable and may be used by several threads at once.
 * key_dup shares it, key_free lets go of it. A key holds a private half or
 * not; operations that need one say so. Keys of other kinds (in somebody's
 * certificate) can be carried and shown, but not used: KEY_OTHER.
 *
 * Common errors: ASSAY_ERR_MALFORMED for bytes that are no key,
 * ASSAY_ERR_UNSUPPORTED for an operation this kind of key does not have,
 * ASSAY_ERR_UNTRUSTED for a signature that does not verify, ASSAY_ERR_NOMEM.
 * Output buffers are appended to, and only on success. */
#ifndef ASSAY_CRYPTO_KEY_H
#define ASSAY_CRYPTO_KEY_H

#include "base/buffer.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

struct key;
struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

enum key_type {
    KEY_OTHER, /* anything below does not name, or in unusual encoding */
    KEY_P256,  /* named curve, uncompressed point */
    KEY_P384,
    KEY_RSA4096, /* 4096 bits exactly, rsaEncryption, exponent 65537 */
    KEY_RSA,     /* rsaEncryption of another size (2048 to 16384) or exponent */
};

enum signature_alg {
    SIGNATURE_OTHER,
    SIGNATURE_ECDSA_SHA256,
    SIGNATURE_ECDSA_SHA384,
    SIGNATURE_RSA_PKCS1_SHA256,
    SIGNATURE_RSA_PSS_SHA384, /* MGF1-SHA-384, 48 bytes of salt, trailer 1 */
};

/* P256, P384 or RSA4096. Randomness comes from OpenSSL's own generator. */
ASSAY_MUST_CHECK
enum assay_status key_generate(enum key_type type, struct key **out,
                               struct assay_error *err);

/* CI 8.3: the P-384 key that HMAC-DRBG-SHA-256 derives from seed. */
ASSAY_MUST_CHECK
enum assay_status key_deterministic_p384(struct span seed, struct key **out,
                                         struct assay_error *err);

/* CI 7.4: the public P-384 key under which (r, s) = (2, 1) is a signature of
 * the SHA-384 digest; of the two, the one that is smaller by x, then y. */
ASSAY_MUST_CHECK
enum assay_status key_recover_p384_constant(const uint8_t digest[SHA384_SIZE],
                                            struct key **out,
                                            struct assay_error *err);

/* DER with nothing behind it: PKCS#8, SEC 1 or PKCS#1 private keys of a
 * supported type, whose two halves must match. PEM: see codec/pem_key.h. */
ASSAY_MUST_CHECK
enum assay_status key_from_private_der(struct span der, struct key **out,
                                       struct assay_error *err);

/* SubjectPublicKeyInfo; any kind OpenSSL can read. */
ASSAY_MUST_CHECK
enum assay_status key_from_spki_der(struct span der, struct key **out,
                                    struct assay_error *err);

/* PKCS#1 RSAPublicKey, as CI 9.1 lists seedshare owners. */
ASSAY_MUST_CHECK
enum assay_status key_from_rsa_public_der(struct span der, struct key **out,
                                          struct assay_error *err);

struct key *key_dup(const struct key *key); /* shares; never fails */
void key_free(struct key *key);

enum key_type key_type(const struct key *key);
const char *key_type_name(enum key_type type); /* "ECDSA P-384", ... */
int key_bits(const struct key *key);
bool key_has_private(const struct key *key);
bool key_equal_public(const struct key *a, const struct key *b);

/* The SubjectPublicKeyInfo, borrowed from key: as it was read, or as encoded
 * for a key that was made here. */
struct span key_spki(const struct key *key);

/* X || Y of a P-384 key, big-endian, 48 bytes each. */
ASSAY_MUST_CHECK
enum assay_status key_point_p384(const struct key *key, uint8_t xy[96],
                                 struct assay_error *err);

/* The same of a P-256 key, 32 bytes each; and back: ASSAY_ERR_MALFORMED when
 * the point is not on the curve. */
ASSAY_MUST_CHECK
enum assay_status key_point_p256(const struct key *key, uint8_t xy[64],
                                 struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status key_from_point_p256(const uint8_t xy[64], struct key **out,
                                      struct assay_error *err);

/* The private number d of a P-384 key, big-endian, 48 bytes. */
ASSAY_MUST_CHECK
enum assay_status key_private_scalar_p384(const struct key *key,
                                          struct secret *d,
                                          struct assay_error *err);

/* RSAPublicKey of PKCS#1; RSA only. */
ASSAY_MUST_CHECK
enum assay_status key_rsa_public_der(const struct key *key, struct buffer *out,
                                     struct assay_error *err);

/* Private halves. The legacy form is SEC 1 for EC and PKCS#1 for RSA. *out
 * must be empty. */
ASSAY_MUST_CHECK
enum assay_status key_pkcs8_der(const struct key *key, struct secret *out,
                                struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status key_legacy_der(const struct key *key, struct secret *out,
                                 struct assay_error *err);

/* Borrowed, for TLS; lives as long as key. Up-ref it to keep it. */
struct evp_pkey_st *key_evp(const struct key *key);

/* The signature algorithm a key of this type uses in certificates unless told
 * otherwise (CI 1.4); SIGNATURE_OTHER for KEY_OTHER. */
enum signature_alg key_signature_alg(const struct key *key);
const char *signature_alg_name(enum signature_alg alg);

/* Over a message, hashed here. ECDSA signatures are ASN.1 DER. */
ASSAY_MUST_CHECK
enum assay_status key_sign(const struct key *key, enum signature_alg alg,
                           struct span message, struct buffer *signature,
                           struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status key_verify(const struct key *key, enum signature_alg alg,
                             struct span message, struct span signature,
                             struct assay_error *err);

/* ECDSA (ASN.1 DER) over a digest the caller made, 20 to 64 bytes. */
ASSAY_MUST_CHECK
enum assay_status key_sign_digest(const struct key *key, struct span digest,
                                  struct buffer *signature,
                                  struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status key_verify_digest(const struct key *key, struct span digest,
                                    struct span signature,
                                    struct assay_error *err);

/* ECDSA P-384 over a SHA-384 digest with the two numbers as SEV-SNP keeps
 * them, but big-endian. ASSAY_ERR_UNTRUSTED also for r or s outside
 * 1..n-1. Nothing that is allocated outlives the call. */
ASSAY_MUST_CHECK
enum assay_status key_verify_p384_raw(const struct key *key,
                                      const uint8_t digest[SHA384_SIZE],
                                      const uint8_t r[48], const uint8_t s[48],
                                      struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status key_sign_p384_raw(const struct key *key,
                                    const uint8_t digest[SHA384_SIZE],
                                    uint8_t r[48], uint8_t s[48],
                                    struct assay_error *err);

/* ECDSA P-256 with SHA-256 over a message, r || s big-endian as quotes keep
 * them. Errors as above. */
ASSAY_MUST_CHECK
enum assay_status key_verify_p256_raw(const struct key *key,
                                      struct span message, const uint8_t rs[64],
                                      struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status key_sign_p256_raw(const struct key *key, struct span message,
                                    uint8_t rs[64], struct assay_error *err);

/* RSA-OAEP with SHA-256 for hash and MGF1. The label must match. */
ASSAY_MUST_CHECK
enum assay_status key_oaep_encrypt(const struct key *key, struct span label,
                                   struct span plain, struct buffer *out,
                                   struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status key_oaep_decrypt(const struct key *key, struct span label,
                                   struct span cipher, struct secret *out,
                                   struct assay_error *err);

#endif
