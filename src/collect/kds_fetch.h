/* One thing from the service, with retries: the part of the client that
 * neither caches nor shares. */
#ifndef ASSAY_COLLECT_KDS_FETCH_H
#define ASSAY_COLLECT_KDS_FETCH_H

#include "collect/kds.h"

/* The largest answer we take for a kind, in bytes. */
size_t kds_body_limit(enum collateral_kind kind);

/* The vendor whose it is. */
const char *kds_base_of(const struct kds_config *cfg,
                        const struct kds_path *path);

void kds_tell(const struct kds_config *cfg, const struct kds_event *event);
void kds_sleep(const struct kds_config *cfg, uint64_t ms);

/* Asks the proxy, then the base, until one gives what the path names or the
 * time is up. cfg has no zeros left where kds.h gives defaults.
 *
 *   deadline_ms  of the monotonic clock
 *   source       base URL that answered; borrowed from cfg
 *   body         replaced; its limit is kds_body_limit()
 *   hold_ms      on failure: how long not to ask again
 *
 * ASSAY_ERR_IO, whatever was wrong; ASSAY_ERR_NOMEM. */
ASSAY_MUST_CHECK
enum assay_status kds_fetch(const struct kds_config *cfg,
                            const struct kds_path *path, uint64_t deadline_ms,
                            const char **source, struct buffer *body,
                            uint64_t *hold_ms, struct assay_error *err);

#endif
