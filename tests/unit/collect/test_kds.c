/* The client against a service that the test scripts, with a clock and sleeps
 * that only count. */
#include "amd_shaped.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "collect/kds.h"
#include "collect/kds_cache.h"
#include "collect/kds_check.h"

enum {
    NOW = 1767323045,
    YEAR = 365 * 86400,
    MOST_REPLIES = 32,
    THREADS = 16,
};

static const uint8_t levels[4] = { 4, 0, 24, 219 };

struct reply {
    enum assay_status st;
    unsigned status;
    int64_t retry_after_s;
    struct span body;
};

/* The service: replies in turn, the last one for ever. */
struct service {
    pthread_mutex_t mutex;
    struct reply replies[MOST_REPLIES];
    size_t reply_count, calls;
    char urls[MOST_REPLIES][512];
    uint64_t slow_ms;  /* real ones */
    uint64_t costs_ms; /* of the fake clock */
    int64_t now;
    uint64_t ms; /* monotonic */
    uint64_t slept_ms;
    size_t sleeps;
    enum kds_outcome last;
    char reason[256];
    size_t events[KDS_NOTE + 1];
    uint8_t jitter;
    bool endless; /* more calls than MOST_REPLIES are meant */
};

static int64_t
fake_now(void *ctx)
{
    return ((struct service *)ctx)->now;
}

static uint64_t
fake_ms(void *ctx)
{
    struct service *s = ctx;
    uint64_t ms;

    (void)pthread_mutex_lock(&s->mutex);
    ms = s->ms;
    (void)pthread_mutex_unlock(&s->mutex);
    return ms;
}

static bool
fake_random(void *ctx, uint8_t *out, size_t len)
{
    memset(out, ((struct service *)ctx)->jitter, len);
    return true;
}

static void
fake_sleep(void *ctx, uint64_t ms)
{
    struct service *s = ctx;

    (void)pthread_mutex_lock(&s->mutex);
    s->slept_ms += ms;
    s->ms += ms;
    s->sleeps++;
    (void)pthread_mutex_unlock(&s->mutex);
}

static void
hear(void *ctx, const struct kds_event *event)
{
    struct service *s = ctx;

    (void)pthread_mutex_lock(&s->mutex);
    s->last = event->outcome;
    s->events[event->outcome]++;
    (void)snprintf(s->reason, sizeof(s->reason), "%s", event->reason);
    (void)pthread_mutex_unlock(&s->mutex);
}

static enum assay_status
fake_get(void *ctx, const char *url, uint64_t timeout_ms,
         struct kds_reply *reply, struct buffer *body, struct assay_error *err)
{
    struct service *s = ctx;
    struct reply r;
    size_t n;

    (void)pthread_mutex_lock(&s->mutex);
    n = s->calls++;
    assert_true(n < MOST_REPLIES || s->endless);
    if (n < MOST_REPLIES)
        (void)snprintf(s->urls[n], sizeof(s->urls[n]), "%s", url);
    r = s->replies[n < s->reply_count ? n : s->reply_count - 1];
    s->ms += s->costs_ms < timeout_ms ? s->costs_ms : timeout_ms;
    (void)pthread_mutex_unlock(&s->mutex);
    if (s->slow_ms > 0)
        (void)usleep((useconds_t)s->slow_ms * 1000);
    if (r.st != ASSAY_OK)
        return assay_fail(err, r.st, "GET %s: scripted failure", url);
    reply->status = r.status;
    reply->retry_after_s = r.retry_after_s;
    buffer_add(body, r.body);
    return buffer_check(body, "scripted body", err);
}

struct world {
    struct service service;
    struct clock clock;
    struct random_source random;
    struct amd_shaped milan;
    char dir[64];
    struct kds_config cfg;
    struct kds_path vcek, chain, crl;
};

static void
say(struct world *w, struct reply r)
{
    w->service.replies[w->service.reply_count++] = r;
}

