/* Where the manifest history lives: a few durable objects under short keys.
 *
 * Contract of CI section 11.2, shared by every backend. A key is two path
 * components, [A-Za-z0-9-]+ each, joined by a slash ("transitions/latest"):
 * it must be a file name, an etcd key and the tail of a ConfigMap name.
 *
 * Every successful write is durable before the call returns: after a crash at
 * any moment a key holds its old value or its new one, never a part. Values
 * are never empty. Calls may block, so they belong on worker threads; they
 * are safe from several threads and several processes at once.
 *
 * Statuses, the same for all calls:
 *   ASSAY_ERR_NOT_FOUND  the key has no value
 *   ASSAY_ERR_CONFLICT   the key's value is not what the caller assumed
 *   ASSAY_ERR_IO         the backend failed. Of a write, either outcome is
 *                        possible: read again before deciding anything
 *   ASSAY_ERR_MALFORMED  what is stored cannot be a value (an empty file)
 *   ASSAY_ERR_LIMIT      a value above LIMIT_STORE_VALUE_BYTES, or a bad key */
#ifndef ASSAY_STORE_STORE_H
#define ASSAY_STORE_STORE_H

#include "base/buffer.h"

enum { STORE_KEY_MAX = 160 }; /* characters */

/* Return false to stop; store_list then ends with ASSAY_OK. */
typedef bool store_visitor(void *ctx, const char *key);

struct store_ops {
    enum assay_status (*get)(void *ctx, const char *key, struct buffer *out,
                             struct assay_error *err);
    enum assay_status (*put)(void *ctx, const char *key, struct span value,
                             struct assay_error *err);
    enum assay_status (*cas)(void *ctx, const char *key, struct span old,
                             struct span value, struct assay_error *err);
    enum assay_status (*list)(void *ctx, const char *dir, store_visitor *visit,
                              void *visit_ctx, struct assay_error *err);
    enum assay_status (*wait)(void *ctx, const char *key, struct span known,
                              uint32_t timeout_ms, struct assay_error *err);
};

struct store {
    const struct store_ops *ops;
    void *ctx; /* the backend's, which must outlive this */
};

/* Appends the value of key to *out. */
ASSAY_MUST_CHECK
enum assay_status store_get(const struct store *s, const char *key,
                            struct buffer *out, struct assay_error *err);

/* Put if absent. A key that already holds exactly these bytes is success;
 * other bytes are ASSAY_ERR_CONFLICT and stay. */
ASSAY_MUST_CHECK
enum assay_status store_put(const struct store *s, const char *key,
                            struct span value, struct assay_error *err);

/* Compare and swap. An empty old demands that key has no value. The error
 * text of a conflict contains "has changed since last read". */
ASSAY_MUST_CHECK
enum assay_status store_cas(const struct store *s, const char *key,
                            struct span old, struct span value,
                            struct assay_error *err);

/* Calls visit for every key whose first component is dir, in no order. */
ASSAY_MUST_CHECK
enum assay_status store_list(const struct store *s, const char *dir,
                             store_visitor *visit, void *ctx,
                             struct assay_error *err);

/* Watch: returns ASSAY_OK as soon as the value of key is not known (empty:
 * as soon as it exists), ASSAY_ERR_NOT_FOUND when timeout_ms pass without a
 * change. May return early and may miss a value that was there only briefly:
 * the caller reads and compares. */
ASSAY_MUST_CHECK
enum assay_status store_wait(const struct store *s, const char *key,
                             struct span known, uint32_t timeout_ms,
                             struct assay_error *err);

/* True for a key of the shape above. */
bool store_key_check(const char *key);

#endif
