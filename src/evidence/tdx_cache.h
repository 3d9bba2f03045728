/* Verdicts about certificate chains and collateral, kept.
 *
 * Found again by their exact bytes and the anchors, compared in full; dates
 * are looked at on each use, so nothing outlives the earliest date inside.
 * Bounded: the least recently used one makes room. Thread safe. */
#ifndef ASSAY_EVIDENCE_TDX_CACHE_H
#define ASSAY_EVIDENCE_TDX_CACHE_H

#include "base/error.h"

struct tdx_cache;

enum { TDX_CACHE_DEFAULT = 256 }; /* machines seen at the same time */

/* capacity is of PCK chains; of collateral a few are kept, since machines of
 * one kind share it. */
ASSAY_MUST_CHECK
enum assay_status tdx_cache_new(size_t capacity, struct tdx_cache **out,
                                struct assay_error *err);
void tdx_cache_free(struct tdx_cache *cache); /* NULL is fine */

struct tdx_cache_stats {
    uint64_t chain_hits, chain_misses;
    uint64_t collateral_hits, collateral_misses;
};
struct tdx_cache_stats tdx_cache_stats(struct tdx_cache *cache);

#endif