static void
say_ok(struct world *w, struct buffer *b)
{
    say(w, (struct reply){ ASSAY_OK, 200, -1, buffer_span(b) });
}

static void
say_status(struct world *w, unsigned status, int64_t retry_after_s)
{
    say(w, (struct reply){ ASSAY_OK, status, retry_after_s, { NULL, 0 } });
}

static void
say_failure(struct world *w, enum assay_status st)
{
    say(w, (struct reply){ st, 0, -1, { NULL, 0 } });
}

static int
world_begin(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct assay_error err;

    assert_non_null(w);
    w->service.now = NOW;
    w->service.ms = 1000;
    assert_int_equal(pthread_mutex_init(&w->service.mutex, NULL), 0);
    w->clock = (struct clock){ fake_now, fake_ms, &w->service };
    w->random = (struct random_source){ fake_random, &w->service };
    amd_shaped_make(&w->milan, 0xA7, levels, NOW - YEAR, NOW + YEAR);
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/assay-kds-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->cfg = (struct kds_config){ .base_url = "http://kds.test/",
                                  .cache_dir = w->dir,
                                  .transport = { fake_get, &w->service },
                                  .clock = &w->clock,
                                  .random = &w->random,
                                  .sleep_ms = fake_sleep,
                                  .sleep_ctx = &w->service,
                                  .event = hear,
                                  .event_ctx = &w->service };
    assert_ok(kds_path_of_vcek(buffer_span(&w->milan.vcek), &w->vcek, &err),
              &err);
    assert_ok(
        kds_path_of(COLLATERAL_VCEK_CHAIN, SNP_PRODUCT_MILAN, &w->chain, &err),
        &err);
    assert_ok(
        kds_path_of(COLLATERAL_VCEK_CRL, SNP_PRODUCT_MILAN, &w->crl, &err),
        &err);
    *state = w;
    return 0;
}

/* Calls fn with the path of every file of the cache. */
static size_t
each_file(const char *dir_path, void (*fn)(const char *path))
{
    DIR *dir = opendir(dir_path);
    const struct dirent *e;
    size_t n = 0;

    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL) {
        char path[512];

        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", dir_path, e->d_name);
        fn(path);
        n++;
    }
    (void)closedir(dir);
    return n;
}

static void
remove_file(const char *path)
{
    assert_int_equal(unlink(path), 0);
}

static int
world_end(void **state)
{
    struct world *w = *state;

    (void)each_file(w->dir, remove_file);
    assert_int_equal(rmdir(w->dir), 0);
    amd_shaped_free(&w->milan);
    (void)pthread_mutex_destroy(&w->service.mutex);
    free(w);
    return 0;
}

/* One question to a client of its own, as a new process would ask it. */
static enum assay_status
ask_anew(struct world *w, const struct kds_path *path, struct buffer *body,
         struct kds_answer *answer, struct assay_error *err)
{
    struct kds *kds = NULL;
    enum assay_status st;

    assert_ok(kds_new(&w->cfg, &kds, err), err);
    buffer_init(body, LIMIT_CRL_BYTES, NULL);
    st = kds_get(kds, path, answer, body, err);
    kds_free(kds);
    return st;
}

static void
assert_gives(struct world *w, const struct kds_path *path, struct buffer *want,
             enum kds_outcome outcome)
{
    struct kds_answer answer;
    struct assay_error err;
    struct buffer body;

    assert_ok(ask_anew(w, path, &body, &answer, &err), &err);
    assert_true(span_equal(buffer_span(&body), buffer_span(want)));
    assert_int_equal(answer.outcome, outcome);
    buffer_free(&body);
}

static void
assert_fails(struct world *w, const struct kds_path *path, const char *reason)
{
    struct kds_answer answer;
    struct assay_error err;
    struct buffer body;

    assert_status(ask_anew(w, path, &body, &answer, &err), ASSAY_ERR_IO);
    if (!strstr(err.text, reason))
        fail_msg("got \"%s\", want \"%s\"", err.text, reason);
    assert_int_equal(body.len, 0);
    buffer_free(&body);
}

