#include "collect/kds.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "collect/kds_cache.h"
#include "collect/kds_check.h"
#include "collect/kds_fetch.h"
#include "collect/pcs_path.h"

enum {
    TOTAL_MS = 2 * 60 * 1000, /* contrast-interop section 7.5 */
    ATTEMPT_MS = 10 * 1000,
    FAILURE_MS = 10 * 1000,
    CRL_FRESH_MS = 60 * 1000,
    MEMORY_ENTRIES = 128, /* chips, chains and lists held at once */
    MEMORY_FAILURES = 32, /* of them, most that never came */
    BASE_URL_MAX = 127,   /* kds_answer.source */
    LOCK_POLL_MS = 50,
};

/* What is known of one path: the last answer, or why there is none. */
struct memory {
    struct kds_path path; /* text "" in an unused entry */
    uint8_t *bytes;       /* NULL when it never came */
    size_t len;
    struct kds_answer answer;
    uint64_t hold_until_ms; /* before that nobody is asked */
    struct assay_error failure;
    uint64_t used; /* counts up: the smallest makes room */
};

/* One request in flight, and all who wait for it. */
struct flight {
    struct flight *next;
    struct kds_path path;
    unsigned refs;
    bool done;
    bool has_copy; /* memory can stand in */
    enum assay_status status;
    struct assay_error failure;
    struct kds_answer answer;
    uint64_t hold_ms;
    struct buffer body;
};

struct kds {
    struct kds_config cfg;
    char *strings; /* what cfg points to */
    pthread_mutex_t mutex;
    pthread_cond_t landed;
    struct flight *flights;
    struct memory memory[MEMORY_ENTRIES];
    uint64_t uses;
    unsigned waiters; /* calls that lead or follow a flight */
    unsigned chip_waiters;
};

static char *
copy_text(char **at, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = *at;

    if (!text)
        return NULL;
    memcpy(copy, text, size);
    *at += size;
    return copy;
}

/* "http://host/" and "http://host" are one server. */
static void
trim_slash(char *url)
{
    size_t len = url ? strlen(url) : 0;

    while (len > 0 && url[len - 1] == '/')
        url[--len] = '\0';
}

static void
fill_defaults(struct kds_config *cfg)
{
    if (!cfg->base_url)
        cfg->base_url = KDS_BASE_URL;
    if (!cfg->pcs_url)
        cfg->pcs_url = PCS_BASE_URL;
    if (cfg->total_ms == 0)
        cfg->total_ms = TOTAL_MS;
    if (cfg->attempt_ms == 0)
        cfg->attempt_ms = ATTEMPT_MS;
    if (cfg->failure_ms == 0)
        cfg->failure_ms = FAILURE_MS;
    if (cfg->crl_fresh_ms == 0)
        cfg->crl_fresh_ms = CRL_FRESH_MS;
}

static enum assay_status
copy_config(struct kds *kds, const struct kds_config *cfg,
            struct assay_error *err)
{
    struct kds_config c = *cfg;
    char *at, *base, *pcs, *proxy;

    fill_defaults(&c);
    if (strlen(c.base_url) > BASE_URL_MAX || strlen(c.pcs_url) > BASE_URL_MAX ||
        (c.proxy_url && strlen(c.proxy_url) > BASE_URL_MAX))
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "KDS: a base URL has at most %d characters",
                          BASE_URL_MAX);
    at = mem_alloc(NULL, strlen(c.base_url) + 1 + strlen(c.pcs_url) + 1 +
                             (c.proxy_url ? strlen(c.proxy_url) + 1 : 0) +
                             (c.cache_dir ? strlen(c.cache_dir) + 1 : 0));
    if (!at)
        return assay_nomem(err, "KDS client");
    kds->strings = at;
    base = copy_text(&at, c.base_url);
    pcs = copy_text(&at, c.pcs_url);
    proxy = copy_text(&at, c.proxy_url);
    trim_slash(base);
    trim_slash(pcs);
    trim_slash(proxy);
    c.base_url = base;
    c.pcs_url = pcs;
    c.proxy_url = proxy;
    c.cache_dir = copy_text(&at, c.cache_dir);
    kds->cfg = c;
    return ASSAY_OK;
}

