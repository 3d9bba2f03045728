/* Health and numbers over plain HTTP (CI section 15). */
#include <stdlib.h>

#include "daemon.h"

enum { METRICS_BYTES = 256 * 1024 };

static void
reply(struct http1_exchange *exchange, int status, const char *type,
      struct span body)
{
    const struct http1_response response = { .status = status,
                                             .content_type = type,
                                             .body = body };

    http1_reply(exchange, &response);
}

static void
reply_text(struct http1_exchange *exchange, int status, const char *text)
{
    reply(exchange, status, "text/plain; charset=utf-8", span_str(text));
}

static void
reply_metrics(struct daemon *d, struct http1_exchange *exchange)
{
    struct buffer text;

    buffer_init(&text, METRICS_BYTES, NULL);
    d->metrics.generation = guard_generation(d->guard);
    metrics_render(&d->metrics, &text);
    if (text.failed)
        reply_text(exchange, 500, "out of memory\n");
    else
        reply(exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
              buffer_span(&text));
    buffer_free(&text);
}

static void
handle(void *ctx, struct http1_exchange *exchange)
{
    struct daemon *d = ctx;
    const struct http1_request *r = http1_exchange_request(exchange);
    enum guard_phase phase = guard_phase(d->guard);

    if (!span_equal_str(r->method, "GET") && !span_equal_str(r->method, "HEAD"))
        reply_text(exchange, 405, "only GET\n");
    else if (span_equal_str(r->path, "/metrics") && d->values->metrics)
        reply_metrics(d, exchange);
    else if (span_equal_str(r->path, "/probe/startup") ||
             span_equal_str(r->path, "/probe/liveness"))
        reply_text(exchange, d->stopping > 0 ? 503 : 200,
                   d->stopping > 0 ? "stopping\n" : "ok\n");
    else if (span_equal_str(r->path, "/probe/readiness"))
        reply_text(exchange,
                   phase == GUARD_ACTIVE && d->stopping == 0 ? 200 : 503,
                   guard_phase_name(phase));
    else
        reply_text(exchange, 404, "not found\n");
}

enum assay_status
probes_start(struct daemon *d, struct assay_error *err)
{
    struct http1_server_config config = {
        .listen = d->values->listen_metrics,
        .handle = handle,
        .handler_ctx = d,
    };

    http1_limits_default(&config.limits);
    return http1_server_new(d->loop, &config, &d->probes, err);
}
