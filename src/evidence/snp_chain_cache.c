#include <pthread.h>
#include <string.h>

#include "base/writer.h"
#include "crypto/digest.h"
#include "evidence/snp_chain.h"

enum {
    KEY_SIZE = SHA256_SIZE,
    CRLS_MAX = 16, /* one per product and kind, old and new */
};

struct chain_slot {
    uint8_t key[KEY_SIZE];
    struct snp_chain *chain; /* NULL: empty */
    uint64_t used;           /* tick of the last use */
};

struct crl_slot {
    uint8_t key[KEY_SIZE];
    struct crl *crl;
    uint64_t used;
};

struct snp_chain_cache {
    pthread_mutex_t lock;
    uint64_t tick;
    uint64_t hits;
    uint64_t misses;
    struct crl_slot crls[CRLS_MAX];
    size_t capacity;
    struct chain_slot slots[];
};

enum assay_status
snp_chain_cache_new(size_t capacity, struct snp_chain_cache **out,
                    struct assay_error *err)
{
    struct snp_chain_cache *cache =
        mem_zalloc(NULL, sizeof(*cache) + capacity * sizeof(cache->slots[0]));

    if (!cache)
        return assay_nomem(err, "chain cache");
    pthread_mutex_init(&cache->lock, NULL);
    cache->capacity = capacity;
    *out = cache;
    return ASSAY_OK;
}

void
snp_chain_cache_free(struct snp_chain_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->capacity; i++)
        snp_chain_release(cache->slots[i].chain);
    for (size_t i = 0; i < CRLS_MAX; i++)
        crl_free(cache->crls[i].crl);
    pthread_mutex_destroy(&cache->lock);
    mem_free(NULL, cache);
}

/* --- keys ---------------------------------------------------------------- */

enum {
    PARTS_FIXED = 2,
    PARTS_MAX = PARTS_FIXED + 2 * LIMIT_CERTS_PER_FILE + TRUST_ANCHORS_MAX,
    HEAD_SIZE = 64 + 8 + 8 + 8 + 8,
};

/* Each part in front of which its length stands, so that no two lists of
 * certificates hash the same bytes. */
struct key_input {
    struct span parts[PARTS_MAX];
    size_t count;
    uint8_t lengths[LIMIT_CERTS_PER_FILE][8];
    uint8_t head[HEAD_SIZE];
};

static void
key_add(struct key_input *in, const void *ptr, size_t len)
{
    in->parts[in->count++] = span_of(ptr, len);
}

/* Everything a chain depends on: the certificates, the anchors, and what the
 * report asked for. Chip and TCB decide which leaf is chosen or fetched. */
static enum assay_status
chain_key(const struct snp_collateral *c, const struct snp_chain_want *w,
          uint8_t key[KEY_SIZE], struct assay_error *err)
{
    struct key_input in = { 0 };
    struct writer wr = writer_over(in.head, sizeof(in.head));

    wr_span(&wr, span_of(w->report->chip_id, sizeof(w->report->chip_id)));
    wr_u64le(&wr, w->report->reported_tcb);
    wr_u32le(&wr, (uint32_t)w->signer);
    wr_u32le(&wr, (uint32_t)w->product);
    wr_u64le(&wr, c->cert_count);
    wr_u64le(&wr, w->anchors ? w->anchors->count : 0);
    key_add(&in, in.head, sizeof(in.head));
    for (size_t i = 0; i < c->cert_count; i++) {
        struct writer len = writer_over(in.lengths[i], 8);

        wr_u64le(&len, c->certs[i].len);
        key_add(&in, in.lengths[i], 8);
        key_add(&in, c->certs[i].ptr, c->certs[i].len);
    }
    for (size_t i = 0; w->anchors && i < w->anchors->count; i++)
        key_add(&in, w->anchors->extra[i].der.ptr,
                w->anchors->extra[i].der.len);
    return digest_compute(DIGEST_SHA256, in.parts, in.count, key, err);
}

/* --- chains -------------------------------------------------------------- */

static struct snp_chain *
cache_find(struct snp_chain_cache *cache, const uint8_t key[KEY_SIZE],
           int64_t now)
{
    struct snp_chain *found = NULL;

    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < cache->capacity && !found; i++) {
        struct chain_slot *s = &cache->slots[i];

        if (!s->chain || memcmp(s->key, key, KEY_SIZE) != 0)
            continue;
        /* Another leaf of the same evidence may be valid now. */
        if (!snp_chain_is_current(s->chain, now))
            break;
        s->used = ++cache->tick;
        found = snp_chain_ref(s->chain);
    }
    if (found)
        cache->hits++;
    else
        cache->misses++;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

