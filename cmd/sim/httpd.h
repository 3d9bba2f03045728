/* A small HTTP/1.1 server that can misbehave on purpose.
 *
 * The library's server (net/) cannot announce more than it sends or leave a
 * request unanswered, and should not learn to. One request per connection;
 * loopback use. */
#ifndef ASSAY_SIM_HTTPD_H
#define ASSAY_SIM_HTTPD_H

#include "base/buffer.h"

enum {
    HTTPD_REQUEST_MAX = 16 * 1024, /* head and body */
    HTTPD_BODY_MAX = 1024 * 1024,
};

struct httpd_request {
    struct span method;
    struct span target; /* path and query */
    struct span body;
};

enum httpd_delivery {
    HTTPD_COMPLETE,
    HTTPD_HALF,    /* announces the body, sends half of it, closes */
    HTTPD_NOTHING, /* never answers; ends when the client goes away */
};

struct httpd_response {
    int status;
    const char *content_type;
    const char *extra_header; /* "Retry-After: 10\r\n" or NULL */
    struct buffer body;
    enum httpd_delivery delivery;
};

/* Fills the response, which comes as an empty 200. Called from several threads
 * at once. */
typedef void httpd_handler(void *ctx, const struct httpd_request *request,
                           struct httpd_response *response);

struct httpd;

/* address is "127.0.0.1:8080" or "[::1]:8080"; port 0 picks a free one. */
ASSAY_MUST_CHECK
enum assay_status httpd_new(const char *address, httpd_handler *handler,
                            void *ctx, struct httpd **out,
                            struct assay_error *err);
unsigned httpd_port(const struct httpd *httpd);

/* Ends every connection, waits for their threads, and frees. */
void httpd_free(struct httpd *httpd);

#endif
