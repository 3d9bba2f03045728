#include "net/grpc_client.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/reader.h"
#include "net/conn.h"
#include "net/h2.h"

enum {
    PREFIX_SIZE = 5,
    MESSAGE_TEXT_MAX = 1024,
    PUMP_MARK = 32 * 1024,
};

struct client_call {
    struct grpc_channel *channel;
    struct client_call *prev, *next;
    struct h2_stream *stream; /* NULL once closed */
    void (*done)(void *ctx, const struct grpc_outcome *outcome);
    void *ctx;
    bool told; /* done has run; waits for its stream to close */
    uint64_t deadline_ms;
    uint64_t due_us;
    unsigned http_status;
    bool content_ok;
    int grpc_status; /* -1: none came */
    struct buffer message;
    uint8_t prefix[PREFIX_SIZE];
    size_t prefix_len;
    uint32_t want;
    struct buffer body;
    const char *broken; /* what the response did wrong, or NULL */
    bool too_large;
};

struct grpc_channel {
    struct grpc_client_config config;
    struct net_endpoint endpoint;
    char authority[300];
    struct loop *loop;
    struct conn *conn; /* NULL once closed */
    struct h2_session *h2;
    struct client_call *calls;
    struct assay_error closed_why;
    unsigned busy; /* on the stack: events of h2 or of the connection */
    bool freed;
};

static uint64_t
now_us(void)
{
    return uv_hrtime() / 1000;
}

/* -- Calls -- */

static void
call_free(struct client_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        call->channel->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    buffer_free(&call->message);
    buffer_free(&call->body);
    mem_free(call->channel->config.alloc, call);
}

/* Runs done, once; the call itself goes with its stream. */
static void
call_tell(struct client_call *call, const struct grpc_outcome *outcome)
{
    if (call->told)
        return;
    call->told = true;
    call->due_us = UINT64_MAX;
    call->done(call->ctx, outcome);
}

static void
call_fail(struct client_call *call, enum grpc_code code,
          const struct assay_error *why)
{
    const struct grpc_outcome outcome = {
        .status = why->status == ASSAY_OK ? ASSAY_ERR_IO : why->status,
        .error = *why,
        .code = code,
        .message = why->text,
    };

    call_tell(call, &outcome);
}

/* The server's words go to terminals and logs. */
static void
make_printable(struct buffer *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->ptr[i] < 0x20 || text->ptr[i] > 0x7e)
            text->ptr[i] = '?';
}

static void
judge_status(struct client_call *call, uint32_t h2_error,
             struct grpc_outcome *out, char text[64])
{
    if (call->grpc_status >= 0) {
        out->code = (enum grpc_code)call->grpc_status;
        make_printable(&call->message);
        out->message = buffer_str(&call->message);
        return;
    }
    out->message = text;
    if (call->http_status != 0 && call->http_status != 200) {
        out->code = grpc_code_from_http(call->http_status);
        (void)snprintf(text, 64, "HTTP status %u, want 200", call->http_status);
    } else if (h2_error != H2_NO_ERROR) {
        out->code = grpc_code_from_h2(h2_error);
        (void)snprintf(text, 64, "stream reset with HTTP/2 error %u",
                       (unsigned)h2_error);
    } else {
        out->code = GRPC_INTERNAL;
        (void)snprintf(text, 64, "the answer has no grpc-status");
    }
}

/* An answer that says OK must also be one. */
static void
judge_message(struct client_call *call, struct grpc_outcome *out)
{
    if (call->too_large) {
        out->code = GRPC_RESOURCE_EXHAUSTED;
        out->message = "the answer is larger than we take";
        return;
    }
    if (!call->broken && out->code != GRPC_OK)
        return;
    if (!call->broken && !call->content_ok)
        call->broken = "content-type is not application/grpc";
    if (!call->broken &&
        (call->prefix_len < PREFIX_SIZE || call->body.len < call->want))
        call->broken = "the answer ends within its message";
    if (call->broken) {
        out->code = GRPC_INTERNAL;
        out->message = call->broken;
    } else {
        out->response = buffer_span(&call->body);
    }
}