/* --- what comes from where -------------------------------------------- */

static void
certificates_come_from_disk_the_second_time(void **state)
{
    struct world *w = *state;

    say_ok(w, &w->milan.vcek);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_CACHED);
    w->service.now += 100 * 86400;
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_CACHED);
    assert_int_equal(w->service.calls, 1);
    assert_string_equal(w->service.urls[0],
                        "http://kds.test/vcek/v1/Milan/"
                        "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7"
                        "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7"
                        "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7"
                        "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7"
                        "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219");
}

static void
expired_copy_is_no_copy(void **state)
{
    struct world *w = *state;

    say_ok(w, &w->milan.chain);
    assert_gives(w, &w->chain, &w->milan.chain, KDS_FETCHED);
    w->service.now += 2 * YEAR;
    assert_fails(w, &w->chain, "not valid now");
    assert_true(w->service.calls > 1);
}

static void
lists_are_renewed_and_an_old_copy_stands_in(void **state)
{
    struct world *w = *state;

    say_ok(w, &w->milan.crl);
    say_failure(w, ASSAY_ERR_IO);
    assert_gives(w, &w->crl, &w->milan.crl, KDS_FETCHED);
    assert_gives(w, &w->crl, &w->milan.crl, KDS_CACHED); /* the same minute */
    assert_int_equal(w->service.calls, 1);
    w->service.now += 3600;
    assert_gives(w, &w->crl, &w->milan.crl, KDS_STALE);
    assert_true(w->service.calls > 1);
    assert_int_equal(w->service.last, KDS_STALE);
    assert_non_null(strstr(w->service.reason, "scripted failure"));
    /* With a copy at hand nobody waits two minutes. */
    assert_true(w->service.slept_ms <= 10000);
}

/* The verifier says "expired", with the dates; we do not hide the list. */
static void
expired_list_is_still_given_out(void **state)
{
    struct world *w = *state;

    say_ok(w, &w->milan.crl);
    w->service.now += 2 * YEAR;
    assert_gives(w, &w->crl, &w->milan.crl, KDS_FETCHED);
}

static void
refresh_asks_although_there_is_a_copy(void **state)
{
    struct world *w = *state;

    say_ok(w, &w->milan.vcek);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    w->cfg.refresh = true;
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    assert_int_equal(w->service.calls, 2);
}

static void
memory_serves_without_a_directory(void **state)
{
    struct world *w = *state;
    struct kds *kds = NULL;
    struct buffer body;
    struct assay_error err;

    say_ok(w, &w->milan.vcek);
    w->cfg.cache_dir = NULL;
    assert_ok(kds_new(&w->cfg, &kds, &err), &err);
    buffer_init(&body, LIMIT_CRL_BYTES, NULL);
    for (int i = 0; i < 3; i++) {
        buffer_clear(&body);
        assert_ok(kds_get(kds, &w->vcek, NULL, &body, &err), &err);
        assert_true(
            span_equal(buffer_span(&body), buffer_span(&w->milan.vcek)));
    }
    assert_int_equal(w->service.calls, 1);
    buffer_free(&body);
    kds_free(kds);
}

static void
list_in_memory_is_renewed_after_its_minute(void **state)
{
    struct world *w = *state;
    struct kds *kds = NULL;
    struct kds_answer answer;
    struct buffer body;
    struct assay_error err;

    say_ok(w, &w->milan.crl);
    say_status(w, 404, -1);
    w->cfg.cache_dir = NULL;
    assert_ok(kds_new(&w->cfg, &kds, &err), &err);
    buffer_init(&body, LIMIT_CRL_BYTES, NULL);
    assert_ok(kds_get(kds, &w->crl, &answer, &body, &err), &err);
    w->service.ms += 59000;
    assert_ok(kds_get(kds, &w->crl, &answer, &body, &err), &err);
    assert_int_equal(answer.outcome, KDS_CACHED);
    assert_int_equal(w->service.calls, 1);
    w->service.ms += 2000;
    assert_ok(kds_get(kds, &w->crl, &answer, &body, &err), &err);
    assert_int_equal(answer.outcome, KDS_STALE);
    assert_int_equal(w->service.calls, 2);
    assert_ok(kds_get(kds, &w->crl, &answer, &body, &err), &err);
    assert_int_equal(answer.outcome, KDS_STALE);
    assert_int_equal(w->service.calls, 2); /* the failure is remembered */
    buffer_free(&body);
    kds_free(kds);
}

