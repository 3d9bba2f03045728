#include <string.h>

#include "base/limits.h"
#include "rego/regex.h"
#include "rego/value.h"

struct entry {
    struct span pattern; /* its bytes are behind this */
    uint32_t hash;
    struct regex *re;
    struct entry *next;
};

enum { BUCKETS = 256 };

struct regex_cache {
    const struct allocator *alloc;
    struct regex_matcher *matcher;
    size_t count;
    struct entry *buckets[BUCKETS];
};

enum assay_status
regex_cache_new(const struct allocator *alloc, struct regex_cache **out,
                struct assay_error *err)
{
    struct regex_cache *c = mem_zalloc(alloc, sizeof(*c));
    enum assay_status st;

    if (!c)
        return assay_nomem(err, "cache of regular expressions");
    c->alloc = alloc;
    st = regex_matcher_new(alloc, &c->matcher, err);
    if (st != ASSAY_OK) {
        mem_free(alloc, c);
        return st;
    }
    *out = c;
    return ASSAY_OK;
}

static void
clear(struct regex_cache *c)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (c->buckets[i]) {
            struct entry *e = c->buckets[i];

            c->buckets[i] = e->next;
            regex_free(e->re);
            mem_free(c->alloc, e);
        }
    c->count = 0;
}

void
regex_cache_free(struct regex_cache *c)
{
    if (!c)
        return;
    clear(c);
    regex_matcher_free(c->matcher);
    mem_free(c->alloc, c);
}

struct regex_matcher *
regex_cache_matcher(struct regex_cache *c)
{
    return c->matcher;
}

static enum assay_status
add(struct regex_cache *c, struct span pattern, uint32_t hash,
    const struct regex **out, struct assay_error *err)
{
    struct entry *e = mem_alloc(c->alloc, sizeof(*e) + pattern.len);
    enum assay_status st;

    if (!e)
        return assay_nomem(err, "cache of regular expressions");
    *e = (struct entry){ .pattern = { (uint8_t *)(e + 1), pattern.len },
                         .hash = hash };
    if (pattern.len > 0)
        memcpy(e + 1, pattern.ptr, pattern.len);
    st = regex_new(pattern, c->alloc, &e->re, err);
    if (st != ASSAY_OK) {
        mem_free(c->alloc, e);
        return st;
    }
    if (c->count >= LIMIT_REGEX_CACHE)
        clear(c);
    e->next = c->buckets[hash % BUCKETS];
    c->buckets[hash % BUCKETS] = e;
    c->count++;
    *out = e->re;
    return ASSAY_OK;
}

enum assay_status
regex_cache_get(struct regex_cache *c, struct span pattern,
                const struct regex **out, struct assay_error *err)
{
    uint32_t hash = value_hash_text(pattern);

    for (const struct entry *e = c->buckets[hash % BUCKETS]; e; e = e->next)
        if (e->hash == hash && span_equal(e->pattern, pattern)) {
            *out = e->re;
            return ASSAY_OK;
        }
    return add(c, pattern, hash, out, err);
}
