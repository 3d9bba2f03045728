/* Whom a program believes, and where it asks for what is missing: the options
 * that every program which judges evidence has, and what they open. */
#ifndef ASSAY_CMD_TRUST_H
#define ASSAY_CMD_TRUST_H

#include "collect/bundle.h"
#include "collect/kds.h"
#include "collect/pcs_path.h"
#include "common/options.h"
#include "common/program.h"
#include "evidence/snp_chain.h"
#include "evidence/tdx_cache.h"
#include "evidence/trust.h"

struct trust_options {
    struct text_list anchors;
    struct text_list bundles;
    const char *kds_url;
    const char *pcs_url;
    const char *collateral_proxy;
    const char *cache_dir;
    bool offline;
    /* No option: how long one fetch may take with its retries; 0 as kds.h. */
    uint64_t kds_total_ms;
    unsigned kds_waiters; /* calls that may wait for it at once; 0: any */
};

/* Rows for a table whose struct has a `struct trust_options` member. */
#define TRUST_OPTION_ROWS(type, member)                                        \
    { .name = "trust-anchor",                                                  \
      .help = "also believe this root certificate; INSECURE unless it is "     \
              "the vendor's own",                                              \
      OPT_LIST(type, member.anchors, "FILE") },                                \
        TRUST_SOURCE_ROWS(type, member)

/* Those of them that say where to ask: for who only passes collateral on. */
#define TRUST_SOURCE_ROWS(type, member)                                        \
    { .name = "bundle",                                                        \
      .help = "collateral bundle to look in first",                            \
      OPT_LIST(type, member.bundles, "FILE") },                                \
        { .name = "kds-url",                                                   \
          .help = "AMD's key distribution service",                            \
          OPT_TEXT(type, member.kds_url, "URL"),                               \
          .fallback = KDS_BASE_URL },                                          \
        { .name = "pcs-url",                                                   \
          .help = "Intel's service, or a PCCS, for TDX and SGX",               \
          OPT_TEXT(type, member.pcs_url, "URL") },                             \
        { .name = "collateral-proxy",                                          \
          .help = "ask here before the service itself",                        \
          OPT_TEXT(type, member.collateral_proxy, "URL") },                    \
        { .name = "cache-dir",                                                 \
          .help = "where collateral is kept (~/.cache/assay/kds)",             \
          OPT_TEXT(type, member.cache_dir, "DIR") },                           \
    {                                                                          \
        .name = "offline", .help = "ask nobody for collateral",                \
        OPT_FLAG(type, member.offline)                                         \
    }

enum {
    TRUST_BUNDLES_MAX = 4,
    /* A handshake has 25 s; what it fetches must leave time for the rest. */
    TRUST_HANDSHAKE_KDS_MS = 8000,
};

struct trust {
    struct trust_anchors anchors;
    struct snp_chain_cache *cache;
    struct tdx_cache *tdx_cache;
    struct kds *kds;
    struct collateral_bundle *bundles[TRUST_BUNDLES_MAX];
    struct collateral_layers layers[TRUST_BUNDLES_MAX];
    size_t bundle_count;
    struct collateral_source kds_source;
    /* Bundles, then the service; NULL when neither was asked for. */
    const struct collateral_source *source;
    struct collateral_source outermost;
};

/* Opens what the options name. What is wrong is talked about on stderr, and
 * the exit code returned; EXIT_YES when all is well. *out must not be moved
 * afterwards and is ended by trust_close, also on failure.
 *
 *   event  hears of fetches; may be NULL */
int trust_open(const struct invocation *inv, const struct trust_options *opts,
               void (*event)(void *ctx, const struct kds_event *event),
               void *event_ctx, struct trust *out);
void trust_close(struct trust *t);

/* For kds_config.event on the command line (ctx is the invocation): says on
 * stderr when a wait begins and what could not be had. */
void trust_talk_event(void *ctx, const struct kds_event *event);

#endif