/* A stranger can name any chip; what is known of our own must outlive that. */
static void
failures_push_out_only_failures(void **state)
{
    struct world *w = *state;
    struct kds *kds = NULL;
    struct buffer body;
    struct assay_error err;

    say_ok(w, &w->milan.vcek);
    say_failure(w, ASSAY_ERR_UNTRUSTED); /* final, so asked once each */
    w->cfg.cache_dir = NULL;
    w->service.endless = true;
    assert_ok(kds_new(&w->cfg, &kds, &err), &err);
    buffer_init(&body, LIMIT_CRL_BYTES, NULL);
    assert_ok(kds_get(kds, &w->vcek, NULL, &body, &err), &err);
    for (uint64_t tcb = 0; tcb < 200; tcb++) {
        uint8_t chip[64] = { 1 };
        struct kds_path path;

        assert_ok(
            kds_path_vcek(SNP_PRODUCT_MILAN, chip, tcb << 56, &path, &err),
            &err);
        assert_status(kds_get(kds, &path, NULL, &body, &err), ASSAY_ERR_IO);
    }
    assert_int_equal(w->service.calls, 201);
    buffer_clear(&body);
    assert_ok(kds_get(kds, &w->vcek, NULL, &body, &err), &err);
    assert_int_equal(w->service.calls, 201);
    buffer_free(&body);
    kds_free(kds);
}

/* --- failures ----------------------------------------------------------- */

static void
passing_failures_are_retried_with_growing_pauses(void **state)
{
    struct world *w = *state;
    static const struct reply passing[] = {
        { ASSAY_OK, 500, -1, { NULL, 0 } },
        { ASSAY_OK, 503, -1, { NULL, 0 } },
        { ASSAY_OK, 429, -1, { NULL, 0 } },
        { ASSAY_ERR_IO, 0, -1, { NULL, 0 } },
    };

    for (size_t i = 0; i < COUNT(passing); i++)
        say(w, passing[i]);
    say(w, (struct reply){ ASSAY_OK, 200, -1,
                           span_of(w->milan.vcek.ptr,
                                   w->milan.vcek.len - 1) }); /* cut short */
    say_ok(w, &w->milan.vcek);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    assert_int_equal(w->service.calls, 6);
    assert_int_equal(w->service.events[KDS_RETRY], 5);
    /* Without luck in the jitter, half of 0.5, 1, 2, 4 and 8 seconds. */
    assert_int_equal(w->service.slept_ms, 7750);
}

static void
jitter_is_at_most_as_long_again(void **state)
{
    struct world *w = *state;

    w->service.jitter = 0xff;
    say_status(w, 500, -1);
    say_ok(w, &w->milan.vcek);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    assert_true(w->service.slept_ms >= 250 && w->service.slept_ms <= 500);
}

static void
retry_after_is_honoured(void **state)
{
    struct world *w = *state;

    say_status(w, 429, 10);
    say_ok(w, &w->milan.vcek);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    assert_true(w->service.slept_ms >= 10000 && w->service.slept_ms < 11000);
}

static void
retry_after_beyond_our_time_is_not_waited_for(void **state)
{
    static const int64_t seconds[] = { 120, 100000, INT64_MAX };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(seconds); i++) {
        w->service.reply_count = w->service.calls = 0;
        say_status(w, 429, seconds[i]);
        assert_fails(w, &w->vcek, "429 (too many requests)");
        assert_int_equal(w->service.calls, 1);
        assert_int_equal(w->service.slept_ms, 0);
    }
}

