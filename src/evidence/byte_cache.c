#include "evidence/byte_cache.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/num.h"

struct slot {
    void *object;   /* NULL: empty */
    uint8_t *bytes; /* all parts, back to back */
    size_t lengths[BYTE_KEY_PARTS];
    size_t count;
    uint64_t used; /* tick of the last use */
};

struct byte_cache {
    pthread_mutex_t lock;
    const struct byte_cache_kind *kind;
    uint64_t tick;
    struct byte_cache_stats stats;
    size_t capacity;
    struct slot slots[];
};

void
byte_key_add(struct byte_key *key, struct span part)
{
    assert(key->count < BYTE_KEY_PARTS);
    key->parts[key->count++] = part;
}

enum assay_status
byte_cache_new(size_t capacity, const struct byte_cache_kind *kind,
               struct byte_cache **out, struct assay_error *err)
{
    struct byte_cache *cache =
        mem_zalloc(NULL, sizeof(*cache) + capacity * sizeof(cache->slots[0]));

    if (!cache)
        return assay_nomem(err, "cache");
    pthread_mutex_init(&cache->lock, NULL);
    cache->kind = kind;
    cache->capacity = capacity;
    *out = cache;
    return ASSAY_OK;
}

void
byte_cache_free(struct byte_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->capacity; i++) {
        if (cache->slots[i].object)
            cache->kind->release(cache->slots[i].object);
        mem_free(NULL, cache->slots[i].bytes);
    }
    pthread_mutex_destroy(&cache->lock);
    mem_free(NULL, cache);
}

static bool
is_same(const struct slot *s, const struct byte_key *key)
{
    const uint8_t *at = s->bytes;

    if (!s->object || s->count != key->count)
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (s->lengths[i] != key->parts[i].len)
            return false;
    }
    for (size_t i = 0; i < s->count; i++) {
        struct span part = key->parts[i];

        if (part.len > 0 && memcmp(at, part.ptr, part.len) != 0)
            return false;
        at += part.len;
    }
    return true;
}

void *
byte_cache_get(struct byte_cache *cache, const struct byte_key *key)
{
    void *found = NULL;

    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < cache->capacity && !found; i++) {
        struct slot *s = &cache->slots[i];

        if (!is_same(s, key))
            continue;
        s->used = ++cache->tick;
        found = cache->kind->ref(s->object);
    }
    if (found)
        cache->stats.hits++;
    else
        cache->stats.misses++;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

static bool
copy_key(const struct byte_key *key, struct slot *out)
{
    size_t total = 1; /* a key may be empty */
    uint8_t *at;

    for (size_t i = 0; i < key->count; i++) {
        if (!size_add(total, key->parts[i].len, &total))
            return false;
    }
    at = mem_alloc(NULL, total);
    if (!at)
        return false;
    *out = (struct slot){ .bytes = at, .count = key->count };
    for (size_t i = 0; i < key->count; i++) {
        struct span part = key->parts[i];

        if (part.len > 0)
            memcpy(at, part.ptr, part.len);
        out->lengths[i] = part.len;
        at += part.len;
    }
    return true;
}

void
byte_cache_put(struct byte_cache *cache, const struct byte_key *key,
               void *object)
{
    struct slot fresh, old;
    struct slot *victim = &cache->slots[0];

    if (!copy_key(key, &fresh))
        return;
    fresh.object = cache->kind->ref(object);
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 1; i < cache->capacity; i++) {
        if (cache->slots[i].used < victim->used)
            victim = &cache->slots[i];
    }
    old = *victim;
    *victim = fresh;
    victim->used = ++cache->tick;
    pthread_mutex_unlock(&cache->lock);
    if (old.object)
        cache->kind->release(old.object);
    mem_free(NULL, old.bytes);
}

struct byte_cache_stats
byte_cache_stats(struct byte_cache *cache)
{
    struct byte_cache_stats stats;

    pthread_mutex_lock(&cache->lock);
    stats = cache->stats;
    pthread_mutex_unlock(&cache->lock);
    return stats;
}
