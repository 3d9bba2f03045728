/* Signatures and encryption. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/der.h"
#include "crypto/key_internal.h"

enum {
    PSS_SALT_SIZE = 48,
    SIGNATURE_MAX = 2048, /* RSA of 16384 bits */
    DIGEST_MIN = 20,
};

static bool
is_ec(const struct key *key)
{
    return key->type == KEY_P256 || key->type == KEY_P384;
}

static bool
is_rsa(const struct key *key)
{
    return key->type == KEY_RSA4096 || key->type == KEY_RSA;
}

static enum assay_status
check_alg(const struct key *key, enum signature_alg alg,
          struct assay_error *err)
{
    bool fits = false;

    switch (alg) {
    case SIGNATURE_ECDSA_SHA256:
    case SIGNATURE_ECDSA_SHA384:
        fits = is_ec(key);
        break;
    case SIGNATURE_RSA_PKCS1_SHA256:
    case SIGNATURE_RSA_PSS_SHA384:
        fits = is_rsa(key);
        break;
    case SIGNATURE_OTHER:
        break;
    }
    return key_check_type(key, fits, signature_alg_name(alg), err);
}

static const EVP_MD *
alg_md(enum signature_alg alg)
{
    return alg == SIGNATURE_ECDSA_SHA384 || alg == SIGNATURE_RSA_PSS_SHA384
               ? EVP_sha384()
               : EVP_sha256();
}

/* pctx belongs to a digest context that knows its hash. */
static bool
set_padding(EVP_PKEY_CTX *pctx, enum signature_alg alg)
{
    if (alg != SIGNATURE_RSA_PSS_SHA384)
        return true; /* ECDSA has none; PKCS#1 v1.5 is the default */
    return EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha384()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, PSS_SALT_SIZE) == 1;
}

enum assay_status
key_sign(const struct key *key, enum signature_alg alg, struct span message,
         struct buffer *signature, struct assay_error *err)
{
    uint8_t bytes[SIGNATURE_MAX];
    size_t len = sizeof(bytes);
    EVP_PKEY_CTX *pctx;
    EVP_MD_CTX *ctx;
    enum assay_status st = check_alg(key, alg, err);
    bool ok;

    if (st == ASSAY_OK)
        st = key_check_private(key, "signature", err);
    if (st != ASSAY_OK)
        return st;
    ctx = EVP_MD_CTX_new();
    ok = ctx &&
         EVP_DigestSignInit(ctx, &pctx, alg_md(alg), NULL, key->pkey) == 1 &&
         set_padding(pctx, alg) &&
         EVP_DigestSign(ctx, bytes, &len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok || len > sizeof(bytes)) /* OpenSSL 3.0: (size_t)-1 and success */
        return ossl_fail(err, ASSAY_ERR_NOMEM, "signature");
    buffer_add(signature, span_of(bytes, len));
    return ossl_done(buffer_check(signature, "signature", err));
}

static enum assay_status
check_digest(const struct key *key, struct span digest, struct assay_error *err)
{
    if (digest.len < DIGEST_MIN || digest.len > DIGEST_MAX_SIZE)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "signature: a digest of %zu bytes, want %d to %d",
                          digest.len, DIGEST_MIN, DIGEST_MAX_SIZE);
    return key_check_type(key, is_ec(key), "ECDSA", err);
}

enum assay_status
key_sign_digest(const struct key *key, struct span digest,
                struct buffer *signature, struct assay_error *err)
{
    uint8_t bytes[SIGNATURE_MAX];
    size_t len = sizeof(bytes);
    EVP_PKEY_CTX *ctx;
    enum assay_status st = check_digest(key, digest, err);
    bool ok;

    if (st == ASSAY_OK)
        st = key_check_private(key, "signature", err);
    if (st != ASSAY_OK)
        return st;
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    ok = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
         EVP_PKEY_sign(ctx, bytes, &len, digest.ptr, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!ok || len > sizeof(bytes)) /* as above */
        return ossl_fail(err, ASSAY_ERR_NOMEM, "signature");
    buffer_add(signature, span_of(bytes, len));
    return ossl_done(buffer_check(signature, "signature", err));
}

/* --- verifying -----------------------------------------------------------
 *
 * "Does not verify" is a verdict, "ran out of memory" is none. OpenSSL gives
 * both the same answer more often than not, so what is said here is that a
 * signature is wrong where OpenSSL says so, and memory in all other cases. */

static enum assay_status
wrong_signature(struct assay_error *err)
{
    (void)ossl_done(ASSAY_OK);
    return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                      "signature: does not verify under this key");
}