static void
final_failures_are_not_retried(void **state)
{
    struct world *w = *state;
    static const struct {
        struct reply reply;
        const char *reason;
    } rows[] = {
        { { ASSAY_OK, 404, -1, { NULL, 0 } }, "status 404" },
        { { ASSAY_OK, 302, -1, { NULL, 0 } }, "status 302" },
        { { ASSAY_ERR_UNTRUSTED, 0, -1, { NULL, 0 } }, "scripted" },
        { { ASSAY_ERR_LIMIT, 0, -1, { NULL, 0 } }, "scripted" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        w->service.reply_count = w->service.calls = 0;
        say(w, rows[i].reply);
        assert_fails(w, &w->vcek, rows[i].reason);
        assert_int_equal(w->service.calls, 1);
        assert_int_equal(w->service.last, KDS_FAILED);
    }
}

static void
time_has_an_end(void **state)
{
    struct world *w = *state;

    say_failure(w, ASSAY_ERR_IO);
    w->service.costs_ms = 60000; /* every attempt times out */
    assert_fails(w, &w->vcek, "scripted failure");
    assert_true(w->service.ms <= 1000 + 120000);
    assert_true(w->service.calls >= 4);
}

static void
failure_is_remembered_for_a_while(void **state)
{
    struct world *w = *state;
    struct kds *kds = NULL;
    struct buffer body;
    struct assay_error err;

    say_status(w, 404, -1);
    say_ok(w, &w->milan.vcek);
    assert_ok(kds_new(&w->cfg, &kds, &err), &err);
    buffer_init(&body, LIMIT_CRL_BYTES, NULL);
    assert_status(kds_get(kds, &w->vcek, NULL, &body, &err), ASSAY_ERR_IO);
    assert_status(kds_get(kds, &w->vcek, NULL, &body, &err), ASSAY_ERR_IO);
    assert_non_null(strstr(err.text, "404"));
    assert_int_equal(w->service.calls, 1);
    w->service.ms += 10001;
    assert_ok(kds_get(kds, &w->vcek, NULL, &body, &err), &err);
    buffer_free(&body);
    kds_free(kds);
}

static void
wrong_answers_are_neither_given_nor_kept(void **state)
{
    static const uint8_t other_levels[4] = { 4, 0, 23, 219 };
    struct world *w = *state;
    struct amd_shaped chip, tcb;
    struct span wrong[4];

    amd_shaped_make(&chip, 0xA8, levels, NOW - YEAR, NOW + YEAR);
    amd_shaped_make(&tcb, 0xA7, other_levels, NOW - YEAR, NOW + YEAR);
    wrong[0] = buffer_span(&chip.vcek);
    wrong[1] = buffer_span(&tcb.vcek);
    wrong[2] = buffer_span(&w->milan.chain);
    wrong[3] = span_str("<html>captive portal</html>");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        w->service.reply_count = w->service.calls = 0;
        say(w, (struct reply){ ASSAY_OK, 200, -1, wrong[i] });
        say_status(w, 404, -1);
        assert_fails(w, &w->vcek, "404");
        w->service.reply_count = w->service.calls = 0;
        say(w, (struct reply){ ASSAY_OK, 200, -1, wrong[i] });
        say_status(w, 404, -1);
        assert_fails(w, &w->vcek, "404");
    }
    amd_shaped_free(&chip);
    amd_shaped_free(&tcb);
}

