/* Blocking HTTP(S) GET for collateral. Runs in the caller's thread: give it to
 * loop_work from a daemon. Proxies come from the usual environment variables.
 * Redirects are not followed: vendors' services do not send them, and one
 * would let a host choose where we ask next. */
#ifndef ASSAY_NET_HTTP_CLIENT_H
#define ASSAY_NET_HTTP_CLIENT_H

#include "base/buffer.h"

struct http_get {
    const char *url;     /* http:// or https:// */
    const char *accept;  /* header value, or NULL */
    const char *ca_file; /* PEM roots instead of the system's, or NULL */
    uint64_t connect_timeout_ms; /* 0: 10 s */
    uint64_t total_timeout_ms;   /* 0: 30 s */
    /* A header of the answer whose value is appended to *header; or NULL. */
    const char *want_header;
    struct buffer *header;
};

struct http_reply {
    unsigned status;       /* 200, 404, 429, ... */
    int64_t retry_after_s; /* -1 when absent or not a number of seconds */
    char content_type[64]; /* "" when absent or longer */
};

/* ASSAY_OK for every complete HTTP answer, whatever its status. The body is
 * appended to *body, whose limit is the ceiling (ASSAY_ERR_LIMIT).
 * ASSAY_ERR_UNSUPPORTED: not http(s). ASSAY_ERR_UNTRUSTED: the server's
 * certificate. ASSAY_ERR_IO: everything that may work later, as a sentence
 * "GET url: reason". On failure the body may hold part of an answer. */
ASSAY_MUST_CHECK
enum assay_status http_get(const struct http_get *request,
                           struct http_reply *reply, struct buffer *body,
                           struct assay_error *err);

#endif
