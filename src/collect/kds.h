/* A client of the vendors' services, as a collateral source: AMD's key
 * distribution service, and Intel's provisioning certification service or a
 * cache of it.
 *
 * AMD's gives one certificate per 10 seconds and address, so: one
 * request in flight per URL across threads and processes, everything kept on
 * disk, failures remembered for a while. What is renewed (revocation lists,
 * Intel's TCB info and identities) is fetched anew before a copy is used; with
 * everything else it is the other way round
 * (contrast-interop.md section 7.5).
 *
 * A failed fetch is ASSAY_ERR_IO, "no verdict": never "revoked", never "fine".
 * What is fetched is checked to be what was asked for, so that a wrong answer
 * is not kept; whether it is genuine is for the verifier to say. */
#ifndef ASSAY_COLLECT_KDS_H
#define ASSAY_COLLECT_KDS_H

#include "base/clock.h"
#include "base/random.h"
#include "collect/bundle.h"

struct kds_reply {
    unsigned status;       /* of HTTP */
    int64_t retry_after_s; /* -1 when the service did not say */
    /* Asked for by the caller: a header whose value is appended to *header.
     * NULL: none. */
    const char *want_header;
    struct buffer *header;
};

/* The wire as a parameter; net/kds_http.h is the real one. ASSAY_OK for every
 * complete answer; the body is appended to *body, whose limit is the ceiling.
 * Called from several threads at once. */
struct kds_transport {
    enum assay_status (*get)(void *ctx, const char *url, uint64_t timeout_ms,
                             struct kds_reply *reply, struct buffer *body,
                             struct assay_error *err);
    void *ctx;
};

enum kds_outcome {
    KDS_FETCHED, /* from the service, now */
    KDS_CACHED,  /* from disk or memory, as good as new */
    KDS_STALE,   /* a list that could not be renewed: an older copy is used */
    KDS_RETRY,   /* an attempt failed, another follows after wait_ms */
    KDS_FAILED,
    KDS_NOTE, /* the cache could not be used; nothing else is lost */
};

struct kds_event {
    enum kds_outcome outcome;
    const char *what;   /* path, or directory */
    const char *reason; /* a sentence; "" where nothing went wrong */
    int64_t fetched_at; /* of what is given out; 0 for failures */
    uint64_t wait_ms;   /* KDS_RETRY */
};

struct kds_config {
    const char *base_url;  /* AMD's; NULL: KDS_BASE_URL */
    const char *pcs_url;   /* Intel's, or a PCCS; NULL: PCS_BASE_URL */
    const char *proxy_url; /* asked first, the base after it fails; or NULL */
    const char *cache_dir; /* NULL: memory only */
    struct kds_transport transport;
    const struct clock *clock;
    const struct random_source *random;       /* jitter */
    void (*sleep_ms)(void *ctx, uint64_t ms); /* NULL sleeps */
    void *sleep_ctx;
    void (*event)(void *ctx, const struct kds_event *event); /* or NULL */
    void *event_ctx;
    uint64_t total_ms;     /* of one request with its retries; 0: 2 minutes */
    uint64_t attempt_ms;   /* of one exchange; 0: 10 seconds */
    uint64_t failure_ms;   /* a failure is remembered; 0: 10 seconds */
    uint64_t crl_fresh_ms; /* a list is not renewed; 0: one minute */
    /* Calls that may wait for the service at once; 0: any number. Above it a
     * call gets the copy there is, or ASSAY_ERR_IO at once. Half of that for
     * certificates of chips, of which a stranger's report names any it likes.
     * Keeps a service that is slow from holding all threads of a daemon. */
    unsigned waiters_max;
    bool refresh; /* ask the service even for what the cache has */
};

struct kds;

/* Copies what cfg points to, except clock, random source and contexts. */
ASSAY_MUST_CHECK
enum assay_status kds_new(const struct kds_config *cfg, struct kds **out,
                          struct assay_error *err);
void kds_free(struct kds *kds); /* after the last call has returned */

/* Valid as long as kds. */
struct collateral_source kds_source(struct kds *kds);

struct kds_answer {
    enum kds_outcome outcome; /* KDS_FETCHED, KDS_CACHED or KDS_STALE */
    int64_t fetched_at;
    char source[128]; /* base URL it came from */
};

/* One thing by its path; appended to *body. */
ASSAY_MUST_CHECK
enum assay_status kds_get(struct kds *kds, const struct kds_path *path,
                          struct kds_answer *answer, struct buffer *body,
                          struct assay_error *err);

#endif