/* Without its directory the client works, only slower; it says so. */
static void
prepare_cache(struct kds *kds)
{
    struct assay_error why;

    if (!kds->cfg.cache_dir ||
        kds_cache_prepare(kds->cfg.cache_dir, &why) == ASSAY_OK)
        return;
    kds_tell(&kds->cfg, &(struct kds_event){ .outcome = KDS_NOTE,
                                             .what = kds->cfg.cache_dir,
                                             .reason = why.text });
    kds->cfg.cache_dir = NULL;
}

enum assay_status
kds_new(const struct kds_config *cfg, struct kds **out, struct assay_error *err)
{
    struct kds *kds = mem_zalloc(NULL, sizeof(*kds));
    enum assay_status st;

    if (!kds)
        return assay_nomem(err, "KDS client");
    st = copy_config(kds, cfg, err);
    if (st != ASSAY_OK) {
        mem_free(NULL, kds);
        return st;
    }
    if (pthread_mutex_init(&kds->mutex, NULL) != 0) {
        mem_free(NULL, kds->strings);
        mem_free(NULL, kds);
        return assay_nomem(err, "KDS client");
    }
    (void)pthread_cond_init(&kds->landed, NULL); /* cannot fail on Linux */
    prepare_cache(kds);
    *out = kds;
    return ASSAY_OK;
}

void
kds_free(struct kds *kds)
{
    if (!kds)
        return;
    for (size_t i = 0; i < MEMORY_ENTRIES; i++)
        mem_free(NULL, kds->memory[i].bytes);
    (void)pthread_cond_destroy(&kds->landed);
    (void)pthread_mutex_destroy(&kds->mutex);
    mem_free(NULL, kds->strings);
    mem_free(NULL, kds);
}

static bool
same_path(const struct kds_path *a, const struct kds_path *b)
{
    return strcmp(a->text, b->text) == 0;
}

/* --- memory: with the mutex held ------------------------------------- */

static struct memory *
memory_find(struct kds *kds, const struct kds_path *path)
{
    for (size_t i = 0; i < MEMORY_ENTRIES; i++)
        if (same_path(&kds->memory[i].path, path))
            return &kds->memory[i];
    return NULL;
}

/* The least recently used entry makes room; but strangers, who can name as
 * many chips as they like, push out only each other. */
static struct memory *
memory_make(struct kds *kds, const struct kds_path *path, bool failed)
{
    struct memory *oldest = NULL, *oldest_failure = NULL;
    size_t failures = 0;

    for (size_t i = 0; i < MEMORY_ENTRIES; i++) {
        struct memory *m = &kds->memory[i];

        if (!oldest || m->used < oldest->used)
            oldest = m;
        if (m->bytes || m->used == 0)
            continue;
        failures++;
        if (!oldest_failure || m->used < oldest_failure->used)
            oldest_failure = m;
    }
    if (failed && failures >= MEMORY_FAILURES)
        oldest = oldest_failure;
    mem_free(NULL, oldest->bytes);
    *oldest = (struct memory){ .path = *path };
    return oldest;
}

static uint64_t
hold_until(const struct kds *kds, uint64_t hold_ms)
{
    uint64_t now = clock_monotonic_ms(kds->cfg.clock);

    return hold_ms > UINT64_MAX - now ? UINT64_MAX : now + hold_ms;
}

/* True when memory settles it: an answer to give, or a failure not to repeat
 * yet. */
static bool
memory_settles(struct kds *kds, const struct kds_path *path,
               struct kds_answer *answer, struct buffer *body,
               struct assay_error *err, enum assay_status *st)
{
    struct memory *m = memory_find(kds, path);

    if (!m || clock_monotonic_ms(kds->cfg.clock) >= m->hold_until_ms)
        return false;
    if (kds->cfg.refresh && m->bytes)
        return false;
    m->used = ++kds->uses;
    if (m->bytes) {
        *answer = m->answer;
        if (answer->outcome == KDS_FETCHED)
            answer->outcome = KDS_CACHED;
        buffer_add(body, span_of(m->bytes, m->len));
        *st = buffer_check(body, path->text, err);
    } else {
        *st = assay_fail(err, m->failure.status, "%s (asked a moment ago)",
                         m->failure.text);
    }
    return true;
}

