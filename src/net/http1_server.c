#include "net/http1_server.h"

#include <assert.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "net/conn.h"
#include "net/listener.h"

struct http1_conn;

struct http1_exchange {
    struct http1_conn *hc; /* NULL once the connection is gone */
    const struct allocator *alloc;
    struct net_address peer;
    struct buffer bytes; /* what the request's spans point into */
    struct http1_request request;
};

struct http1_conn {
    struct http1_server *server;
    struct http1_conn *prev, *next;
    struct conn *conn;
    struct buffer in;
    struct http1_exchange *exchange; /* the one with the handler */
    bool ending;
    bool cut;    /* its socket is closed */
    bool taking; /* on the stack: the loop that takes requests */
};

struct http1_server {
    struct http1_server_config config;
    struct loop *loop;
    struct listener *listener;
    struct net_address address;
    struct http1_conn *conns;
    size_t conn_count;
    bool freed; /* goes with the last connection */
};

void
http1_limits_default(struct http1_limits *limits)
{
    *limits = (struct http1_limits){
        .connections_max = LIMIT_HTTP1_CONNECTIONS,
        .head_max = LIMIT_HTTP1_HEAD_BYTES,
        .body_max = LIMIT_HTTP1_BODY_BYTES,
        .request_ms = LIMIT_HTTP1_REQUEST_MS,
        .idle_ms = LIMIT_HTTP1_IDLE_MS,
        .response_ms = LIMIT_HTTP1_RESPONSE_MS,
    };
}

static void
wake_after(struct http1_conn *hc, uint64_t delay_ms)
{
    conn_wake_at(hc->conn, delay_ms ? loop_now_ms(hc->server->loop) + delay_ms
                                    : UINT64_MAX);
}

static void
end_conn(struct http1_conn *hc)
{
    static const struct assay_error why = { ASSAY_OK, "finished" };

    hc->ending = true;
    conn_shutdown(hc->conn, &why);
}

/* -- Answers -- */

static const char *
reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } known[] = {
        { 200, "OK" },
        { 204, "No Content" },
        { 400, "Bad Request" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].status == status)
            return known[i].phrase;
    return "Status";
}

static void
send_response(struct http1_conn *hc, const struct http1_response *response,
              bool keep_alive, bool head_only)
{
    const struct allocator *alloc = hc->server->config.alloc;
    struct buffer out;

    buffer_init(&out, LIMIT_HTTP1_OUTPUT_BYTES, alloc);
    buffer_addf(&out, "HTTP/1.1 %d %s\r\n", response->status,
                reason_phrase(response->status));
    if (response->content_type)
        buffer_addf(&out, "Content-Type: %s\r\n", response->content_type);
    buffer_addf(&out, "Content-Length: %zu\r\n", response->body.len);
    if (response->extra_headers)
        buffer_add_str(&out, response->extra_headers);
    if (!keep_alive)
        buffer_add_str(&out, "Connection: close\r\n");
    buffer_add_str(&out, "\r\n");
    if (!head_only)
        buffer_add(&out, response->body);
    if (!out.failed)
        conn_send(hc->conn, buffer_span(&out));
    if (out.failed || !keep_alive)
        end_conn(hc);
    else
        wake_after(hc, conn_queued(hc->conn)
                           ? hc->server->config.limits.response_ms
                           : hc->server->config.limits.idle_ms);
    buffer_free(&out);
}

static void
send_failure(struct http1_conn *hc, int status, const struct assay_error *err)
{
    const struct http1_response response = {
        .status = status,
        .content_type = "text/plain; charset=utf-8",
        .body = span_str(err->text),
    };

    send_response(hc, &response, false, false);
}

static void
exchange_free(struct http1_exchange *x)
{
    buffer_free(&x->bytes);
    mem_free(x->alloc, x);
}

static void take_requests(struct http1_conn *hc);

/* The handler gave the exchange back and its answer is queued. */
static void
exchange_done(struct http1_exchange *x)
{
    struct http1_conn *hc = x->hc;

    exchange_free(x);
    if (!hc)
        return;
    hc->exchange = NULL;
    if (!hc->taking)
        take_requests(hc);
}

void
http1_reply(struct http1_exchange *x, const struct http1_response *response)
{
    if (x->hc && !x->hc->ending)
        send_response(x->hc, response, x->request.keep_alive,
                      span_equal_str(x->request.method, "HEAD"));
    exchange_done(x);
}

