/* What the collateral verbs share: which things are meant, where they are
 * kept, and how they are shown. */
#ifndef ASSAY_CLI_COLLATERAL_H
#define ASSAY_CLI_COLLATERAL_H

#include "collect/kds.h"
#include "common/options.h"
#include "common/output.h"
#include "common/program.h"

struct collateral_options {
    /* what */
    struct text_list reports;
    struct text_list products;
    const char *chip_id;
    const char *tcb;
    bool vlek;
    /* where */
    const char *kds_url;
    const char *pcs_url;
    const char *collateral_proxy;
    const char *cache_dir;
    uint64_t timeout_s;
    bool offline;
};

#define COLLATERAL_WHAT_ROWS(type, member)                                     \
    { .name = "report",                                                        \
      .help = "all that this report, quote or evidence needs",                 \
      OPT_LIST(type, member.reports, "FILE") },                                \
        { .name = "product",                                                   \
          .help = "Milan, Genoa (also Bergamo, Siena) or Turin: its chain "    \
                  "and list",                                                  \
          OPT_LIST(type, member.products, "NAME") },                           \
        { .name = "chip-id",                                                   \
          .help = "with one --product: also the certificate of this chip",     \
          OPT_TEXT(type, member.chip_id, "HEX") },                             \
        { .name = "tcb",                                                       \
          .help = "its levels: bl,tee,snp,ucode; on Turin with fmc in front",  \
          OPT_TEXT(type, member.tcb, "N,N,N,N") },                             \
    {                                                                          \
        .name = "vlek", .help = "chain and list for keys loaded by a cloud",   \
        OPT_FLAG(type, member.vlek)                                            \
    }

#define COLLATERAL_WHERE_ROWS(type, member)                                    \
    { .name = "kds-url",                                                       \
      .help = "AMD's key distribution service",                                \
      OPT_TEXT(type, member.kds_url, "URL"),                                   \
      .fallback = KDS_BASE_URL },                                              \
        { .name = "pcs-url",                                                   \
          .help = "Intel's service, or a PCCS, for TDX and SGX",               \
          OPT_TEXT(type, member.pcs_url, "URL") },                             \
        { .name = "collateral-proxy",                                          \
          .help = "ask here before the service itself",                        \
          OPT_TEXT(type, member.collateral_proxy, "URL") },                    \
        { .name = "timeout",                                                   \
          .help = "for each thing, with all attempts",                         \
          OPT_NUMBER(type, member.timeout_s, "SECONDS"),                       \
          .fallback = "60",                                                    \
          .least = 1,                                                          \
          .most = 3600 },                                                      \
    {                                                                          \
        .name = "cache-dir",                                                   \
        .help = "where collateral is kept (~/.cache/assay/kds)",               \
        OPT_TEXT(type, member.cache_dir, "DIR")                                \
    }

/* A list that grows in the invocation's arena. */
struct collateral_list {
    struct collateral_item *items; /* room for LIMIT_BUNDLE_ITEMS */
    enum kds_outcome *outcomes;    /* of each, for those that were fetched */
    size_t count;
};

ASSAY_MUST_CHECK
bool collateral_list_init(struct collateral_list *list, struct arena *arena);

/* Adds an item; of two for one path the later one stays. What they point to
 * is borrowed. False when the list is full. */
ASSAY_MUST_CHECK
bool collateral_list_add(struct collateral_list *list,
                         const struct collateral_item *item,
                         enum kds_outcome outcome);

/* "~/.cache/assay/kds" or what the option says; NULL, and talk, when there is
 * no place. In the arena. */
const char *collateral_cache_dir(const struct invocation *inv,
                                 const struct collateral_options *opts);

/* Gets what the options mean: from the service first with refresh, else from
 * the cache first. Says on stderr what could not be had. EXIT_YES, or
 * EXIT_UNKNOWN when anything is missing, or EXIT_USAGE. */
int collateral_get(const struct invocation *inv,
                   const struct collateral_options *opts, bool refresh,
                   struct collateral_list *list);

/* A table, or JSON {"items":[...]}. with_outcome adds how each was had. */
void collateral_render(const struct collateral_list *list, unsigned output,
                       int64_t now, bool with_outcome, struct buffer *out);

#endif
