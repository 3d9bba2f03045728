/* Objects found again by exact bytes. The least recently used one makes room.
 *
 * Keys are compared in full, so a key is as strong as the bytes themselves.
 * Thread safe; the objects must be shareable. */
#ifndef ASSAY_EVIDENCE_BYTE_CACHE_H
#define ASSAY_EVIDENCE_BYTE_CACHE_H

#include "base/error.h"

enum { BYTE_KEY_PARTS = 16 };

/* Borrowed; parts of length 0 count. */
struct byte_key {
    struct span parts[BYTE_KEY_PARTS];
    size_t count;
};

void byte_key_add(struct byte_key *key, struct span part);

struct byte_cache_kind {
    void *(*ref)(void *object);
    void (*release)(void *object);
};

struct byte_cache;

ASSAY_MUST_CHECK
enum assay_status byte_cache_new(size_t capacity,
                                 const struct byte_cache_kind *kind,
                                 struct byte_cache **out,
                                 struct assay_error *err);
void byte_cache_free(struct byte_cache *cache); /* NULL is fine */

/* A reference to the object, or NULL. */
void *byte_cache_get(struct byte_cache *cache, const struct byte_key *key);

/* Keeps a reference of its own. Nothing is kept when memory is out. */
void byte_cache_put(struct byte_cache *cache, const struct byte_key *key,
                    void *object);

struct byte_cache_stats {
    uint64_t hits, misses;
};
struct byte_cache_stats byte_cache_stats(struct byte_cache *cache);

#endif