static enum assay_status
verify_rsa(const struct key *key, enum signature_alg alg, struct span message,
           struct span signature, struct assay_error *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    bool ready, ok;

    ready =
        ctx &&
        EVP_DigestVerifyInit(ctx, &pctx, alg_md(alg), NULL, key->pkey) == 1 &&
        set_padding(pctx, alg);
    ok = ready && EVP_DigestVerify(ctx, signature.ptr, signature.len,
                                   message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (ok)
        return ossl_done(ASSAY_OK);
    /* Its checks of the padding put a reason of RSA's own in the queue. */
    if (ready && ossl_was_named_by(ERR_LIB_RSA))
        return wrong_signature(err);
    return ossl_fail(err, ASSAY_ERR_NOMEM, "signature");
}

enum assay_status
key_verify(const struct key *key, enum signature_alg alg, struct span message,
           struct span signature, struct assay_error *err)
{
    enum digest_alg hash =
        alg == SIGNATURE_ECDSA_SHA384 ? DIGEST_SHA384 : DIGEST_SHA256;
    uint8_t digest[DIGEST_MAX_SIZE];
    enum assay_status st = check_alg(key, alg, err);

    if (st != ASSAY_OK)
        return st;
    if (is_rsa(key))
        return verify_rsa(key, alg, message, signature, err);
    st = digest_compute(hash, &message, 1, digest, err);
    if (st != ASSAY_OK)
        return st;
    return key_verify_digest(key, span_of(digest, digest_size(hash)), signature,
                             err);
}

/* SEQUENCE of two INTEGERs that are not negative: what OpenSSL decodes. */
static bool
is_ecdsa_signature(struct span signature)
{
    struct reader outer = reader_over(signature);
    struct reader rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    struct span r = rd_der(&rd, DER_INTEGER);
    struct span s = rd_der(&rd, DER_INTEGER);

    return rd_done(&outer) && rd_done(&rd) && der_is_strict(signature) &&
           r.ptr[0] < 0x80 && s.ptr[0] < 0x80;
}

enum assay_status
key_verify_digest(const struct key *key, struct span digest,
                  struct span signature, struct assay_error *err)
{
    EVP_PKEY_CTX *ctx;
    enum assay_status st = check_digest(key, digest, err);
    int answer = -1; /* 1 yes, 0 no, negative: could not find out */

    if (st != ASSAY_OK)
        return st;
    if (!is_ecdsa_signature(signature))
        return wrong_signature(err);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (ctx && EVP_PKEY_verify_init(ctx) == 1)
        answer = EVP_PKEY_verify(ctx, signature.ptr, signature.len, digest.ptr,
                                 digest.len);
    EVP_PKEY_CTX_free(ctx);
    if (answer == 1)
        return ossl_done(ASSAY_OK);
    if (answer == 0)
        return wrong_signature(err);
    return ossl_fail(err, ASSAY_ERR_NOMEM, "signature");
}

/* --- encryption ---------------------------------------------------------- */

/* OpenSSL frees the label with the context: it wants its own copy. */
static bool
set_oaep(EVP_PKEY_CTX *ctx, struct span label)
{
    void *copy = NULL;

    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) != 1)
        return false;
    if (label.len == 0)
        return true;
    copy = OPENSSL_memdup(label.ptr, label.len);
    if (!copy)
        return false;
    if (EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, (int)label.len) != 1) {
        OPENSSL_free(copy);
        return false;
    }
    return true;
}

enum assay_status
key_oaep_encrypt(const struct key *key, struct span label, struct span plain,
                 struct buffer *out, struct assay_error *err)
{
    uint8_t bytes[SIGNATURE_MAX];
    size_t len = sizeof(bytes);
    EVP_PKEY_CTX *ctx;
    enum assay_status st = key_check_type(key, is_rsa(key), "RSA-OAEP", err);
    bool ok;

    if (st != ASSAY_OK)
        return st;
    /* RFC 8017 section 7.1.1: two hashes and two bytes go round it. */
    if (plain.len + 2 * SHA256_SIZE + 2 > (size_t)key_bits(key) / 8)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "RSA-OAEP: %zu bytes are too many for the key",
                          plain.len);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    ok = ctx && EVP_PKEY_encrypt_init(ctx) == 1 && set_oaep(ctx, label) &&
         EVP_PKEY_encrypt(ctx, bytes, &len, plain.ptr, plain.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!ok || len > sizeof(bytes))
        return ossl_fail(err, ASSAY_ERR_NOMEM, "RSA-OAEP");
    buffer_add(out, span_of(bytes, len));
    return ossl_done(buffer_check(out, "RSA-OAEP", err));
}

static enum assay_status
wrong_ciphertext(struct assay_error *err)
{
    (void)ossl_done(ASSAY_OK);
    return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                      "RSA-OAEP: not encrypted for this key and label");
}

enum assay_status
key_oaep_decrypt(const struct key *key, struct span label, struct span cipher,
                 struct secret *out, struct assay_error *err)
{
    struct secret plain = { 0 };
    size_t len = SIGNATURE_MAX;
    EVP_PKEY_CTX *ctx;
    enum assay_status st = key_check_type(key, is_rsa(key), "RSA-OAEP", err);
    bool ok;

    if (st == ASSAY_OK)
        st = key_check_private(key, "RSA-OAEP", err);
    /* RFC 8017 section 7.1.2: as long as the modulus, or it is none. */
    if (st == ASSAY_OK && cipher.len != ((size_t)key_bits(key) + 7) / 8)
        st = wrong_ciphertext(err);
    if (st == ASSAY_OK)
        st = secret_alloc(&plain, len, err);
    if (st != ASSAY_OK)
        return st;
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    ok = ctx && EVP_PKEY_decrypt_init(ctx) == 1 && set_oaep(ctx, label) &&
         EVP_PKEY_decrypt(ctx, plain.ptr, &len, cipher.ptr, cipher.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!ok || len == 0 || len > plain.len) {
        secret_wipe(&plain);
        if (ok || ossl_was_named_by(ERR_LIB_RSA))
            return wrong_ciphertext(err);
        return assay_nomem(err, "RSA-OAEP");
    }
    plain.len = len;
    *out = plain;
    return ossl_done(ASSAY_OK);
}