static void
chains_and_lists_must_be_whole_and_of_the_product(void **state)
{
    struct world *w = *state;
    struct span chain = buffer_span(&w->milan.chain);
    struct buffer twice;
    struct kds_path genoa;
    const char *second = strstr(buffer_str(&w->milan.chain), "-----END");

    second = strstr(second, "-----BEGIN");
    assert_int_equal(kds_check(&w->chain, chain, NOW, NULL), ASSAY_OK);
    /* The ASK alone; the ARK alone. */
    assert_status(
        kds_check(
            &w->chain,
            span_sub(chain, 0, (size_t)((const uint8_t *)second - chain.ptr)),
            NOW, NULL),
        ASSAY_ERR_MALFORMED);
    assert_status(kds_check(&w->chain, span_str(second), NOW, NULL),
                  ASSAY_ERR_MALFORMED);
    buffer_init(&twice, 32768, NULL);
    buffer_add(&twice, chain);
    buffer_add(&twice, chain);
    assert_status(kds_check(&w->chain, buffer_span(&twice), NOW, NULL),
                  ASSAY_ERR_MALFORMED);
    buffer_free(&twice);
    assert_int_equal(
        kds_path_of(COLLATERAL_VCEK_CHAIN, SNP_PRODUCT_GENOA, &genoa, NULL),
        ASSAY_OK);
    assert_status(kds_check(&genoa, chain, NOW, NULL), ASSAY_ERR_MALFORMED);
    assert_int_equal(
        kds_path_of(COLLATERAL_VCEK_CRL, SNP_PRODUCT_GENOA, &genoa, NULL),
        ASSAY_OK);
    assert_status(kds_check(&genoa, buffer_span(&w->milan.crl), NOW, NULL),
                  ASSAY_ERR_MALFORMED);
    assert_int_equal(
        kds_path_of(COLLATERAL_VLEK_CHAIN, SNP_PRODUCT_MILAN, &genoa, NULL),
        ASSAY_OK);
    assert_status(kds_check(&genoa, chain, NOW, NULL), ASSAY_ERR_MALFORMED);
}

/* --- proxy -------------------------------------------------------------- */

static void
proxy_is_asked_first_and_the_vendor_after_it_fails(void **state)
{
    struct world *w = *state;

    w->cfg.proxy_url = "http://proxy.test";
    say_failure(w, ASSAY_ERR_IO);
    say_ok(w, &w->milan.vcek);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    assert_int_equal(w->service.calls, 2);
    assert_int_equal(strncmp(w->service.urls[0], "http://proxy.test/vcek", 22),
                     0);
    assert_int_equal(strncmp(w->service.urls[1], "http://kds.test/vcek", 20),
                     0);
    assert_int_equal(w->service.sleeps, 0);
    /* The same thing, so the same copy. */
    w->cfg.proxy_url = NULL;
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_CACHED);
}

static void
wrong_answer_of_the_proxy_goes_on_to_the_vendor(void **state)
{
    struct world *w = *state;

    w->cfg.proxy_url = "http://proxy.test";
    say(w, (struct reply){ ASSAY_OK, 200, -1, span_str("nonsense") });
    say_ok(w, &w->milan.vcek);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    say_status(w, 404, -1);
    assert_int_equal(w->service.calls, 2);
}

/* --- sharing -------------------------------------------------------------- */

struct asker {
    struct kds *kds;
    const struct kds_path *path;
    enum assay_status st;
    size_t len;
    pthread_t thread;
};

static void *
ask(void *arg)
{
    struct asker *a = arg;
    struct assay_error err;
    struct buffer body;

    buffer_init(&body, LIMIT_CRL_BYTES, NULL);
    a->st = kds_get(a->kds, a->path, NULL, &body, &err);
    a->len = body.len;
    buffer_free(&body);
    return NULL;
}

static void
threads_that_want_one_thing_cause_one_request(void **state)
{
    struct world *w = *state;
    struct asker askers[THREADS];
    struct kds *kds = NULL;
    struct assay_error err;

    say_ok(w, &w->milan.vcek);
    w->service.slow_ms = 50;
    assert_ok(kds_new(&w->cfg, &kds, &err), &err);
    for (size_t i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){ .kds = kds, .path = &w->vcek };
        assert_int_equal(
            pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].st, ASSAY_OK);
        assert_int_equal(askers[i].len, w->milan.vcek.len);
    }
    assert_int_equal(w->service.calls, 1);
    kds_free(kds);
}