/* -- Events of HTTP/2 -- */

static int
parse_number(struct span value, int most)
{
    int n = 0;

    if (value.len == 0 || value.len > 3)
        return -1;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return -1;
        n = n * 10 + (value.ptr[i] - '0');
    }
    return n > most ? -1 : n;
}

static void
on_header(void *ctx, void *user, struct span name, struct span value)
{
    struct client_call *call = user;
    int n;

    (void)ctx;
    if (span_equal_str(name, ":status")) {
        n = parse_number(value, 999);
        call->http_status = n < 0 ? 0 : (unsigned)n;
    } else if (span_equal_str(name, "content-type")) {
        call->content_ok =
            span_equal_str(span_sub(value, 0, 16), "application/grpc");
    } else if (span_equal_str(name, "grpc-status")) {
        n = parse_number(value, GRPC_CODE_COUNT - 1);
        call->grpc_status = n < 0 ? GRPC_UNKNOWN : n;
    } else if (span_equal_str(name, "grpc-message")) {
        buffer_clear(&call->message);
        grpc_message_decode(value, &call->message); /* cut if too long */
    }
}

static void
on_headers(void *ctx, void *user, bool end)
{
    (void)ctx, (void)user, (void)end;
}

static struct span
take_prefix(struct client_call *call, struct span bytes)
{
    size_t n = PREFIX_SIZE - call->prefix_len;
    struct reader rd;

    if (n == 0)
        return bytes;
    if (n > bytes.len)
        n = bytes.len;
    if (n > 0)
        memcpy(call->prefix + call->prefix_len, bytes.ptr, n);
    call->prefix_len += n;
    if (call->prefix_len == PREFIX_SIZE) {
        rd = reader_over(span_of(call->prefix, PREFIX_SIZE));
        if (rd_u8(&rd) != 0)
            call->broken = "the answer is compressed, which was not offered";
        call->want = rd_u32be(&rd);
        call->too_large = call->want > call->body.limit;
    }
    return span_sub(bytes, n, bytes.len - n);
}

static void
on_data(void *ctx, void *user, struct span bytes)
{
    struct client_call *call = user;

    (void)ctx;
    if (call->broken || call->too_large || call->told)
        return;
    bytes = take_prefix(call, bytes);
    if (!call->broken && !call->too_large && bytes.len > 0) {
        if (bytes.len > call->want - call->body.len)
            call->broken = "more than one message in the answer";
        else
            buffer_add(&call->body, bytes);
        if (call->body.failed)
            call->too_large = true; /* for our memory */
    }
    if (call->broken || call->too_large)
        h2_stream_reset(call->stream, H2_CANCEL);
}

static void
on_end(void *ctx, void *user)
{
    (void)ctx, (void)user;
}

static void
on_stream_closed(void *ctx, void *user, uint32_t h2_error)
{
    struct client_call *call = user;
    struct grpc_channel *channel = call->channel;
    struct grpc_outcome outcome = { .status = ASSAY_OK, .message = "" };
    char text[64];

    (void)ctx;
    call->stream = NULL;
    if (!call->told && !channel->conn && call->grpc_status < 0) {
        call_fail(call, GRPC_UNAVAILABLE, &channel->closed_why);
    } else if (!call->told) {
        judge_status(call, h2_error, &outcome, text);
        judge_message(call, &outcome);
        call_tell(call, &outcome);
    }
    call_free(call);
}

/* -- The channel -- */

static void
channel_enter(struct grpc_channel *channel)
{
    channel->busy++;
}

/* Frees the channel if somebody asked for it meanwhile. */
static void
channel_leave(struct grpc_channel *channel)
{
    static const struct assay_error why = { ASSAY_ERR_IO, "channel closed" };
    struct conn *conn = channel->conn;

    if (--channel->busy > 0 || !channel->freed)
        return;
    channel->busy = 1; /* done callbacks below may look at us */
    channel->closed_why = why;
    channel->conn = NULL;
    h2_session_free(channel->h2);
    conn_free(conn);
    mem_free(channel->config.alloc, channel);
}

