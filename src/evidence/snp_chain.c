#include "evidence/snp_chain.h"

#include <stdatomic.h>
#include <string.h>

#include "codec/pem.h"
#include "crypto/digest.h"
#include "evidence/amd_name.h"
#include "evidence/snp_chain_rules.h"

struct candidate {
    struct cert *cert;
    enum snp_cert_kind kind;
    enum snp_product product;
};

/* Everything that came with the evidence or was fetched, parsed. */
struct pool {
    struct candidate list[LIMIT_CERTS_PER_FILE + 8];
    size_t count;
    const struct snp_chain_want *want;
    struct snp_chain *chain; /* receives notes about what is missing */
};

enum { POOL_MAX = LIMIT_CERTS_PER_FILE + 8 };

/* --- the pool ------------------------------------------------------------ */

/* What does not parse is noted, not fatal: another certificate of the same
 * kind may do. Only running out of memory stops. */
static enum assay_status
pool_add(struct pool *p, struct span der, struct assay_error *err)
{
    struct assay_error why = { 0 };
    struct candidate c = { 0 };
    enum assay_status st;

    if (p->count == POOL_MAX)
        return ASSAY_OK;
    st = cert_parse(der, &c.cert, &why);
    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(err, "certificate");
    if (st != ASSAY_OK) {
        p->chain->broken = why;
        return ASSAY_OK;
    }
    c.kind = snp_cert_classify(c.cert, &c.product);
    p->list[p->count++] = c;
    return ASSAY_OK;
}

static enum assay_status
pool_add_all(struct pool *p, const struct snp_collateral *c,
             struct assay_error *err)
{
    const struct trust_anchors *t = p->want->anchors;
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; i < c->cert_count && st == ASSAY_OK; i++)
        st = pool_add(p, c->certs[i], err);
    /* An anchor is also a copy of its certificate. */
    for (size_t i = 0; t && i < t->count && st == ASSAY_OK; i++)
        st = pool_add(p, t->extra[i].der, err);
    return st;
}

static void
pool_drop(struct pool *p)
{
    for (size_t i = 0; i < p->count; i++)
        cert_free(p->list[i].cert);
}

static bool
pool_has(const struct pool *p, enum snp_cert_kind kind,
         enum snp_product product)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->list[i].kind == kind && p->list[i].product == product)
            return true;
    }
    return false;
}

/* --- asking the source --------------------------------------------------- */

static void
note_missing(struct snp_chain *chain, enum assay_status st,
             const struct assay_error *why)
{
    if (st != ASSAY_OK)
        chain->missing = *why;
}

static void
fetch_leaf(struct pool *p, enum snp_product product)
{
    const struct snp_chain_want *w = p->want;
    struct assay_error why = { 0 };
    struct buffer der;
    enum assay_status st;

    if (!w->source || !w->source->snp_vcek || product == SNP_PRODUCT_UNKNOWN ||
        span_is_zero(span_of(w->report->chip_id, sizeof(w->report->chip_id))))
        return;
    buffer_init(&der, LIMIT_CERT_BYTES, NULL);
    st = w->source->snp_vcek(w->source->ctx, w->report, product, &der, &why);
    if (st == ASSAY_OK)
        st = pool_add(p, buffer_span(&der), &why);
    note_missing(p->chain, st, &why);
    buffer_free(&der);
}

static enum assay_status
pool_add_pem(struct pool *p, struct span text, struct assay_error *err)
{
    struct pem_block block;
    enum assay_status st;

    while ((st = pem_next(&text, &block, err)) == ASSAY_OK) {
        struct buffer der;

        buffer_init(&der, LIMIT_CERT_BYTES, NULL);
        st = pem_decode(&block, &der, err);
        if (st == ASSAY_OK)
            st = pool_add(p, buffer_span(&der), err);
        buffer_free(&der);
        if (st != ASSAY_OK)
            return st;
    }
    return st == ASSAY_ERR_NOT_FOUND ? ASSAY_OK : st;
}

static void
fetch_authorities(struct pool *p, enum snp_product product, bool vlek)
{
    const struct collateral_source *source = p->want->source;
    struct assay_error why = { 0 };
    struct buffer pem;
    enum assay_status st;

    if (!source || !source->snp_chain || product == SNP_PRODUCT_UNKNOWN)
        return;
    buffer_init(&pem, 4 * LIMIT_CERT_BYTES, NULL);
    st = source->snp_chain(source->ctx, product, vlek, &pem, &why);
    if (st == ASSAY_OK)
        st = pool_add_pem(p, buffer_span(&pem), &why);
    note_missing(p->chain, st, &why);
    buffer_free(&pem);
}

/* --- choosing ------------------------------------------------------------ */

/* How well a leaf fits the report: the same key in several certificates, or a
 * table with the leaves of several machines, must not depend on the order. */
static int
leaf_score(const struct candidate *c, const struct snp_chain_want *w)
{
    const struct snp_report *r = w->report;
    struct snp_leaf_facts f;
    int64_t now = clock_now(w->clock);
    int score = 1;

    if (w->product == c->product)
        score += 1;
    if (now >= cert_not_before(c->cert) && now <= cert_not_after(c->cert))
        score += 2;
    if (snp_leaf_facts_read(c->cert, c->kind, c->product, &f, NULL) != ASSAY_OK)
        return score;
    if (f.tcb == r->reported_tcb)
        score += 4;
    if (f.hwid_len > 0 && memcmp(f.hwid, r->chip_id, sizeof(f.hwid)) == 0)
        score += 8;
    return score;
}

static const struct candidate *
choose_leaf(const struct pool *p, enum snp_cert_kind kind)
{
    const struct candidate *best = NULL;
    int best_score = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct candidate *c = &p->list[i];
        int score = c->kind == kind ? leaf_score(c, p->want) : 0;

        if (score > best_score) {
            best = c;
            best_score = score;
        }
    }
    return best;
}

