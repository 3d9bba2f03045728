/* Collateral on disk: one bundle of one item per file, named by the digest of
 * base URL and path. A file that is cut short, damaged or not what its path
 * says is a miss, never an error. */
#ifndef ASSAY_COLLECT_KDS_CACHE_H
#define ASSAY_COLLECT_KDS_CACHE_H

#include "collect/bundle.h"

/* "XDG/assay/kds", or "HOME/.cache/assay/kds"; false when neither is an
 * absolute path or the result does not fit. */
bool kds_cache_default(const char *xdg_cache_home, const char *home, char *path,
                       size_t size);

/* Creates the directory (mode 0700). Refused when it belongs to somebody else
 * or others may write to it: they could put back an old revocation list. */
ASSAY_MUST_CHECK
enum assay_status kds_cache_prepare(const char *dir, struct assay_error *err);

/* ASSAY_ERR_NOT_FOUND for every reason there is nothing to use. */
ASSAY_MUST_CHECK
enum assay_status kds_cache_read(const char *dir, const char *base_url,
                                 const struct kds_path *path, int64_t now,
                                 struct arena *arena,
                                 struct collateral_item *out,
                                 struct assay_error *err);

/* Written aside, fsynced, renamed. Removes what crashed writers left, and the
 * oldest files above LIMIT_CACHE_FILES. Call with the lock held. */
ASSAY_MUST_CHECK
enum assay_status kds_cache_write(const char *dir, const char *base_url,
                                  const struct collateral_item *item,
                                  struct assay_error *err);

/* All items of the directory, in the arena, in no order; base_url NULL: of all
 * services, so that one path may occur more than once. What is no item is
 * passed over. ASSAY_ERR_NOT_FOUND when there is no directory. */
ASSAY_MUST_CHECK
enum assay_status kds_cache_list(const char *dir, const char *base_url,
                                 struct arena *arena,
                                 struct collateral_item **items, size_t *count,
                                 struct assay_error *err);

/* Takes the lock of one URL among processes without waiting: the descriptor,
 * -1 when somebody else has it, -2 when locking is not possible here. */
int kds_cache_try_lock(const char *dir, const char *base_url,
                       const struct kds_path *path);
/* Gives it back and removes its file; nothing happens for -1 and -2. */
void kds_cache_unlock(const char *dir, const char *base_url,
                      const struct kds_path *path, int lock);

#endif