void
http1_reply_raw(struct http1_exchange *x, struct span bytes)
{
    if (x->hc && !x->hc->ending) {
        conn_send(x->hc->conn, bytes);
        end_conn(x->hc);
    }
    exchange_done(x);
}

/* -- Requests -- */

/* Moves the bytes of one request into an exchange of its own, so that later
 * input does not disturb the handler. */
static struct http1_exchange *
exchange_new(struct http1_conn *hc, size_t used)
{
    const struct http1_limits *limits = &hc->server->config.limits;
    struct http1_exchange *x = mem_zalloc(hc->server->config.alloc, sizeof(*x));
    struct span all = buffer_span(&hc->in);
    struct buffer left;
    int ignored;

    if (!x)
        return NULL;
    x->hc = hc;
    x->alloc = hc->server->config.alloc;
    x->peer = *conn_peer(hc->conn);
    buffer_init(&left, hc->in.limit, x->alloc);
    buffer_add(&left, span_sub(all, used, all.len - used));
    x->bytes = hc->in;
    hc->in = left;
    /* Again, for spans that point into the bytes where they are now. */
    if (left.failed ||
        http1_request_parse(span_sub(all, 0, used), limits->head_max,
                            limits->body_max, &x->request, &used, &ignored,
                            NULL) != ASSAY_OK) {
        exchange_free(x);
        return NULL;
    }
    return x;
}

/* Hands out at most one request; false when there is none to hand out. */
static bool
take_request(struct http1_conn *hc)
{
    const struct http1_server_config *config = &hc->server->config;
    struct http1_request request;
    struct assay_error err;
    int http_status = 400;
    size_t used = 0;

    if (http1_request_parse(buffer_span(&hc->in), config->limits.head_max,
                            config->limits.body_max, &request, &used,
                            &http_status, &err) != ASSAY_OK) {
        send_failure(hc, http_status, &err);
        return false;
    }
    if (used == 0)
        return false;
    hc->exchange = exchange_new(hc, used);
    if (!hc->exchange) {
        (void)assay_nomem(&err, "http request");
        send_failure(hc, 503, &err);
        return false;
    }
    conn_wake_at(hc->conn, UINT64_MAX); /* the handler's time is its own */
    config->handle(config->handler_ctx, hc->exchange);
    return true;
}

static void
take_requests(struct http1_conn *hc)
{
    hc->taking = true;
    /* Who asks without reading the answers waits: one answer can be much
     * longer than its request. */
    while (!hc->ending && !hc->exchange && hc->in.len > 0 &&
           conn_queued(hc->conn) == 0 && take_request(hc))
        ;
    hc->taking = false;
    if (hc->in.len == 0)
        buffer_free(&hc->in); /* an idle connection holds nothing */
}

static void
on_received(void *ctx, struct span bytes)
{
    struct http1_conn *hc = ctx;
    struct assay_error err;

    if (hc->ending)
        return;
    if (hc->in.len == 0 && !hc->exchange)
        wake_after(hc, hc->server->config.limits.request_ms);
    buffer_add(&hc->in, bytes);
    if (hc->in.failed) { /* pipelined more than one request may hold */
        (void)assay_fail(&err, ASSAY_ERR_LIMIT, "http request: too large");
        send_failure(hc, 413, &err);
        return;
    }
    take_requests(hc);
}

static void
on_open(void *ctx)
{
    struct http1_conn *hc = ctx;

    wake_after(hc, hc->server->config.limits.request_ms);
}

static void
on_flushed(void *ctx)
{
    struct http1_conn *hc = ctx;

    const struct http1_limits *limits = &hc->server->config.limits;

    if (hc->ending || hc->exchange)
        return;
    wake_after(hc, hc->in.len ? limits->request_ms : limits->idle_ms);
    take_requests(hc);
}

static void
on_woken(void *ctx)
{
    static const struct assay_error why = { ASSAY_ERR_LIMIT, "too slow" };
    struct http1_conn *hc = ctx;

    hc->ending = true;
    conn_abort(hc->conn, &why);
}

static void
server_settle(struct http1_server *server)
{
    if (server->freed && server->conn_count == 0)
        mem_free(server->config.alloc, server);
}

