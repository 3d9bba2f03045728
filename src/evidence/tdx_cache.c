#include "evidence/tdx_cache.h"

#include "base/writer.h"
#include "evidence/byte_cache.h"
#include "evidence/tdx_rules.h"

enum {
    COLLATERAL_SETS = 16, /* FMSPC and CA, old and new */
    PINS_SIZE = TRUST_ANCHORS_MAX * 32,
};

struct tdx_cache {
    struct byte_cache *chains;
    struct byte_cache *collateral;
    struct byte_cache *keys;
};

static void *
chain_ref(void *object)
{
    return sgx_pck_chain_ref(object);
}

static void
chain_release(void *object)
{
    sgx_pck_chain_release(object);
}

static void *
set_ref(void *object)
{
    return sgx_collateral_set_ref(object);
}

static void
set_release(void *object)
{
    sgx_collateral_set_release(object);
}

static void *
key_ref(void *object)
{
    return key_dup(object);
}

static void
key_release(void *object)
{
    key_free(object);
}

static const struct byte_cache_kind chain_kind = { chain_ref, chain_release };
static const struct byte_cache_kind set_kind = { set_ref, set_release };
static const struct byte_cache_kind key_kind = { key_ref, key_release };

enum assay_status
tdx_cache_new(size_t capacity, struct tdx_cache **out, struct assay_error *err)
{
    struct tdx_cache *c = mem_zalloc(NULL, sizeof(*c));
    enum assay_status st;

    if (!c)
        return assay_nomem(err, "cache");
    st = byte_cache_new(capacity, &chain_kind, &c->chains, err);
    if (st == ASSAY_OK)
        st = byte_cache_new(COLLATERAL_SETS, &set_kind, &c->collateral, err);
    if (st == ASSAY_OK)
        st = byte_cache_new(capacity, &key_kind, &c->keys, err);
    if (st == ASSAY_OK)
        *out = c;
    else
        tdx_cache_free(c);
    return st;
}

void
tdx_cache_free(struct tdx_cache *cache)
{
    if (!cache)
        return;
    byte_cache_free(cache->chains);
    byte_cache_free(cache->collateral);
    byte_cache_free(cache->keys);
    mem_free(NULL, cache);
}

struct tdx_cache_stats
tdx_cache_stats(struct tdx_cache *cache)
{
    struct byte_cache_stats chains = byte_cache_stats(cache->chains);
    struct byte_cache_stats sets = byte_cache_stats(cache->collateral);

    return (struct tdx_cache_stats){ chains.hits, chains.misses, sets.hits,
                                     sets.misses };
}

/* What is trusted decides as much as what is judged. The bytes lie in pins. */
static struct span
list_pins(const struct trust_anchors *anchors, uint8_t pins[PINS_SIZE])
{
    const struct trust_anchor *a;
    struct writer wr = writer_over(pins, PINS_SIZE);

    for (size_t i = 0; (a = trust_intel_at(anchors, i)); i++)
        wr_span(&wr, span_of(a->spki_sha256, sizeof(a->spki_sha256)));
    return wr_written(&wr);
}

enum assay_status
tdx_cache_chain(struct tdx_cache *cache, struct span pem, struct span roots,
                const struct trust_anchors *anchors, struct sgx_pck_chain **out,
                struct assay_error *err)
{
    uint8_t pins[PINS_SIZE];
    struct byte_key key = { 0 };
    enum assay_status st;

    if (!cache)
        return sgx_pck_chain_build(pem, roots, anchors, out, err);
    byte_key_add(&key, pem);
    byte_key_add(&key, list_pins(anchors, pins));
    *out = byte_cache_get(cache->chains, &key);
    if (*out)
        return ASSAY_OK;
    st = sgx_pck_chain_build(pem, roots, anchors, out, err);
    /* With a root from elsewhere it would depend on more than the key. */
    if (st == ASSAY_OK && (*out)->own_root && sgx_pck_chain_is_good(*out))
        byte_cache_put(cache->chains, &key, *out);
    return st;
}

enum assay_status
tdx_cache_collateral(struct tdx_cache *cache, const struct tdx_collateral *c,
                     const struct sgx_pck_chain *chain,
                     const struct trust_anchors *anchors,
                     struct sgx_collateral_set **out, struct assay_error *err)
{
    uint8_t pins[PINS_SIZE];
    struct byte_key key = { 0 };
    enum assay_status st;

    if (!cache || !chain->ca || !chain->root)
        return sgx_collateral_set_build(c, chain, anchors, out, err);
    byte_key_add(&key, c->tcb_info);
    byte_key_add(&key, c->tcb_info_issuer_chain);
    byte_key_add(&key, c->qe_identity);
    byte_key_add(&key, c->qe_identity_issuer_chain);
    byte_key_add(&key, c->root_ca_crl);
    byte_key_add(&key, c->pck_crl);
    byte_key_add(&key, c->pck_crl_issuer_chain);
    byte_key_add(&key, cert_der(chain->ca));
    byte_key_add(&key, cert_der(chain->root));
    byte_key_add(&key, list_pins(anchors, pins));
    *out = byte_cache_get(cache->collateral, &key);
    if (*out)
        return ASSAY_OK;
    st = sgx_collateral_set_build(c, chain, anchors, out, err);
    if (st == ASSAY_OK && sgx_collateral_set_is_good(*out))
        byte_cache_put(cache->collateral, &key, *out);
    return st;
}

enum assay_status
tdx_cache_key(struct tdx_cache *cache, const uint8_t xy[64], struct key **out,
              struct assay_error *err)
{
    struct byte_key key = { 0 };
    enum assay_status st;

    if (!cache)
        return key_from_point_p256(xy, out, err);
    byte_key_add(&key, span_of(xy, 64));
    *out = byte_cache_get(cache->keys, &key);
    if (*out)
        return ASSAY_OK;
    st = key_from_point_p256(xy, out, err);
    if (st == ASSAY_OK)
        byte_cache_put(cache->keys, &key, *out);
    return st;
}
