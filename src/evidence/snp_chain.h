/* A certificate chain of AMD, checked once and used often.
 *
 * A chain is a leaf (VCEK or VLEK), its intermediate (ASK or ASVK), the root
 * (ARK) and perhaps a revocation list. What does not depend on time is
 * established when it is made; dates are looked at on each use. Immutable and
 * reference-counted, so threads share it. */
#ifndef ASSAY_EVIDENCE_SNP_CHAIN_H
#define ASSAY_EVIDENCE_SNP_CHAIN_H

#include "evidence/snp_certs.h"
#include "evidence/trust.h"
#include "evidence/verdict.h"

struct snp_chain;

void snp_chain_release(struct snp_chain *chain); /* NULL is fine */

/* Chains that verified, found again by the exact bytes of their certificates,
 * CRL and anchors. Bounded: the least recently used one makes room. Thread
 * safe. */
struct snp_chain_cache;

enum { SNP_CHAIN_CACHE_DEFAULT = 256 }; /* machines seen at the same time */

ASSAY_MUST_CHECK
enum assay_status snp_chain_cache_new(size_t capacity,
                                      struct snp_chain_cache **out,
                                      struct assay_error *err);
void snp_chain_cache_free(struct snp_chain_cache *cache);

struct snp_chain_cache_stats {
    uint64_t hits;
    uint64_t misses;
    size_t count;
};
struct snp_chain_cache_stats
snp_chain_cache_stats(struct snp_chain_cache *cache);

#endif
