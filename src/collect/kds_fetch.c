#include "collect/kds_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "collect/kds_check.h"
#include "collect/pcs_answer.h"

enum {
    URL_SIZE = 512,
    DELAY_FIRST_MS = 500,
    DELAY_MAX_MS = 30 * 1000,
    HOLD_MAX_MS = 10 * 60 * 1000, /* of a Retry-After we believe */
};

size_t
kds_body_limit(enum collateral_kind kind)
{
    if (kind == COLLATERAL_VCEK)
        return LIMIT_CERT_BYTES;
    if (collateral_is_intel(kind)) /* twice: in hex, or escaped */
        return 2 * LIMIT_CRL_BYTES + LIMIT_CERT_BYTES;
    if (collateral_is_crl(kind))
        return LIMIT_CRL_BYTES;
    return 4 * LIMIT_CERT_BYTES; /* two certificates as PEM */
}

const char *
kds_base_of(const struct kds_config *cfg, const struct kds_path *path)
{
    return collateral_is_intel(path->kind) ? cfg->pcs_url : cfg->base_url;
}

void
kds_tell(const struct kds_config *cfg, const struct kds_event *event)
{
    if (cfg->event)
        cfg->event(cfg->event_ctx, event);
}

void
kds_sleep(const struct kds_config *cfg, uint64_t ms)
{
    struct timespec left = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

    if (cfg->sleep_ms) {
        cfg->sleep_ms(cfg->sleep_ctx, ms);
        return;
    }
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* What came of asking one server once. */
struct attempt {
    bool again; /* the same may work later */
    int64_t retry_after_s;
};

static bool
is_passing(unsigned status)
{
    return status == 408 || status == 429 || status >= 500;
}

static enum assay_status
check_answer(const struct kds_config *cfg, const struct kds_path *path,
             const char *url, const struct kds_reply *reply,
             const struct buffer *body, struct attempt *a,
             struct assay_error *err)
{
    enum assay_status st;

    if (reply->status != 200) {
        a->again = is_passing(reply->status);
        a->retry_after_s = reply->retry_after_s;
        return assay_fail(err, ASSAY_ERR_IO, "GET %.120s: HTTP status %u%s",
                          url, reply->status,
                          reply->status == 429 ? " (too many requests)" : "");
    }
    st = kds_check(path, buffer_span(body), clock_now(cfg->clock), err);
    if (st == ASSAY_OK || st == ASSAY_ERR_NOMEM)
        return st;
    a->again = true; /* cut short on the way, perhaps */
    (void)assay_context(err, st, "wrong answer from the service");
    return ASSAY_ERR_IO;
}

/* Intel keeps the root's list on a server of its own. */
static int
url_of(const char *base, const struct kds_path *path, char url[URL_SIZE])
{
    if (path->kind == COLLATERAL_SGX_ROOT_CRL &&
        strcmp(base, PCS_BASE_URL) == 0)
        return snprintf(url, URL_SIZE, "%s", PCS_ROOT_CRL_URL);
    return snprintf(url, URL_SIZE, "%s%s", base, path->text);
}

/* A broken header is the service's fault, and may pass. */
static enum assay_status
wrap(const struct kds_path *path, const struct buffer *chain,
     struct buffer *body, struct assay_error *err)
{
    enum assay_status st = pcs_answer_wrap(path, buffer_span(chain), body, err);

    return st == ASSAY_OK || st == ASSAY_ERR_NOMEM ? st : ASSAY_ERR_IO;
}

static enum assay_status
ask_once(const struct kds_config *cfg, const char *base,
         const struct kds_path *path, uint64_t timeout_ms, struct buffer *body,
         struct attempt *a, struct assay_error *err)
{
    struct buffer chain;
    struct kds_reply reply = { .retry_after_s = -1,
                               .want_header = pcs_chain_header(path->kind),
                               .header = &chain };
    char url[URL_SIZE];
    int len = url_of(base, path, url);
    enum assay_status st;

    *a = (struct attempt){ false, -1 };
    if (len < 0 || (size_t)len >= sizeof(url))
        return assay_fail(err, ASSAY_ERR_IO, "URL too long: %.100s", base);
    buffer_clear(body);
    buffer_init(&chain, LIMIT_CERT_BYTES, NULL);
    st = cfg->transport.get(cfg->transport.ctx, url, timeout_ms, &reply, body,
                            err);
    if (st == ASSAY_OK && reply.status == 200 &&
        collateral_is_intel(path->kind))
        st = wrap(path, &chain, body, err);
    buffer_free(&chain);
    if (st == ASSAY_OK)
        return check_answer(cfg, path, url, &reply, body, a, err);
    a->again = st == ASSAY_ERR_IO;
    return st == ASSAY_ERR_NOMEM ? st : ASSAY_ERR_IO;
}

/* Half of it certain, half random, so that many clients spread out. */
static uint64_t
with_jitter(const struct kds_config *cfg, uint64_t ms)
{
    uint32_t r = 0;

    if (random_fill(cfg->random, &r, sizeof(r), NULL) != ASSAY_OK)
        return ms;
    return ms / 2 + r % (ms / 2 + 1);
}

static uint64_t
delay_after(const struct kds_config *cfg, unsigned round,
            const struct attempt *a)
{
    uint64_t ms = DELAY_MAX_MS;

    if (round < 6)
        ms = (uint64_t)DELAY_FIRST_MS << round;
    ms = with_jitter(cfg, ms);
    /* The service's own word, and then not all at the same moment. */
    if (a->retry_after_s > 0)
        ms += (uint64_t)a->retry_after_s > HOLD_MAX_MS / 1000
                  ? HOLD_MAX_MS
                  : (uint64_t)a->retry_after_s * 1000;
    return ms;
}

static uint64_t
time_left(const struct kds_config *cfg, uint64_t deadline_ms)
{
    uint64_t now = clock_monotonic_ms(cfg->clock);

    return now < deadline_ms ? deadline_ms - now : 0;
}

/* The proxy is a convenience: when it fails, the vendor is asked at once. */
static enum assay_status
ask_round(const struct kds_config *cfg, const struct kds_path *path,
          uint64_t deadline_ms, const char **source, struct buffer *body,
          struct attempt *a, struct assay_error *err)
{
    const char *const servers[] = { cfg->proxy_url, kds_base_of(cfg, path) };
    enum assay_status st = ASSAY_ERR_IO;

    for (size_t i = 0; i < 2 && st == ASSAY_ERR_IO; i++) {
        uint64_t left = time_left(cfg, deadline_ms);

        if (!servers[i])
            continue;
        if (left == 0)
            return assay_fail(err, ASSAY_ERR_IO, "%.100s: out of time",
                              path->text);
        st = ask_once(cfg, servers[i], path,
                      left < cfg->attempt_ms ? left : cfg->attempt_ms, body, a,
                      err);
        *source = servers[i];
    }
    return st;
}

enum assay_status
kds_fetch(const struct kds_config *cfg, const struct kds_path *path,
          uint64_t deadline_ms, const char **source, struct buffer *body,
          uint64_t *hold_ms, struct assay_error *err)
{
    for (unsigned round = 0;; round++) {
        struct assay_error why = { 0 };
        struct attempt a = { false, -1 };
        enum assay_status st =
            ask_round(cfg, path, deadline_ms, source, body, &a, &why);
        uint64_t delay = delay_after(cfg, round, &a);

        if (st == ASSAY_OK)
            return st;
        if (st != ASSAY_ERR_IO || !a.again ||
            delay >= time_left(cfg, deadline_ms)) {
            *hold_ms = cfg->failure_ms;
            if (a.retry_after_s > 0 && delay > *hold_ms)
                *hold_ms = delay;
            return assay_fail(err, st, "%s (attempt %u)", why.text, round + 1);
        }
        kds_tell(cfg, &(struct kds_event){ .outcome = KDS_RETRY,
                                           .what = path->text,
                                           .reason = why.text,
                                           .wait_ms = delay });
        kds_sleep(cfg, delay);
    }
}
