/* A small HTTP/1.1 server for metrics, probes, and the simulated vendor's
 * certificate service. One request at a time per connection, bodies with
 * Content-Length only, keep-alive. Ours sits on trusted or loopback networks,
 * yet its parser treats every byte as hostile. */
#ifndef ASSAY_NET_HTTP1_SERVER_H
#define ASSAY_NET_HTTP1_SERVER_H

#include "net/http1.h"
#include "net/loop.h"
#include "net/tls.h"

struct http1_server;
struct http1_exchange;

/* A complete request arrived. The handler owns the exchange until it answers
 * with http1_reply or http1_reply_raw, exactly once, now or later. */
typedef void http1_handler(void *ctx, struct http1_exchange *exchange);

struct http1_limits {
    size_t connections_max; /* beyond it the oldest that only waits ends */
    size_t head_max;        /* bytes of request line and headers */
    size_t body_max;        /* bytes */
    uint64_t request_ms;    /* accept, or first byte, to whole request */
    uint64_t idle_ms;       /* between requests of one connection */
    uint64_t response_ms;   /* reply to delivered */
};
void http1_limits_default(struct http1_limits *limits);

struct http1_server_config {
    const char *listen;          /* HOST:PORT; port 0 takes a free one */
    const struct tls_hooks *tls; /* borrowed; NULL: plain TCP */
    http1_handler *handle;
    void *handler_ctx;
    struct http1_limits limits;
    const struct allocator *alloc; /* may be NULL */
};

ASSAY_MUST_CHECK
enum assay_status http1_server_new(struct loop *loop,
                                   const struct http1_server_config *config,
                                   struct http1_server **out,
                                   struct assay_error *err);
struct net_address http1_server_address(const struct http1_server *server);

/* Stops accepting and cuts what is open. An exchange still with its handler
 * stays valid; its reply goes nowhere. NULL is fine. */
void http1_server_free(struct http1_server *server);

/* Borrowed until the reply. */
const struct http1_request *
http1_exchange_request(const struct http1_exchange *exchange);
const struct net_address *
http1_exchange_peer(const struct http1_exchange *exchange);

struct http1_response {
    int status;                /* 200 */
    const char *content_type;  /* may be NULL */
    const char *extra_headers; /* "Retry-After: 10\r\n", or NULL */
    struct span body;
};

/* On the loop's thread. Copies what it needs. A HEAD request gets the headers
 * only. */
void http1_reply(struct http1_exchange *exchange,
                 const struct http1_response *response);

/* Sends the bytes as they are and hangs up; for the simulator's broken
 * answers. Empty bytes just hang up. */
void http1_reply_raw(struct http1_exchange *exchange, struct span bytes);

#endif