static void
rearm(struct grpc_channel *channel)
{
    uint64_t due = UINT64_MAX, now = now_us();

    for (const struct client_call *c = channel->calls; c; c = c->next)
        if (c->due_us < due)
            due = c->due_us;
    uv_update_time(loop_uv(channel->loop));
    if (due == UINT64_MAX)
        conn_wake_at(channel->conn, UINT64_MAX);
    else
        conn_wake_at(channel->conn,
                     loop_now_ms(channel->loop) +
                         (due > now ? (due - now + 999) / 1000 : 0));
}

static enum assay_status
push_output(struct grpc_channel *channel, struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;
    struct buffer out;

    buffer_init(&out, LIMIT_GRPC_OUTPUT_BYTES, channel->config.alloc);
    out.wipe = true;
    while (st == ASSAY_OK && conn_is_open(channel->conn) &&
           conn_queued(channel->conn) < PUMP_MARK) {
        buffer_clear(&out);
        st = h2_session_output(channel->h2, &out, PUMP_MARK, err);
        if (out.len == 0)
            break;
        conn_send(channel->conn, buffer_span(&out));
    }
    buffer_free(&out);
    return st;
}

static void
pump(struct grpc_channel *channel, enum assay_status failed,
     struct assay_error *why)
{
    static const struct assay_error finished = {
        ASSAY_ERR_IO, "the server ended the connection"
    };
    struct assay_error err;
    enum assay_status st;

    if (channel->freed || !channel->conn)
        return;
    st = push_output(channel, &err);
    if (failed != ASSAY_OK)
        conn_shutdown(channel->conn, why);
    else if (st != ASSAY_OK)
        conn_shutdown(channel->conn, &err);
    else if (h2_session_finished(channel->h2))
        conn_shutdown(channel->conn, &finished);
    else
        rearm(channel);
}

static void
on_open(void *ctx)
{
    struct grpc_channel *channel = ctx;

    channel_enter(channel);
    pump(channel, ASSAY_OK, NULL);
    channel_leave(channel);
}

static void
on_received(void *ctx, struct span bytes)
{
    struct grpc_channel *channel = ctx;
    struct assay_error err;
    enum assay_status st;

    channel_enter(channel);
    st = h2_session_feed(channel->h2, bytes, now_us() / 1000, &err);
    pump(channel, st, &err);
    channel_leave(channel);
}

static void
on_flushed(void *ctx)
{
    on_open(ctx);
}

static void
call_overdue(struct client_call *call)
{
    struct conn *conn = call->channel->conn;
    struct assay_error why;

    (void)assay_fail(
        &why, ASSAY_ERR_IO, "%s: deadline of %llu ms passed while %s",
        call->channel->authority, (unsigned long long)call->deadline_ms,
        conn_is_open(conn) ? "waiting for the answer" : conn_phase(conn));
    h2_stream_reset(call->stream, H2_CANCEL);
    call_fail(call, GRPC_DEADLINE_EXCEEDED, &why);
}

static void
on_woken(void *ctx)
{
    struct grpc_channel *channel = ctx;
    uint64_t now = now_us();

    channel_enter(channel);
    /* Calls are unlinked only when their streams close, in output or feed; a
     * callback may add one, at the front. */
    for (struct client_call *c = channel->calls; c; c = c->next)
        if (c->due_us <= now)
            call_overdue(c);
    pump(channel, ASSAY_OK, NULL);
    channel_leave(channel);
}

static void
on_closed(void *ctx, const struct assay_error *why)
{
    struct grpc_channel *channel = ctx;
    struct conn *conn = channel->conn;

    channel_enter(channel);
    channel->closed_why = *why;
    channel->conn = NULL;
    conn_free(conn);
    h2_session_free(channel->h2); /* tells the calls */
    channel->h2 = NULL;
    channel_leave(channel);
}

