/* Collateral in a file: for machines without a way to the vendor, and as the
 * format of the cache. Everything in it is signed by the vendor, so the file
 * itself needs no protection but freshness. Format: doc/collateral-bundle.md.
 */
#ifndef ASSAY_COLLECT_BUNDLE_H
#define ASSAY_COLLECT_BUNDLE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "collect/kds_path.h"
#include "evidence/collateral.h"

struct collateral_item {
    struct kds_path path;
    const char *source; /* base URL it was fetched from, or a file's name */
    int64_t fetched_at; /* seconds since 1970, UTC */
    struct span bytes;  /* as the service sends them: DER or PEM */
};

/* Decodes a bundle. Items are in the arena, sorted by path.
 *
 * ASSAY_ERR_MALFORMED  not this format, an unknown or missing member, a digest
 *                      that does not match, two items of one path
 * ASSAY_ERR_UNSUPPORTED  another version of the format
 * ASSAY_ERR_LIMIT      more than LIMIT_BUNDLE_BYTES or LIMIT_BUNDLE_ITEMS */
ASSAY_MUST_CHECK
enum assay_status collateral_decode(struct span text, struct arena *arena,
                                    const struct collateral_item **items,
                                    size_t *count, struct assay_error *err);

/* Encodes items as they are; the same items give the same bytes in any order.
 * ASSAY_ERR_CONFLICT when two have one path. */
ASSAY_MUST_CHECK
enum assay_status collateral_encode(const struct collateral_item *items,
                                    size_t count, struct buffer *out,
                                    struct assay_error *err);

/* A decoded bundle that answers as a collateral source. Immutable; threads may
 * share it. */
struct collateral_bundle;

ASSAY_MUST_CHECK
enum assay_status collateral_bundle_open(const char *path,
                                         struct collateral_bundle **out,
                                         struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status collateral_bundle_parse(struct span text,
                                          struct collateral_bundle **out,
                                          struct assay_error *err);
void collateral_bundle_free(struct collateral_bundle *bundle);

size_t collateral_bundle_count(const struct collateral_bundle *bundle);
const struct collateral_item *
collateral_bundle_at(const struct collateral_bundle *bundle, size_t i);
/* NULL when there is none. */
const struct collateral_item *
collateral_bundle_find(const struct collateral_bundle *bundle,
                       const struct kds_path *path);

/* Answers ASSAY_ERR_NOT_FOUND for what the bundle lacks. Borrows bundle. */
struct collateral_source
collateral_bundle_source(struct collateral_bundle *bundle);

/* First the bundle, then the service; for revocation lists, whose use is
 * their freshness, the other way round. The error of the service is kept. */
struct collateral_layers {
    struct collateral_source bundle;
    struct collateral_source service;
};
struct collateral_source
collateral_layers_source(struct collateral_layers *layers);

#endif