static void
on_closed(void *ctx, const struct assay_error *why)
{
    struct http1_conn *hc = ctx;
    struct http1_server *server = hc->server;

    (void)why;
    if (hc->exchange)
        hc->exchange->hc = NULL;
    conn_free(hc->conn);
    buffer_free(&hc->in);
    if (hc->prev)
        hc->prev->next = hc->next;
    else
        server->conns = hc->next;
    if (hc->next)
        hc->next->prev = hc->prev;
    mem_free(server->config.alloc, hc);
    server->conn_count--;
    server_settle(server);
}

/* -- The server -- */

/* The oldest connection without a request at work ends for a newcomer:
 * otherwise a few that only wait would keep the probes out, and a probe that
 * fails gets the daemon killed. */
static bool
make_room(const struct http1_conn *newcomer)
{
    static const struct assay_error why = { ASSAY_ERR_LIMIT,
                                            "gave way to a newer connection" };
    const struct http1_server *server = newcomer->server;
    struct http1_conn *victim = NULL;
    size_t open = 0;

    for (struct http1_conn *hc = server->conns; hc; hc = hc->next) {
        open += !hc->cut;
        if (hc != newcomer && !hc->cut && !hc->exchange)
            victim = hc; /* the newest come first in the list */
    }
    if (open <= server->config.limits.connections_max)
        return true;
    if (!victim)
        return false;
    victim->ending = victim->cut = true;
    conn_abort(victim->conn, &why);
    return true;
}

static bool
on_pending(void *ctx, struct uv_stream_s *stream)
{
    static const struct conn_events events = { on_open, on_received, on_flushed,
                                               on_woken, on_closed };
    static const struct assay_error full = { ASSAY_ERR_LIMIT,
                                             "too many connections" };
    struct http1_server *server = ctx;
    const struct http1_limits *limits = &server->config.limits;
    struct http1_conn *hc = mem_zalloc(server->config.alloc, sizeof(*hc));
    const struct conn_config config = {
        .loop = server->loop,
        .tls = server->config.tls,
        .output_max = 2 * (size_t)LIMIT_HTTP1_OUTPUT_BYTES,
        .events = &events,
        .ctx = hc,
        .alloc = server->config.alloc,
    };

    if (!hc || conn_accept(&config, stream, &hc->conn, NULL) != ASSAY_OK) {
        mem_free(server->config.alloc, hc);
        return false;
    }
    hc->server = server;
    buffer_init(&hc->in,
                limits->head_max + limits->body_max + LOOP_SCRATCH_SIZE,
                server->config.alloc);
    hc->next = server->conns;
    if (server->conns)
        server->conns->prev = hc;
    server->conns = hc;
    server->conn_count++;
    if (!make_room(hc)) {
        hc->ending = hc->cut = true;
        conn_abort(hc->conn, &full);
        return true;
    }
    wake_after(hc, limits->request_ms);
    conn_start(hc->conn);
    return true;
}

enum assay_status
http1_server_new(struct loop *loop, const struct http1_server_config *config,
                 struct http1_server **out, struct assay_error *err)
{
    struct http1_server *server = mem_zalloc(config->alloc, sizeof(*server));
    enum assay_status st;

    if (!server)
        return assay_nomem(err, "http server");
    server->config = *config;
    server->loop = loop;
    st = listener_new(loop, config->listen, on_pending, server,
                      &server->listener, err);
    if (st != ASSAY_OK) {
        mem_free(config->alloc, server);
        return st;
    }
    server->address = listener_address(server->listener);
    *out = server;
    return ASSAY_OK;
}

struct net_address
http1_server_address(const struct http1_server *server)
{
    return server->address;
}

void
http1_server_free(struct http1_server *server)
{
    static const struct assay_error why = { ASSAY_OK, "server stopped" };

    if (!server)
        return;
    server->freed = true;
    listener_free(server->listener);
    for (struct http1_conn *hc = server->conns; hc; hc = hc->next) {
        hc->ending = true;
        conn_abort(hc->conn, &why);
    }
    server_settle(server);
}

const struct http1_request *
http1_exchange_request(const struct http1_exchange *exchange)
{
    return &exchange->request;
}

const struct net_address *
http1_exchange_peer(const struct http1_exchange *exchange)
{
    return &exchange->peer;
}
