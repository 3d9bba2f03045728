#include "crypto/key.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/key_internal.h"

static bool
set_spki(struct key *key, struct span spki)
{
    int len;

    if (spki.len > 0) {
        key->spki = OPENSSL_memdup(spki.ptr, spki.len);
        key->spki_len = spki.len;
        return key->spki;
    }
    len = i2d_PUBKEY(key->pkey, &key->spki);
    key->spki_len = len > 0 ? (size_t)len : 0;
    return len > 0;
}

enum assay_status
key_wrap(EVP_PKEY *pkey, bool has_private, struct span spki, struct key **out,
         struct assay_error *err)
{
    struct key *key = OPENSSL_zalloc(sizeof(*key));
    struct rsa_public rsa;

    if (!key) {
        EVP_PKEY_free(pkey);
        return ossl_fail(err, ASSAY_ERR_NOMEM, "key");
    }
    key->self = key;
    atomic_init(&key->refs, 1);
    key->pkey = pkey;
    key->has_private = has_private;
    if (!set_spki(key, spki)) {
        key_free(key);
        return ossl_fail(err, ASSAY_ERR_NOMEM, "key");
    }
    key->type = key_read_spki(key_spki(key), &rsa);
    *out = key;
    return ossl_done(ASSAY_OK);
}

static EVP_PKEY *
generate(enum key_type type)
{
    switch (type) {
    case KEY_P256:
        return EVP_EC_gen("P-256");
    case KEY_P384:
        return EVP_EC_gen("P-384");
    case KEY_RSA4096:
        return EVP_RSA_gen(4096);
    case KEY_OTHER:
    case KEY_RSA:
        break;
    }
    assert(0 && "not a type that is generated");
    return NULL;
}

enum assay_status
key_generate(enum key_type type, struct key **out, struct assay_error *err)
{
    EVP_PKEY *pkey = generate(type);

    if (!pkey && ossl_was_named_by(ERR_LIB_RAND))
        return assay_fail(err, ASSAY_ERR_IO,
                          "key generation: no random numbers to be had");
    if (!pkey)
        return assay_nomem(err, "key generation");
    return key_wrap(pkey, true, span_of(NULL, 0), out, err);
}

struct key *
key_dup(const struct key *key)
{
    atomic_fetch_add(&key->self->refs, 1);
    return key->self;
}

void
key_free(struct key *key)
{
    if (!key || atomic_fetch_sub(&key->refs, 1) > 1)
        return;
    EVP_PKEY_free(key->pkey);
    OPENSSL_free(key->spki);
    OPENSSL_free(key);
}

enum key_type
key_type(const struct key *key)
{
    return key->type;
}

const char *
key_type_name(enum key_type type)
{
    switch (type) {
    case KEY_P256:
        return "ECDSA P-256";
    case KEY_P384:
        return "ECDSA P-384";
    case KEY_RSA4096:
        return "RSA 4096";
    case KEY_RSA:
        return "RSA";
    case KEY_OTHER:
        break;
    }
    return "another kind of key";
}

int
key_bits(const struct key *key)
{
    return EVP_PKEY_get_bits(key->pkey);
}

bool
key_has_private(const struct key *key)
{
    return key->has_private;
}

bool
key_equal_public(const struct key *a, const struct key *b)
{
    return span_equal(key_spki(a), key_spki(b));
}

struct span
key_spki(const struct key *key)
{
    return span_of(key->spki, key->spki_len);
}

struct evp_pkey_st *
key_evp(const struct key *key)
{
    return key->pkey;
}

enum signature_alg
key_signature_alg(const struct key *key)
{
    switch (key->type) {
    case KEY_P256:
        return SIGNATURE_ECDSA_SHA256;
    case KEY_P384:
        return SIGNATURE_ECDSA_SHA384;
    case KEY_RSA4096:
    case KEY_RSA:
        return SIGNATURE_RSA_PKCS1_SHA256;
    case KEY_OTHER:
        break;
    }
    return SIGNATURE_OTHER;
}

const char *
signature_alg_name(enum signature_alg alg)
{
    switch (alg) {
    case SIGNATURE_ECDSA_SHA256:
        return "ECDSA with SHA-256";
    case SIGNATURE_ECDSA_SHA384:
        return "ECDSA with SHA-384";
    case SIGNATURE_RSA_PKCS1_SHA256:
        return "RSASSA-PKCS1-v1_5 with SHA-256";
    case SIGNATURE_RSA_PSS_SHA384:
        return "RSASSA-PSS with SHA-384";
    case SIGNATURE_OTHER:
        break;
    }
    return "another algorithm";
}

enum assay_status
key_check_type(const struct key *key, bool fits, const char *what,
               struct assay_error *err)
{
    if (fits)
        return ASSAY_OK;
    return assay_fail(err, ASSAY_ERR_UNSUPPORTED, "%s: the key is %s", what,
                      key_type_name(key->type));
}

enum assay_status
key_check_private(const struct key *key, const char *what,
                  struct assay_error *err)
{
    if (key->has_private)
        return ASSAY_OK;
    return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                      "%s: the key has no private half", what);
}