static void
take(struct cert **slot, const struct candidate *c)
{
    if (c)
        *slot = cert_dup(c->cert);
}

/* The one whose key made the signature, else any of that name: two ASKs of
 * one product have the same name. */
static enum assay_status
take_issuer(const struct pool *p, const struct cert *subject,
            enum snp_cert_kind kind, enum snp_product product,
            struct cert **slot, struct assay_error *err)
{
    const struct candidate *named = NULL;
    bool found = false;

    for (size_t i = 0; i < p->count && !found; i++) {
        const struct candidate *c = &p->list[i];
        enum assay_status st;

        if (c->kind != kind || c->product != product)
            continue;
        st = cert_is_signed_by(subject, cert_key(c->cert), &found, err);
        if (st != ASSAY_OK)
            return st;
        if (found || !named)
            named = c;
    }
    take(slot, named);
    return ASSAY_OK;
}

static enum snp_cert_kind
wanted_leaf(enum snp_signing_key signer)
{
    return signer == SNP_SIGNER_VLEK ? SNP_CERT_VLEK : SNP_CERT_VCEK;
}

static enum snp_cert_kind
authority_of(enum snp_cert_kind leaf)
{
    return leaf == SNP_CERT_VLEK ? SNP_CERT_ASVK : SNP_CERT_ASK;
}

/* Of the leaf's own line: whether that is the wanted one is judged later. */
static enum assay_status
choose_authorities(struct pool *p, struct snp_chain *chain,
                   struct assay_error *err)
{
    enum snp_product product = chain->product;
    enum assay_status st;

    if (!pool_has(p, chain->authority, product) ||
        !pool_has(p, SNP_CERT_ARK, product))
        fetch_authorities(p, product, chain->kind == SNP_CERT_VLEK);
    st = take_issuer(p, chain->leaf, chain->authority, product,
                     &chain->intermediate, err);
    if (st == ASSAY_OK && chain->intermediate)
        st = take_issuer(p, chain->intermediate, SNP_CERT_ARK, product,
                         &chain->root, err);
    return st;
}

static enum assay_status
choose_all(struct pool *p, struct snp_chain *chain, struct assay_error *err)
{
    enum snp_cert_kind kind = wanted_leaf(p->want->signer);
    enum snp_cert_kind other =
        kind == SNP_CERT_VCEK ? SNP_CERT_VLEK : SNP_CERT_VCEK;
    const struct candidate *c = choose_leaf(p, kind);

    if (!c && kind == SNP_CERT_VCEK) {
        fetch_leaf(p, p->want->product);
        c = choose_leaf(p, kind);
    }
    /* The wrong kind is judged, and refused, rather than called missing. */
    if (!c)
        c = choose_leaf(p, other);
    chain->authority = authority_of(c ? c->kind : kind);
    /* Without a leaf there is nothing for the others to vouch for. */
    if (!c)
        return ASSAY_OK;
    chain->leaf = cert_dup(c->cert);
    chain->kind = c->kind;
    chain->product = c->product;
    return choose_authorities(p, chain, err);
}

/* --- the object ---------------------------------------------------------- */

static void
chain_destroy(struct snp_chain *chain)
{
    cert_free(chain->leaf);
    cert_free(chain->intermediate);
    cert_free(chain->root);
    mem_free(NULL, chain);
}

enum assay_status
snp_chain_build(const struct snp_collateral *collateral,
                const struct snp_chain_want *want, struct snp_chain **out,
                struct assay_error *err)
{
    struct snp_chain *chain = mem_zalloc(NULL, sizeof(*chain));
    struct pool *pool = mem_zalloc(NULL, sizeof(*pool));
    enum assay_status st = ASSAY_OK;

    if (!chain || !pool) {
        st = assay_nomem(err, "certificate chain");
        goto out;
    }
    atomic_init(&chain->refs, 1);
    *pool = (struct pool){ .want = want, .chain = chain };
    st = pool_add_all(pool, collateral, err);
    if (st != ASSAY_OK)
        goto out;
    st = choose_all(pool, chain, err);
    if (st == ASSAY_OK)
        st = snp_chain_judge(chain, want, err);
    if (st != ASSAY_OK)
        goto out;
    *out = chain;
    chain = NULL;
out:
    if (pool)
        pool_drop(pool);
    mem_free(NULL, pool);
    if (chain)
        chain_destroy(chain);
    return st;
}

struct snp_chain *
snp_chain_ref(struct snp_chain *chain)
{
    atomic_fetch_add_explicit(&chain->refs, 1, memory_order_relaxed);
    return chain;
}

void
snp_chain_release(struct snp_chain *chain)
{
    if (chain &&
        atomic_fetch_sub_explicit(&chain->refs, 1, memory_order_acq_rel) == 1)
        chain_destroy(chain);
}

const struct cert *
snp_chain_leaf(const struct snp_chain *chain)
{
    return chain->leaf;
}

const struct cert *
snp_chain_intermediate(const struct snp_chain *chain)
{
    return chain->intermediate;
}

const struct cert *
snp_chain_root(const struct snp_chain *chain)
{
    return chain->root;
}

enum snp_cert_kind
snp_chain_leaf_kind(const struct snp_chain *chain)
{
    return chain->kind;
}

enum snp_product
snp_chain_product(const struct snp_chain *chain)
{
    return chain->product;
}

enum trust_kind
snp_chain_trust(const struct snp_chain *chain)
{
    return chain->trust;
}

const struct snp_leaf_facts *
snp_chain_facts(const struct snp_chain *chain)
{
    return chain->has_facts ? &chain->facts : NULL;
}