static void
memory_keep(struct kds *kds, struct memory *m, const struct flight *f)
{
    uint8_t *bytes = mem_alloc(NULL, f->body.len + 1);

    if (!bytes)
        return; /* asked again next time */
    memcpy(bytes, f->body.ptr, f->body.len);
    mem_free(NULL, m->bytes);
    m->bytes = bytes;
    m->len = f->body.len;
    m->answer = f->answer;
    m->hold_until_ms = hold_until(kds, f->hold_ms);
}

/* A copy that was good serves on when it cannot be renewed. */
static void
memory_stands_in(const struct memory *m, struct flight *f)
{
    if (!m->bytes)
        return;
    buffer_clear(&f->body);
    buffer_add(&f->body, span_of(m->bytes, m->len));
    if (f->body.failed)
        return;
    f->answer = m->answer;
    f->answer.outcome = KDS_STALE;
    f->status = ASSAY_OK;
}

static void
memory_learn(struct kds *kds, struct flight *f)
{
    struct memory *m = memory_find(kds, &f->path);

    if (f->status == ASSAY_ERR_NOMEM)
        return;
    if (!m)
        m = memory_make(kds, &f->path, f->status != ASSAY_OK);
    m->used = ++kds->uses;
    if (f->status == ASSAY_OK) {
        memory_keep(kds, m, f);
        return;
    }
    m->failure = f->failure;
    memory_stands_in(m, f);
    if (f->status == ASSAY_OK) {
        m->answer.outcome = KDS_STALE;
        /* As often as a list is renewed when all is well, and no oftener:
         * each failure costs somebody the time of an attempt. */
        if (f->hold_ms < kds->cfg.crl_fresh_ms)
            f->hold_ms = kds->cfg.crl_fresh_ms;
    }
    m->hold_until_ms = hold_until(kds, f->hold_ms);
}

/* --- one flight: without the mutex ------------------------------------ */

static void
take_item(const struct kds *kds, struct flight *f,
          const struct collateral_item *item, enum kds_outcome outcome)
{
    buffer_clear(&f->body);
    buffer_add(&f->body, item->bytes);
    f->status = buffer_check(&f->body, f->path.text, &f->failure);
    f->answer.outcome = outcome;
    f->answer.fetched_at = item->fetched_at;
    (void)snprintf(f->answer.source, sizeof(f->answer.source), "%s",
                   item->source);
    f->hold_ms = UINT64_MAX;
    if (collateral_is_renewed(f->path.kind))
        f->hold_ms =
            outcome == KDS_STALE ? kds->cfg.failure_ms : kds->cfg.crl_fresh_ms;
}

static bool
read_disk(const struct kds *kds, const struct flight *f, struct arena *arena,
          struct collateral_item *item)
{
    return kds->cfg.cache_dir &&
           kds_cache_read(kds->cfg.cache_dir, kds_base_of(&kds->cfg, &f->path),
                          &f->path, clock_now(kds->cfg.clock), arena, item,
                          NULL) == ASSAY_OK;
}

/* Good enough not to ask: anything but a list, or a list got just now. */
static bool
is_fresh(const struct kds *kds, const struct collateral_item *item)
{
    int64_t age = clock_now(kds->cfg.clock) - item->fetched_at;

    return !collateral_is_renewed(item->path.kind) ||
           (age >= 0 && (uint64_t)age < kds->cfg.crl_fresh_ms / 1000);
}

/* Waits while another process asks the same; -2 when that takes too long or
 * locks are not to be had: then we ask all the same. */