/* A slow service holds two callers; the others are told at once. */
static void
callers_beyond_the_ceiling_do_not_wait(void **state)
{
    struct world *w = *state;
    struct asker askers[THREADS];
    struct kds *kds = NULL;
    struct assay_error err;
    size_t served = 0, refused = 0;

    say_ok(w, &w->milan.vcek);
    w->service.slow_ms = 300;
    w->cfg.waiters_max = 4; /* half of it for chips */
    assert_ok(kds_new(&w->cfg, &kds, &err), &err);
    for (size_t i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){ .kds = kds, .path = &w->vcek };
        assert_int_equal(
            pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(askers[i].thread, NULL);
        served += askers[i].st == ASSAY_OK;
        refused += askers[i].st == ASSAY_ERR_IO;
    }
    assert_int_equal(served, 2);
    assert_int_equal(refused, THREADS - 2);
    /* What has come is given to all. */
    askers[0] = (struct asker){ .kds = kds, .path = &w->vcek };
    (void)ask(&askers[0]);
    assert_int_equal(askers[0].st, ASSAY_OK);
    kds_free(kds);
}

static void
real_pause(void *ctx, uint64_t ms)
{
    (void)ctx;
    (void)usleep((useconds_t)ms * 1000);
}

/* Two clients share nothing but the directory, like two processes. */
static void
processes_that_want_one_thing_cause_one_request(void **state)
{
    struct world *w = *state;
    struct asker askers[2];
    struct assay_error err;

    say_ok(w, &w->milan.crl);
    w->service.slow_ms = 200;
    w->cfg.sleep_ms = real_pause;
    for (size_t i = 0; i < 2; i++) {
        askers[i] = (struct asker){ .path = &w->crl };
        assert_ok(kds_new(&w->cfg, &askers[i].kds, &err), &err);
        assert_int_equal(
            pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].st, ASSAY_OK);
        kds_free(askers[i].kds);
    }
    assert_int_equal(w->service.calls, 1);
}

/* --- the disk --------------------------------------------------------------
 */

static void
cut_in_half(const char *path)
{
    struct stat sb;

    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(truncate(path, sb.st_size / 2), 0);
}

static void
empty(const char *path)
{
    assert_int_equal(truncate(path, 0), 0);
}

static void
flip_a_byte(const char *path)
{
    int fd = open(path, O_RDWR);
    char c;

    assert_true(fd >= 0);
    if (pread(fd, &c, 1, 400) == 1) { /* within the base64; locks are empty */
        c = c == 'A' ? 'B' : 'A';
        assert_int_equal(pwrite(fd, &c, 1, 400), 1);
    }
    (void)close(fd);
}

static void
damaged_file_is_a_miss_and_is_replaced(void **state)
{
    static void (*const damages[])(const char *) = { cut_in_half, empty,
                                                     flip_a_byte };
    struct world *w = *state;

    say_ok(w, &w->milan.chain);
    assert_gives(w, &w->chain, &w->milan.chain, KDS_FETCHED);
    for (size_t i = 0; i < COUNT(damages); i++) {
        assert_true(each_file(w->dir, damages[i]) > 0);
        assert_gives(w, &w->chain, &w->milan.chain, KDS_FETCHED);
        assert_gives(w, &w->chain, &w->milan.chain, KDS_CACHED);
    }
    assert_int_equal(w->service.calls, 1 + COUNT(damages));
}

static void
files_are_private(const char *path)
{
    struct stat sb;

    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_mode & 077, 0);
}

static void
directory_others_can_write_is_not_used(void **state)
{
    struct world *w = *state;

    say_ok(w, &w->milan.vcek);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    (void)each_file(w->dir, files_are_private);
    assert_int_equal(chmod(w->dir, 0777), 0);
    assert_gives(w, &w->vcek, &w->milan.vcek, KDS_FETCHED);
    assert_int_equal(w->service.events[KDS_NOTE], 1);
    assert_int_equal(w->service.calls, 2);
    assert_int_equal(chmod(w->dir, 0700), 0);
}