static enum assay_status
make_h2(struct grpc_channel *channel, struct assay_error *err)
{
    static const struct h2_events events = { NULL,       on_header,
                                             on_headers, on_data,
                                             on_end,     on_stream_closed };
    const struct h2_config config = {
        .server = false,
        .streams_max = LIMIT_GRPC_STREAMS,
        .header_list_max = LIMIT_GRPC_HEADER_BYTES,
        .flood_burst = LIMIT_GRPC_FLOOD_BURST,
        .flood_per_second = LIMIT_GRPC_FLOOD_PER_SECOND,
        .events = &events,
        .ctx = channel,
        .alloc = channel->config.alloc,
    };

    return h2_session_new(&config, &channel->h2, err);
}

static enum assay_status
make_conn(struct grpc_channel *channel, struct assay_error *err)
{
    static const struct conn_events events = { on_open, on_received, on_flushed,
                                               on_woken, on_closed };
    const struct conn_config config = {
        .loop = channel->loop,
        .tls = channel->config.tls,
        .need_h2 = true,
        .output_max = LIMIT_GRPC_OUTPUT_BYTES,
        .events = &events,
        .ctx = channel,
        .alloc = channel->config.alloc,
    };

    return conn_dial(&config, &channel->endpoint, &channel->conn, err);
}

enum assay_status
grpc_channel_new(struct loop *loop, const struct grpc_client_config *config,
                 struct grpc_channel **out, struct assay_error *err)
{
    struct grpc_channel *channel = mem_zalloc(config->alloc, sizeof(*channel));
    enum assay_status st;

    if (!channel)
        return assay_nomem(err, "grpc channel");
    channel->config = *config;
    channel->loop = loop;
    (void)snprintf(channel->authority, sizeof(channel->authority), "%s",
                   config->target);
    if (channel->config.response_max == 0)
        channel->config.response_max = LIMIT_GRPC_MESSAGE_BYTES;
    st = net_endpoint_parse(config->target, false, &channel->endpoint, err);
    if (st == ASSAY_OK)
        st = make_h2(channel, err);
    if (st == ASSAY_OK)
        st = make_conn(channel, err);
    if (st != ASSAY_OK) {
        h2_session_free(channel->h2);
        mem_free(config->alloc, channel);
        return st;
    }
    *out = channel;
    return ASSAY_OK;
}

static struct client_call *
call_new(struct grpc_channel *channel, uint64_t deadline_ms)
{
    struct client_call *call = mem_zalloc(channel->config.alloc, sizeof(*call));

    if (!call)
        return NULL;
    call->channel = channel;
    call->deadline_ms = deadline_ms;
    call->due_us = UINT64_MAX;
    if (deadline_ms > 0 && deadline_ms < UINT64_MAX / 2000)
        call->due_us = now_us() + deadline_ms * 1000;
    call->grpc_status = -1;
    buffer_init(&call->message, MESSAGE_TEXT_MAX, channel->config.alloc);
    buffer_init(&call->body, channel->config.response_max,
                channel->config.alloc);
    call->body.wipe = true; /* requests and answers carry seeds */
    call->next = channel->calls;
    if (channel->calls)
        channel->calls->prev = call;
    channel->calls = call;
    return call;
}

static enum assay_status
submit(struct client_call *call, const char *path, struct span request,
       const char *timeout, struct assay_error *err)
{
    struct grpc_channel *channel = call->channel;
    const uint8_t prefix[PREFIX_SIZE] = { 0, (uint8_t)(request.len >> 24),
                                          (uint8_t)(request.len >> 16),
                                          (uint8_t)(request.len >> 8),
                                          (uint8_t)request.len };
    const struct h2_header headers[] = {
        { ":method", span_str("POST") },
        { ":scheme", span_str(channel->config.tls ? "https" : "http") },
        { ":path", span_str(path) },
        { ":authority", span_str(channel->authority) },
        { "te", span_str("trailers") },
        { "content-type", span_str("application/grpc") },
        { "user-agent", span_str("grpc-c-assay") },
        { "grpc-timeout", span_str(timeout) }, /* last: may be left out */
    };
    size_t n = sizeof(headers) / sizeof(headers[0]);
    struct buffer body;

    buffer_init(&body, PREFIX_SIZE + (size_t)UINT32_MAX, channel->config.alloc);
    body.wipe = true;
    buffer_add(&body, span_of(prefix, sizeof(prefix)));
    buffer_add(&body, request);
    if (body.failed) {
        buffer_free(&body);
        return assay_nomem(err, "grpc request");
    }
    return h2_session_request(channel->h2, headers,
                              call->deadline_ms > 0 ? n : n - 1, &body, call,
                              &call->stream, err);
}