static int
wait_for_lock(const struct kds *kds, const struct kds_path *path,
              uint64_t deadline_ms, bool *waited)
{
    *waited = false;
    if (!kds->cfg.cache_dir)
        return -2;
    for (;;) {
        int lock = kds_cache_try_lock(kds->cfg.cache_dir,
                                      kds_base_of(&kds->cfg, path), path);

        if (lock != -1 || clock_monotonic_ms(kds->cfg.clock) >= deadline_ms)
            return lock;
        *waited = true;
        kds_sleep(&kds->cfg, LOCK_POLL_MS);
    }
}

static void
write_disk(const struct kds *kds, const struct flight *f)
{
    struct collateral_item item = { f->path, f->answer.source,
                                    f->answer.fetched_at,
                                    buffer_span(&f->body) };
    struct assay_error why;

    if (!kds->cfg.cache_dir ||
        kds_cache_write(kds->cfg.cache_dir, kds_base_of(&kds->cfg, &f->path),
                        &item, &why) == ASSAY_OK)
        return;
    kds_tell(&kds->cfg, &(struct kds_event){ .outcome = KDS_NOTE,
                                             .what = kds->cfg.cache_dir,
                                             .reason = why.text });
}

static void
ask_service(const struct kds *kds, struct flight *f, uint64_t deadline_ms)
{
    const char *source = NULL;

    f->status = kds_fetch(&kds->cfg, &f->path, deadline_ms, &source, &f->body,
                          &f->hold_ms, &f->failure);
    if (f->status != ASSAY_OK)
        return;
    f->answer.outcome = KDS_FETCHED;
    f->answer.fetched_at = clock_now(kds->cfg.clock);
    (void)snprintf(f->answer.source, sizeof(f->answer.source), "%s", source);
    f->hold_ms = collateral_is_renewed(f->path.kind) ? kds->cfg.crl_fresh_ms
                                                     : UINT64_MAX;
    write_disk(kds, f);
}

static void
fly_locked(const struct kds *kds, struct flight *f, struct arena *arena,
           const struct collateral_item *older, uint64_t deadline_ms,
           int64_t started_at)
{
    struct collateral_item item;
    bool waited;
    int lock = wait_for_lock(kds, &f->path, deadline_ms, &waited);

    if (waited && read_disk(kds, f, arena, &item) &&
        item.fetched_at >= started_at)
        take_item(kds, f, &item, KDS_CACHED);
    else
        ask_service(kds, f, deadline_ms);
    kds_cache_unlock(kds->cfg.cache_dir, kds_base_of(&kds->cfg, &f->path),
                     &f->path, lock);
    if (f->status != ASSAY_OK && f->status != ASSAY_ERR_NOMEM && older)
        take_item(kds, f, older, KDS_STALE);
}

static void
fly(const struct kds *kds, struct flight *f)
{
    uint64_t deadline_ms = hold_until(kds, kds->cfg.total_ms);
    int64_t started_at = clock_now(kds->cfg.clock);
    struct collateral_item item;
    struct arena arena;
    bool have;

    arena_init(&arena, 16 * LIMIT_CRL_BYTES, NULL);
    have = read_disk(kds, f, &arena, &item);
    /* With a copy at hand, one attempt's time is all the new one is worth. */
    if ((have || f->has_copy) && kds->cfg.attempt_ms < kds->cfg.total_ms)
        deadline_ms = hold_until(kds, kds->cfg.attempt_ms);
    if (have && !kds->cfg.refresh && is_fresh(kds, &item))
        take_item(kds, f, &item, KDS_CACHED);
    else
        fly_locked(kds, f, &arena, have ? &item : NULL, deadline_ms,
                   started_at);
    arena_drop(&arena);
}

/* --- putting both together --------------------------------------------- */

static struct flight *
flight_begin(struct kds *kds, const struct kds_path *path)
{
    struct flight *f = mem_zalloc(NULL, sizeof(*f));
    const struct memory *m;

    if (!f)
        return NULL;
    f->path = *path;
    f->refs = 1;
    f->status = ASSAY_ERR_IO;
    m = memory_find(kds, path);
    f->has_copy = m && m->bytes;
    buffer_init(&f->body, kds_body_limit(path->kind), NULL);
    f->next = kds->flights;
    kds->flights = f;
    return f;
}

