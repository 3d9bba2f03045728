/* A certificate chain of AMD, checked once and used often.
 *
 * A chain is a leaf (VCEK or VLEK), its intermediate (ASK or ASVK) and the
 * root (ARK). What does not depend on time is established when it is made;
 * dates are looked at on each use. Immutable and reference-counted, so threads
 * share it. Rules: AMD 57230, and RFC 5280 section 6. */
#ifndef ASSAY_EVIDENCE_SNP_CHAIN_H
#define ASSAY_EVIDENCE_SNP_CHAIN_H

#include "base/clock.h"
#include "crypto/crl.h"
#include "evidence/collateral.h"
#include "evidence/snp_certs.h"
#include "evidence/trust.h"
#include "evidence/verdict.h"

/* What the report asks of its chain. */
struct snp_chain_want {
    const struct snp_report *report;
    enum snp_signing_key signer;         /* decides the kind of leaf */
    enum snp_product product;            /* UNKNOWN: whatever the leaf says */
    const struct clock *clock;           /* prefers a leaf that is valid now */
    const struct trust_anchors *anchors; /* may be NULL */
    const struct collateral_source *source; /* may be NULL: offline */
};

struct snp_chain;

/* Choose leaf, intermediate and root among the certificates, in any order,
 * doubled or not, ask want->source for what is missing, and judge them. A
 * chain is made even when it is incomplete or bad: snp_chain_check() says so.
 *
 * Only ASSAY_ERR_NOMEM. */
ASSAY_MUST_CHECK
enum assay_status snp_chain_build(const struct snp_collateral *collateral,
                                  const struct snp_chain_want *want,
                                  struct snp_chain **out,
                                  struct assay_error *err);
struct snp_chain *snp_chain_ref(struct snp_chain *chain);
void snp_chain_release(struct snp_chain *chain); /* NULL is fine */

/* One check per rule, in the order root to leaf, dates at now included. */
void snp_chain_check(const struct snp_chain *chain, int64_t now,
                     struct verdict *v);

/* All rules that do not depend on time hold. */
bool snp_chain_is_good(const struct snp_chain *chain);
bool snp_chain_is_current(const struct snp_chain *chain, int64_t now);

/* Parts; NULL when missing. Borrowed from the chain. */
const struct cert *snp_chain_leaf(const struct snp_chain *chain);
const struct cert *snp_chain_intermediate(const struct snp_chain *chain);
const struct cert *snp_chain_root(const struct snp_chain *chain);
enum snp_cert_kind snp_chain_leaf_kind(const struct snp_chain *chain);
/* The line its leaf belongs to; UNKNOWN without a leaf. */
enum snp_product snp_chain_product(const struct snp_chain *chain);
enum trust_kind snp_chain_trust(const struct snp_chain *chain);
/* NULL when the extensions are not as they must be. */
const struct snp_leaf_facts *snp_chain_facts(const struct snp_chain *chain);

/* Chains that were good, found again by the exact bytes of the certificates
 * that came with the evidence, the anchors, and what the report wanted; and
 * revocation lists that verified. Bounded: the least recently used one makes
 * room. Thread safe. */
struct snp_chain_cache;

enum { SNP_CHAIN_CACHE_DEFAULT = 256 }; /* machines seen at the same time */

ASSAY_MUST_CHECK
enum assay_status snp_chain_cache_new(size_t capacity,
                                      struct snp_chain_cache **out,
                                      struct assay_error *err);
void snp_chain_cache_free(struct snp_chain_cache *cache);

/* The chain for this evidence, from the cache when it holds a current one,
 * else built, and kept when good. cache may be NULL. *out is a reference. */
ASSAY_MUST_CHECK
enum assay_status snp_chain_get(struct snp_chain_cache *cache,
                                const struct snp_collateral *collateral,
                                const struct snp_chain_want *want,
                                struct snp_chain **out,
                                struct assay_error *err);

/* Parse a list and verify its signature with the root's key, or find it again.
 * cache may be NULL. *out is a reference: crl_free() it.
 *
 * ASSAY_ERR_MALFORMED, ASSAY_ERR_UNSUPPORTED, ASSAY_ERR_UNTRUSTED */
ASSAY_MUST_CHECK
enum assay_status snp_crl_get(struct snp_chain_cache *cache, struct span der,
                              const struct cert *root, struct crl **out,
                              struct assay_error *err);

struct snp_chain_cache_stats {
    uint64_t hits;
    uint64_t misses;
    size_t count;
};
struct snp_chain_cache_stats
snp_chain_cache_stats(struct snp_chain_cache *cache);

#endif
