#include "service/seed.h"

#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "crypto/hkdf.h"

struct seed_engine {
    const struct allocator *alloc;
    struct secret seed;
    struct secret pod_state_seed;
    uint8_t salt[SEED_SALT_SIZE];
    struct key *root_ca_key;
    struct key *transaction_key;
};

/* --- derivation ---------------------------------------------------------- */

enum assay_status
seed_derive(struct span secret, struct span salt, struct span info,
            struct secret *out, struct assay_error *err)
{
    struct secret derived = { 0 };
    enum assay_status st;

    if (secret.len < SEED_SIZE_MIN || secret.len > SEED_SIZE)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "seed: %zu bytes, want %d to %d", secret.len,
                          SEED_SIZE_MIN, SEED_SIZE);
    if (salt.len != SEED_SALT_SIZE)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "seed salt: %zu bytes, want %d", salt.len,
                          SEED_SALT_SIZE);
    st = secret_alloc(&derived, secret.len, err);
    if (st != ASSAY_OK)
        return st;
    st = hkdf_sha256(secret, salt, info, derived.ptr, derived.len, err);
    if (st == ASSAY_OK)
        *out = derived;
    else
        secret_wipe(&derived);
    return st;
}

static enum assay_status
derive_key(const struct seed_engine *e, const char *info, struct key **out,
           struct assay_error *err)
{
    struct secret key_seed = { 0 };
    enum assay_status st =
        seed_derive(secret_span(&e->seed), seed_engine_salt(e), span_str(info),
                    &key_seed, err);

    if (st == ASSAY_OK)
        st = key_deterministic_p384(secret_span(&key_seed), out, err);
    secret_wipe(&key_seed);
    return assay_context(err, st, "%s", info);
}

/* --- the engine ---------------------------------------------------------- */

static enum assay_status
derive_all(struct seed_engine *e, struct assay_error *err)
{
    enum assay_status st =
        seed_derive(secret_span(&e->seed), seed_engine_salt(e),
                    span_str("POD STATE SECRET"), &e->pod_state_seed, err);

    if (st == ASSAY_OK)
        st = derive_key(e, "ROOT CA SEED", &e->root_ca_key, err);
    if (st == ASSAY_OK)
        st = derive_key(e, "TRANSACTION SIGNING SECRET", &e->transaction_key,
                        err);
    return st;
}

enum assay_status
seed_engine_new(struct span seed, struct span salt,
                const struct allocator *alloc, struct seed_engine **out,
                struct assay_error *err)
{
    struct seed_engine *e;
    enum assay_status st = ASSAY_OK;

    if (salt.len != SEED_SALT_SIZE)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "seed salt: %zu bytes, want %d", salt.len,
                          SEED_SALT_SIZE);
    if (seed.len < SEED_SIZE_MIN || seed.len > SEED_SIZE)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "seed: %zu bytes, want %d to %d", seed.len,
                          SEED_SIZE_MIN, SEED_SIZE);
    e = mem_zalloc(alloc, sizeof(*e));
    if (!e)
        return assay_nomem(err, "seed engine");
    e->alloc = alloc;
    memcpy(e->salt, salt.ptr, sizeof(e->salt));
    st = secret_copy(&e->seed, seed, err);
    if (st == ASSAY_OK)
        st = derive_all(e, err);
    if (st == ASSAY_OK)
        *out = e;
    else
        seed_engine_free(e);
    return st;
}

enum assay_status
seed_engine_generate(const struct random_source *random,
                     const struct allocator *alloc, struct seed_engine **out,
                     struct assay_error *err)
{
    uint8_t salt[SEED_SALT_SIZE];
    struct secret seed = { 0 };
    enum assay_status st = secret_random(&seed, SEED_SIZE, random, err);

    if (st == ASSAY_OK)
        st = random_fill(random, salt, sizeof(salt), err);
    if (st == ASSAY_OK)
        st = seed_engine_new(secret_span(&seed), span_of(salt, sizeof(salt)),
                             alloc, out, err);
    secret_wipe(&seed);
    return st;
}

void
seed_engine_free(struct seed_engine *engine)
{
    if (!engine)
        return;
    key_free(engine->transaction_key);
    key_free(engine->root_ca_key);
    secret_wipe(&engine->pod_state_seed);
    secret_wipe(&engine->seed);
    mem_free(engine->alloc, engine);
}

struct span
seed_engine_seed(const struct seed_engine *engine)
{
    return secret_span(&engine->seed);
}

struct span
seed_engine_salt(const struct seed_engine *engine)
{
    return span_of(engine->salt, sizeof(engine->salt));
}

const struct key *
seed_engine_root_ca_key(const struct seed_engine *engine)
{
    return engine->root_ca_key;
}

const struct key *
seed_engine_transaction_key(const struct seed_engine *engine)
{
    return engine->transaction_key;
}

enum assay_status
seed_engine_workload_secret(const struct seed_engine *engine, struct span id,
                            struct secret *out, struct assay_error *err)
{
    struct buffer info;
    enum assay_status st;

    if (id.len == 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "workload secret: its ID is empty");
    buffer_init(&info, LIMIT_MANIFEST_BYTES, engine->alloc);
    buffer_add_str(&info, "WORKLOAD SECRET ID: ");
    buffer_add(&info, id);
    st = buffer_check(&info, "workload secret", err);
    if (st == ASSAY_OK)
        st =
            seed_derive(secret_span(&engine->pod_state_seed),
                        seed_engine_salt(engine), buffer_span(&info), out, err);
    buffer_free(&info);
    return st;
}

/* --- shares -------------------------------------------------------------- */

#define SHARE_LABEL "seedshare"

static enum assay_status
read_owner_key(struct span hex, struct key **out, struct assay_error *err)
{
    uint8_t der[4096]; /* the largest RSA key that can be used: 2 KiB */
    struct key *key = NULL;
    enum assay_status st;

    if (hex.len > 2 * sizeof(der) || !hex_decode(hex, der, hex.len / 2))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "seedshare owner: %zu characters that are no hex",
                          hex.len);
    st = key_from_rsa_public_der(span_of(der, hex.len / 2), &key, err);
    if (st == ASSAY_OK && key_type(key) == KEY_OTHER) {
        key_free(key);
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "seedshare owner: not a usable RSA key");
    }
    if (st == ASSAY_OK)
        *out = key;
    return assay_context(err, st, "seedshare owner");
}

enum assay_status
seed_share_encrypt(const struct seed_engine *engine, struct span owner_key_hex,
                   struct buffer *out, struct assay_error *err)
{
    struct key *owner = NULL;
    enum assay_status st = read_owner_key(owner_key_hex, &owner, err);

    if (st == ASSAY_OK)
        st = key_oaep_encrypt(owner, span_str(SHARE_LABEL),
                              seed_engine_seed(engine), out, err);
    key_free(owner);
    return st;
}

enum assay_status
seed_share_decrypt(const struct key *owner, struct span encrypted,
                   struct secret *seed, struct assay_error *err)
{
    enum assay_status st =
        key_oaep_decrypt(owner, span_str(SHARE_LABEL), encrypted, seed, err);

    return assay_context(err, st, "seed share");
}