static struct flight *
flight_find(struct kds *kds, const struct kds_path *path)
{
    for (struct flight *f = kds->flights; f; f = f->next)
        if (same_path(&f->path, path))
            return f;
    return NULL;
}

static void
flight_end(struct kds *kds, struct flight *f)
{
    struct flight **at = &kds->flights;

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    memory_learn(kds, f);
    f->done = true;
    (void)pthread_cond_broadcast(&kds->landed);
}

static enum assay_status
flight_leave(struct flight *f, struct kds_answer *answer, struct buffer *body,
             struct assay_error *err)
{
    enum assay_status st = f->status;

    if (st == ASSAY_OK) {
        buffer_add(body, buffer_span(&f->body));
        st = buffer_check(body, f->path.text, err);
        *answer = f->answer;
    } else if (err) {
        *err = f->failure;
    }
    if (--f->refs == 0) {
        buffer_free(&f->body);
        mem_free(NULL, f);
    }
    return st;
}

/* Who asked tells, without the mutex: the receiver may ask again. */
static void
tell_outcome(const struct kds *kds, const struct kds_path *path,
             enum assay_status st, const struct kds_answer *answer,
             const struct assay_error *why)
{
    kds_tell(&kds->cfg,
             &(struct kds_event){
                 .outcome = st == ASSAY_OK ? answer->outcome : KDS_FAILED,
                 .what = path->text,
                 .reason = why->text,
                 .fetched_at = answer->fetched_at,
             });
}

/* Fetches as the one in front of all others that want the same. */
static enum assay_status
lead(struct kds *kds, const struct kds_path *path, struct kds_answer *answer,
     struct buffer *body, struct assay_error *err)
{
    struct flight *f = flight_begin(kds, path);
    struct assay_error why;
    enum assay_status st;

    if (!f) {
        (void)pthread_mutex_unlock(&kds->mutex);
        return assay_nomem(err, "KDS client");
    }
    (void)pthread_mutex_unlock(&kds->mutex);
    fly(kds, f);
    (void)pthread_mutex_lock(&kds->mutex);
    flight_end(kds, f);
    why = f->failure;
    st = flight_leave(f, answer, body, err);
    (void)pthread_mutex_unlock(&kds->mutex);
    tell_outcome(kds, path, st, answer, &why);
    return st;
}

static enum assay_status
follow(struct kds *kds, struct flight *f, struct kds_answer *answer,
       struct buffer *body, struct assay_error *err)
{
    enum assay_status st;

    f->refs++;
    while (!f->done)
        (void)pthread_cond_wait(&kds->landed, &kds->mutex);
    st = flight_leave(f, answer, body, err);
    (void)pthread_mutex_unlock(&kds->mutex);
    return st;
}

static bool
may_wait(const struct kds *kds, const struct kds_path *path)
{
    unsigned most = kds->cfg.waiters_max;

    return most == 0 ||
           (kds->waiters < most && (path->kind != COLLATERAL_VCEK ||
                                    kds->chip_waiters < (most + 1) / 2));
}

/* Too many wait already: memory's copy, however old, or nothing. */
static enum assay_status
do_not_wait(struct kds *kds, const struct kds_path *path,
            struct kds_answer *answer, struct buffer *body,
            struct assay_error *err)
{
    const struct memory *m = memory_find(kds, path);

    if (!m || !m->bytes)
        return assay_fail(err, ASSAY_ERR_IO,
                          "%u others wait for the service already: %.100s",
                          kds->waiters, path->text);
    *answer = m->answer;
    answer->outcome = KDS_STALE;
    buffer_add(body, span_of(m->bytes, m->len));
    return buffer_check(body, path->text, err);
}

/* Called with the mutex, which is free on return. */
static enum assay_status
wait_for_flight(struct kds *kds, const struct kds_path *path,
                struct kds_answer *answer, struct buffer *body,
                struct assay_error *err)
{
    bool chip = path->kind == COLLATERAL_VCEK;
    struct flight *f = flight_find(kds, path);
    enum assay_status st;