/* Writers that are killed leave the old item or the new one, and what they
 * had aside is swept by the next writer. */
static void
killed_writers_lose_nothing(void **state)
{
    enum { ROUNDS = 40 };
    struct world *w = *state;
    struct collateral_item item = { w->chain, "http://kds.test", NOW,
                                    buffer_span(&w->milan.chain) };
    struct collateral_item got;
    struct assay_error err;
    struct arena arena;

    assert_ok(kds_cache_write(w->dir, "http://kds.test", &item, &err), &err);
    for (int i = 0; i < ROUNDS; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            for (;;)
                (void)!kds_cache_write(w->dir, "http://kds.test", &item, NULL);
        }
        (void)usleep((useconds_t)(500 + i * 137));
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        arena_init(&arena, 1 << 20, NULL);
        assert_ok(kds_cache_read(w->dir, "http://kds.test", &w->chain, NOW,
                                 &arena, &got, &err),
                  &err);
        arena_drop(&arena);
    }
    assert_ok(kds_cache_write(w->dir, "http://kds.test", &item, &err), &err);
    assert_int_equal(each_file(w->dir, files_are_private), 1);
}

static void
cache_has_a_place_of_its_own(void **state)
{
    char path[64];

    (void)state;
    assert_true(kds_cache_default("/x", "/home/u", path, sizeof(path)));
    assert_string_equal(path, "/x/assay/kds");
    assert_true(kds_cache_default(NULL, "/home/u", path, sizeof(path)));
    assert_string_equal(path, "/home/u/.cache/assay/kds");
    assert_true(kds_cache_default("relative", "/h", path, sizeof(path)));
    assert_string_equal(path, "/h/.cache/assay/kds");
    assert_false(kds_cache_default(NULL, NULL, path, sizeof(path)));
    assert_false(kds_cache_default("/x", NULL, path, 5));
}

int
main(void)
{
#define KDS_TEST(name)                                                         \
    cmocka_unit_test_setup_teardown(name, world_begin, world_end)
    const struct CMUnitTest tests[] = {
        KDS_TEST(certificates_come_from_disk_the_second_time),
        KDS_TEST(expired_copy_is_no_copy),
        KDS_TEST(lists_are_renewed_and_an_old_copy_stands_in),
        KDS_TEST(expired_list_is_still_given_out),
        KDS_TEST(refresh_asks_although_there_is_a_copy),
        KDS_TEST(memory_serves_without_a_directory),
        KDS_TEST(list_in_memory_is_renewed_after_its_minute),
        KDS_TEST(failures_push_out_only_failures),
        KDS_TEST(passing_failures_are_retried_with_growing_pauses),
        KDS_TEST(jitter_is_at_most_as_long_again),
        KDS_TEST(retry_after_is_honoured),
        KDS_TEST(retry_after_beyond_our_time_is_not_waited_for),
        KDS_TEST(final_failures_are_not_retried),
        KDS_TEST(time_has_an_end),
        KDS_TEST(failure_is_remembered_for_a_while),
        KDS_TEST(wrong_answers_are_neither_given_nor_kept),
        KDS_TEST(chains_and_lists_must_be_whole_and_of_the_product),
        KDS_TEST(proxy_is_asked_first_and_the_vendor_after_it_fails),
        KDS_TEST(wrong_answer_of_the_proxy_goes_on_to_the_vendor),
        KDS_TEST(threads_that_want_one_thing_cause_one_request),
        KDS_TEST(callers_beyond_the_ceiling_do_not_wait),
        KDS_TEST(processes_that_want_one_thing_cause_one_request),
        KDS_TEST(damaged_file_is_a_miss_and_is_replaced),
        KDS_TEST(directory_others_can_write_is_not_used),
        KDS_TEST(killed_writers_lose_nothing),
        cmocka_unit_test(cache_has_a_place_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