static void
cache_keep(struct snp_chain_cache *cache, const uint8_t key[KEY_SIZE],
           struct snp_chain *chain)
{
    struct chain_slot *victim = NULL;
    struct snp_chain *old = NULL;

    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < cache->capacity; i++) {
        struct chain_slot *s = &cache->slots[i];

        if (s->chain && memcmp(s->key, key, KEY_SIZE) == 0) {
            victim = s; /* outdated, or another thread was faster */
            break;
        }
        if (!victim || s->used < victim->used)
            victim = s;
    }
    if (victim) {
        old = victim->chain;
        memcpy(victim->key, key, KEY_SIZE);
        victim->chain = snp_chain_ref(chain);
        victim->used = ++cache->tick;
    }
    pthread_mutex_unlock(&cache->lock);
    snp_chain_release(old);
}

enum assay_status
snp_chain_get(struct snp_chain_cache *cache,
              const struct snp_collateral *collateral,
              const struct snp_chain_want *want, struct snp_chain **out,
              struct assay_error *err)
{
    uint8_t key[KEY_SIZE];
    enum assay_status st;

    if (!cache)
        return snp_chain_build(collateral, want, out, err);
    st = chain_key(collateral, want, key, err);
    if (st != ASSAY_OK)
        return st;
    *out = cache_find(cache, key, clock_now(want->clock));
    if (*out)
        return ASSAY_OK;
    st = snp_chain_build(collateral, want, out, err);
    if (st == ASSAY_OK && snp_chain_is_good(*out) &&
        snp_chain_is_current(*out, clock_now(want->clock)))
        cache_keep(cache, key, *out);
    return st;
}

struct snp_chain_cache_stats
snp_chain_cache_stats(struct snp_chain_cache *cache)
{
    struct snp_chain_cache_stats s = { 0 };

    pthread_mutex_lock(&cache->lock);
    s.hits = cache->hits;
    s.misses = cache->misses;
    for (size_t i = 0; i < cache->capacity; i++)
        s.count += cache->slots[i].chain != NULL;
    pthread_mutex_unlock(&cache->lock);
    return s;
}

/* --- revocation lists ---------------------------------------------------- */

static enum assay_status
crl_verify(struct span der, const struct cert *root, struct crl **out,
           struct assay_error *err)
{
    struct crl *crl;
    enum assay_status st = crl_parse(der, &crl, err);

    if (st != ASSAY_OK)
        return st;
    if (!span_equal(crl_issuer(crl), cert_subject(root)))
        st = assay_fail(err, ASSAY_ERR_UNTRUSTED, "crl: issued by %s, want %s",
                        crl_issuer_common_name(crl), cert_common_name(root));
    else if (crl_signature(crl)->alg != SIGNATURE_RSA_PSS_SHA384)
        st = assay_fail(err, ASSAY_ERR_UNSUPPORTED, "crl: signed with %s",
                        crl_signature(crl)->name);
    else if (!(cert_constraints(root)->key_usage & KEY_USAGE_CRL_SIGN))
        st = assay_fail(err, ASSAY_ERR_UNTRUSTED,
                        "crl: %s may not sign revocation lists",
                        cert_common_name(root));
    else
        st = crl_verify_signature(crl, cert_key(root), err);
    if (st != ASSAY_OK) {
        crl_free(crl);
        return st;
    }
    *out = crl;
    return ASSAY_OK;
}

static struct crl *
crl_find(struct snp_chain_cache *cache, const uint8_t key[KEY_SIZE])
{
    struct crl *found = NULL;

    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < CRLS_MAX && !found; i++) {
        struct crl_slot *s = &cache->crls[i];

        if (s->crl && memcmp(s->key, key, KEY_SIZE) == 0) {
            s->used = ++cache->tick;
            found = crl_dup(s->crl);
        }
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

static void
crl_keep(struct snp_chain_cache *cache, const uint8_t key[KEY_SIZE],
         struct crl *crl)
{
    struct crl_slot *victim = &cache->crls[0];
    struct crl *old;

    pthread_mutex_lock(&cache->lock);
    for (size_t i = 1; i < CRLS_MAX; i++) {
        if (cache->crls[i].used < victim->used)
            victim = &cache->crls[i];
    }
    old = victim->crl;
    memcpy(victim->key, key, KEY_SIZE);
    victim->crl = crl_dup(crl);
    victim->used = ++cache->tick;
    pthread_mutex_unlock(&cache->lock);
    crl_free(old);
}

enum assay_status
snp_crl_get(struct snp_chain_cache *cache, struct span der,
            const struct cert *root, struct crl **out, struct assay_error *err)
{
    const struct span parts[] = { cert_spki(root), cert_subject(root), der };
    uint8_t key[KEY_SIZE];
    enum assay_status st;

    if (!cache)
        return crl_verify(der, root, out, err);
    st = digest_compute(DIGEST_SHA256, parts, sizeof(parts) / sizeof(parts[0]),
                        key, err);
    if (st != ASSAY_OK)
        return st;
    *out = crl_find(cache, key);
    if (*out)
        return ASSAY_OK;
    st = crl_verify(der, root, out, err);
    if (st == ASSAY_OK)
        crl_keep(cache, key, *out);
    return st;
}