    kds->waiters++;
    kds->chip_waiters += chip;
    if (f)
        st = follow(kds, f, answer, body, err);
    else
        st = lead(kds, path, answer, body, err);
    (void)pthread_mutex_lock(&kds->mutex);
    kds->waiters--;
    kds->chip_waiters -= chip;
    (void)pthread_mutex_unlock(&kds->mutex);
    return st;
}

enum assay_status
kds_get(struct kds *kds, const struct kds_path *path, struct kds_answer *answer,
        struct buffer *body, struct assay_error *err)
{
    struct kds_answer got = { 0 };
    enum assay_status st;

    (void)pthread_mutex_lock(&kds->mutex);
    if (!flight_find(kds, path) &&
        memory_settles(kds, path, &got, body, err, &st)) {
        (void)pthread_mutex_unlock(&kds->mutex);
    } else if (!may_wait(kds, path)) {
        st = do_not_wait(kds, path, &got, body, err);
        (void)pthread_mutex_unlock(&kds->mutex);
    } else {
        st = wait_for_flight(kds, path, &got, body, err);
    }
    if (st == ASSAY_OK && answer)
        *answer = got;
    return st;
}

/* --- as a collateral source --------------------------------------------- */

static enum assay_status
source_vcek(void *ctx, const struct snp_report *report,
            enum snp_product product, struct buffer *der,
            struct assay_error *err)
{
    struct kds_path path;
    enum assay_status st = kds_path_of_report(report, product, &path, err);

    return st == ASSAY_OK ? kds_get(ctx, &path, NULL, der, err) : st;
}

static enum assay_status
source_chain(void *ctx, enum snp_product product, bool vlek, struct buffer *pem,
             struct assay_error *err)
{
    struct kds_path path;
    enum assay_status st =
        kds_path_of(vlek ? COLLATERAL_VLEK_CHAIN : COLLATERAL_VCEK_CHAIN,
                    product, &path, err);

    return st == ASSAY_OK ? kds_get(ctx, &path, NULL, pem, err) : st;
}

static enum assay_status
source_crl(void *ctx, enum snp_product product, bool vlek, struct buffer *der,
           struct assay_error *err)
{
    struct kds_path path;
    enum assay_status st = kds_path_of(
        vlek ? COLLATERAL_VLEK_CRL : COLLATERAL_VCEK_CRL, product, &path, err);

    return st == ASSAY_OK ? kds_get(ctx, &path, NULL, der, err) : st;
}

static enum assay_status
get_piece(struct kds *kds, const struct kds_path *path, struct arena *arena,
          struct tdx_collateral *out, struct assay_error *err)
{
    struct buffer body;
    struct span bytes;
    enum assay_status st;

    buffer_init(&body, kds_body_limit(path->kind), NULL);
    st = kds_get(kds, path, NULL, &body, err);
    if (st == ASSAY_OK && !arena_dup(arena, buffer_span(&body), &bytes))
        st = assay_nomem(err, path->text);
    buffer_free(&body);
    return st == ASSAY_OK ? tdx_collateral_decode(bytes, NULL, arena, out, err)
                          : st;
}

/* One piece after the other, as far as they can be had. */
static enum assay_status
source_tdx(void *ctx, const struct tdx_collateral_want *want,
           struct arena *arena, struct tdx_collateral *out,
           struct assay_error *err)
{
    struct kds_path paths[PCS_PATHS];
    enum assay_status first = ASSAY_OK;

    pcs_paths_of(want, paths);
    for (size_t i = 0; i < PCS_PATHS; i++) {
        struct tdx_collateral piece = { 0 };
        struct assay_error why = { 0 };
        enum assay_status st = get_piece(ctx, &paths[i], arena, &piece, &why);

        if (st == ASSAY_OK)
            tdx_collateral_fill(out, &piece);
        else if (first == ASSAY_OK)
            first = assay_fail(err, st, "%s", why.text);
    }
    return first;
}

struct collateral_source
kds_source(struct kds *kds)
{
    return (struct collateral_source){ .snp_vcek = source_vcek,
                                       .snp_chain = source_chain,
                                       .snp_crl = source_crl,
                                       .tdx_collateral = source_tdx,
                                       .ctx = kds };
}