enum assay_status
grpc_channel_call(struct grpc_channel *channel, const char *path,
                  struct span request, uint64_t deadline_ms,
                  void (*done)(void *ctx, const struct grpc_outcome *outcome),
                  void *ctx, struct assay_error *err)
{
    char timeout[GRPC_TIMEOUT_SIZE];
    struct client_call *call;
    enum assay_status st;

    if (!channel->conn) {
        if (err)
            *err = channel->closed_why;
        return channel->closed_why.status;
    }
    call = call_new(channel, deadline_ms);
    if (!call)
        return assay_nomem(err, "grpc call");
    call->done = done;
    call->ctx = ctx;
    grpc_timeout_format(deadline_ms, timeout);
    st = submit(call, path, request, timeout, err);
    if (st != ASSAY_OK) {
        call_free(call);
        return st;
    }
    /* Output follows the loop, so that done cannot run in here. */
    conn_wake_at(channel->conn, 0);
    return ASSAY_OK;
}

void
grpc_channel_free(struct grpc_channel *channel)
{
    struct assay_error err;

    if (!channel || channel->freed)
        return;
    channel_enter(channel);
    if (channel->conn && channel->busy == 1) {
        h2_session_terminate(channel->h2, H2_NO_ERROR);
        (void)!push_output(channel, &err); /* a courtesy */
    }
    channel->freed = true;
    channel_leave(channel);
}

/* -- The blocking call -- */

struct waiting {
    struct grpc_channel *channel;
    struct buffer *response;
    enum grpc_code code;
    enum assay_status status;
    struct assay_error error;
};

static void
call_done(void *ctx, const struct grpc_outcome *outcome)
{
    struct waiting *w = ctx;

    w->status = outcome->status;
    w->error = outcome->error;
    w->code = outcome->code;
    if (outcome->status == ASSAY_OK) {
        (void)snprintf(w->error.text, sizeof(w->error.text), "%s",
                       outcome->message);
        if (outcome->code == GRPC_OK) {
            buffer_add(w->response, outcome->response);
            w->status = buffer_check(w->response, "response", &w->error);
        }
    }
    grpc_channel_free(w->channel);
}

static enum assay_status
call_on(struct loop *loop, const struct grpc_client_config *config,
        const char *path, struct span request, uint64_t deadline_ms,
        struct waiting *w)
{
    enum assay_status st =
        grpc_channel_new(loop, config, &w->channel, &w->error);

    if (st != ASSAY_OK)
        return st;
    st = grpc_channel_call(w->channel, path, request, deadline_ms, call_done, w,
                           &w->error);
    if (st != ASSAY_OK) {
        grpc_channel_free(w->channel);
        return st;
    }
    loop_run(loop);
    return w->status;
}

enum assay_status
grpc_client_call(const struct grpc_client_config *config, const char *path,
                 struct span request, uint64_t deadline_ms,
                 struct buffer *response, enum grpc_code *code,
                 struct assay_error *err)
{
    struct waiting w = { .response = response, .status = ASSAY_ERR_IO };
    struct loop *loop = NULL;
    enum assay_status st = loop_new(&loop, err);

    if (st != ASSAY_OK)
        return st;
    st = call_on(loop, config, path, request, deadline_ms, &w);
    loop_free(loop);
    if (err)
        *err = w.error;
    if (st == ASSAY_OK)
        *code = w.code;
    return st;
}
