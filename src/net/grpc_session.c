#include "net/grpc_session.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/reader.h"
#include "net/h2.h"

enum {
    PREFIX_SIZE = 5, /* compressed flag, 32-bit length */
    MESSAGE_TEXT_MAX = 1024,
};

enum call_state {
    CALL_HEADERS,
    CALL_BODY,
    CALL_HANDLING, /* the handler has it, and may answer */
    CALL_ANSWERED, /* on its way out, or dropped */
};

enum content_type { CONTENT_OTHER, CONTENT_GRPC, CONTENT_GRPC_OTHER_CODEC };

struct grpc_call {
    struct grpc_session *session; /* NULL once cut off */
    struct grpc_call *prev, *next;
    struct conn *connection; /* held while a handler has the call */
    struct loop *loop;
    const struct allocator *alloc;
    struct h2_stream *stream; /* NULL once closed */
    enum call_state state;
    bool with_handler;
    bool peer_ended;

    const struct grpc_method *method; /* NULL: unknown path */
    enum content_type content_type;
    bool is_post, te_trailers, timeout_broken, other_encoding;

    uint8_t prefix[PREFIX_SIZE];
    size_t prefix_len;
    uint32_t want; /* bytes of the message, from the prefix */
    struct buffer body;
    size_t answer_len; /* of the answer that waits to be taken */

    uint64_t begun_us;
    uint64_t request_by_us;
    uint64_t answer_by_us;
    uint64_t delivered_by_us;
    void *data;
};

struct grpc_session {
    struct grpc_session_config config;
    struct h2_session *h2;
    struct grpc_call *calls;
    size_t call_count; /* open streams, and calls still with a handler */
    bool feeding;
    bool ping_unanswered;
    uint64_t greeting_by_us;
    uint64_t idle_since_us;
    uint64_t heard_us; /* the last bytes from the peer */
    uint64_t pinged_us;
};

static uint64_t
now_us(const struct grpc_session *s)
{
    return s->config.now_us(s->config.owner);
}

/* UINT64_MAX for a time-out that is switched off. */
static uint64_t
after(uint64_t from_us, uint64_t delay_ms)
{
    uint64_t delay_us;

    if (delay_ms == 0 || __builtin_mul_overflow(delay_ms, 1000, &delay_us) ||
        __builtin_add_overflow(from_us, delay_us, &delay_us))
        return UINT64_MAX;
    return delay_us;
}

/* -- Calls -- */

static void
drop_body(struct grpc_call *call)
{
    if (call->session)
        *call->session->config.bodies_used -= call->body.len;
    buffer_free(&call->body);
}

static void
call_unlink(struct grpc_call *call)
{
    struct grpc_session *s = call->session;

    assert(s); /* a call is linked only while its session lives */
    *s->config.answers_used -= call->answer_len;
    call->answer_len = 0;
    if (call->prev)
        call->prev->next = call->next;
    else
        s->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    call->prev = call->next = NULL;
    s->call_count--;
    if (s->call_count == 0)
        s->idle_since_us = now_us(s);
    call->session = NULL;
}

/* Frees the call once neither its stream nor its handler need it. */
static void
call_settle(struct grpc_call *call)
{
    if (call->stream || call->with_handler)
        return;
    drop_body(call);
    if (call->session)
        call_unlink(call);
    mem_free(call->alloc, call);
}

static void
observe_handled(struct grpc_call *call, enum grpc_code code)
{
    const struct grpc_observer *observer = call->session->config.observer;

    if (observer->handled)
        observer->handled(observer->ctx, call->method ? call->method->path : "",
                          code, now_us(call->session) - call->begun_us);
}

static void
mark_answered(struct grpc_call *call, enum grpc_code code)
{
    struct grpc_session *s = call->session;

    call->state = CALL_ANSWERED;
    call->delivered_by_us = after(now_us(s), s->config.limits->response_ms);
    observe_handled(call, code);
    if (!call->with_handler)
        drop_body(call); /* else the handler may still be reading it */
}

static void answer_error(struct grpc_call *call, unsigned http_status,
                         enum grpc_code code, const char *message);

/* Answers wait in memory for readers who may be slow on purpose. A single one
 * may be of any size. */
static bool
answer_has_room(const struct grpc_session *s, size_t len)
{
    const size_t *used = s->config.answers_used;
    size_t most = s->config.limits->answers_max;

    while (*used > 0 && (*used > most || len > most - *used)) {
        if (!s->config.free_answer || !s->config.free_answer(s->config.owner))
            return false;
    }
    return true;
}

static void
answer_ok(struct grpc_call *call, struct span response)
{
    static const struct h2_header headers[] = {
        { ":status", { (const uint8_t *)"200", 3 } },
        { "content-type", { (const uint8_t *)"application/grpc", 16 } },
    };
    static const struct h2_header trailer = { "grpc-status",
                                              { (const uint8_t *)"0", 1 } };
    const uint8_t prefix[PREFIX_SIZE] = { 0, (uint8_t)(response.len >> 24),
                                          (uint8_t)(response.len >> 16),
                                          (uint8_t)(response.len >> 8),
                                          (uint8_t)response.len };
    struct buffer body;

    if (!answer_has_room(call->session, response.len)) {
        answer_error(call, 200, GRPC_RESOURCE_EXHAUSTED,
                     "too many answers wait for their readers: try again");
        return;
    }
    buffer_init(&body, PREFIX_SIZE + (size_t)UINT32_MAX, call->alloc);
    body.wipe = true;
    buffer_add(&body, span_of(prefix, sizeof(prefix)));
    buffer_add(&body, response);
    if (body.failed || h2_stream_respond(call->stream, headers, 2, &body,
                                         &trailer, NULL) != ASSAY_OK) {
        buffer_free(&body);
        h2_stream_reset(call->stream, H2_INTERNAL_ERROR);
        mark_answered(call, GRPC_INTERNAL);
        return;
    }
    call->answer_len = response.len;
    *call->session->config.answers_used += response.len;
    mark_answered(call, GRPC_OK);
}

/* Headers that are trailers at once ("Trailers-Only"). */
static void
answer_error(struct grpc_call *call, unsigned http_status, enum grpc_code code,
             const char *message)
{
    char status[8], number[8];
    struct buffer text;
    struct h2_header headers[5];
    size_t n = 0;

    buffer_init(&text, MESSAGE_TEXT_MAX, call->alloc);
    grpc_message_encode(span_str(message), &text); /* cut short if too long */
    (void)snprintf(status, sizeof(status), "%u", http_status);
    (void)snprintf(number, sizeof(number), "%u", (unsigned)code);
    headers[n++] = (struct h2_header){ ":status", span_str(status) };
    headers[n++] =
        (struct h2_header){ "content-type", span_str("application/grpc") };
    headers[n++] = (struct h2_header){ "grpc-status", span_str(number) };
    if (text.len > 0)
        headers[n++] = (struct h2_header){ "grpc-message", buffer_span(&text) };
    if (call->other_encoding)
        headers[n++] =
            (struct h2_header){ "grpc-accept-encoding", span_str("identity") };
    if (!call->peer_ended)
        h2_stream_stop_request(call->stream);
    if (h2_stream_respond(call->stream, headers, n, NULL, NULL, NULL) !=
        ASSAY_OK)
        h2_stream_reset(call->stream, H2_INTERNAL_ERROR);
    buffer_free(&text);
    mark_answered(call, code);
}

ASSAY_PRINTF(4, 5)
static void
refuse(struct grpc_call *call, unsigned http_status, enum grpc_code code,
       const char *fmt, ...)
{
    char text[200];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    answer_error(call, http_status, code, text);
}

/* -- Headers -- */

static enum content_type
classify_content(struct span value)
{
    static const char grpc[] = "application/grpc";
    const size_t len = sizeof(grpc) - 1;
    struct span rest;

    if (value.len < len || strncasecmp((const char *)value.ptr, grpc, len) != 0)
        return CONTENT_OTHER;
    rest = span_sub(value, len, value.len - len);
    if (rest.len == 0 || rest.ptr[0] == ';')
        return CONTENT_GRPC;
    if (rest.ptr[0] != '+') /* "application/grpc-web" is something else */
        return CONTENT_OTHER;
    if (span_equal_str(span_sub(rest, 0, 6), "+proto") &&
        (rest.len == 6 || rest.ptr[6] == ';'))
        return CONTENT_GRPC;
    return CONTENT_GRPC_OTHER_CODEC;
}

static const struct grpc_method *
find_method(const struct grpc_session *s, struct span path)
{
    for (size_t i = 0; i < s->config.method_count; i++)
        if (span_equal_str(path, s->config.methods[i].path))
            return &s->config.methods[i];
    return NULL;
}

static void
take_timeout(struct grpc_call *call, struct span value)
{
    uint64_t timeout_ms;

    if (!grpc_timeout_parse(value, &timeout_ms))
        call->timeout_broken = true;
    else /* a time-out of 0 is one that has passed */
        call->answer_by_us =
            timeout_ms ? after(call->begun_us, timeout_ms) : call->begun_us;
}

static void
on_header(void *ctx, void *user, struct span name, struct span value)
{
    struct grpc_call *call = user;

    (void)ctx;
    if (call->state != CALL_HEADERS)
        return; /* trailers: unary requests have none that matter */
    if (span_equal_str(name, ":method"))
        call->is_post = span_equal_str(value, "POST");
    else if (span_equal_str(name, ":path"))
        call->method = find_method(call->session, value);
    else if (span_equal_str(name, "content-type"))
        call->content_type = classify_content(value);
    else if (span_equal_str(name, "te"))
        call->te_trailers = span_equal_str(value, "trailers");
    else if (span_equal_str(name, "grpc-timeout"))
        take_timeout(call, value);
    else if (span_equal_str(name, "grpc-encoding"))
        call->other_encoding = !span_equal_str(value, "identity");
}

static bool
headers_acceptable(struct grpc_call *call)
{
    if (!call->is_post)
        refuse(call, 405, GRPC_INTERNAL, "method: want POST");
    else if (call->content_type == CONTENT_OTHER)
        refuse(call, 415, GRPC_INTERNAL, "content-type: want application/grpc");
    else if (!call->te_trailers)
        refuse(call, 400, GRPC_INTERNAL,
               "no \"te: trailers\": does a proxy between us drop it?");
    else if (call->timeout_broken)
        refuse(call, 400, GRPC_INTERNAL,
               "grpc-timeout: want up to 8 digits and one of HMSmun");
    else if (!call->method)
        refuse(call, 200, GRPC_UNIMPLEMENTED, "unknown service or method");
    else if (call->content_type == CONTENT_GRPC_OTHER_CODEC)
        refuse(call, 200, GRPC_UNIMPLEMENTED,
               "content-type: want application/grpc+proto");
    else if (call->other_encoding)
        refuse(call, 200, GRPC_UNIMPLEMENTED, "grpc-encoding: want identity");
    else
        return true;
    return false;
}

static void
on_headers(void *ctx, void *user, bool end)
{
    struct grpc_session *s = ctx;
    struct grpc_call *call = user;
    const struct grpc_observer *observer = s->config.observer;

    if (call->state != CALL_HEADERS)
        return;
    call->peer_ended = end;
    if (observer->started)
        observer->started(observer->ctx,
                          call->method ? call->method->path : "");
    if (headers_acceptable(call))
        call->state = CALL_BODY;
}

/* -- Body -- */

static bool
prefix_acceptable(struct grpc_call *call)
{
    const struct grpc_limits *limits = call->session->config.limits;
    size_t max = call->method->request_max ? call->method->request_max
                                           : limits->message_max;
    struct reader rd = reader_over(span_of(call->prefix, PREFIX_SIZE));
    uint8_t flag = rd_u8(&rd);

    call->want = rd_u32be(&rd);
    if (flag != 0)
        refuse(call, 200, GRPC_INTERNAL,
               "message prefix: compressed flag %u, want 0 as no "
               "grpc-encoding was named",
               flag);
    else if (call->want > max)
        refuse(call, 200, GRPC_RESOURCE_EXHAUSTED,
               "request: %u bytes, want at most %zu", call->want, max);
    else
        return true;
    return false;
}

/* Returns what of bytes lies behind the prefix. */
static struct span
take_prefix(struct grpc_call *call, struct span bytes)
{
    size_t n = PREFIX_SIZE - call->prefix_len;

    if (n > bytes.len)
        n = bytes.len;
    if (n > 0)
        memcpy(call->prefix + call->prefix_len, bytes.ptr, n);
    call->prefix_len += n;
    return span_sub(bytes, n, bytes.len - n);
}

static void
take_message(struct grpc_call *call, struct span bytes)
{
    const struct grpc_session *s = call->session;
    size_t *used = s->config.bodies_used;
    size_t most = s->config.limits->bodies_max;

    if (bytes.len > call->want - call->body.len) {
        refuse(call, 200, GRPC_UNIMPLEMENTED,
               "bytes behind the message: want exactly one");
        return;
    }
    while (bytes.len > most - *used && s->config.free_body &&
           s->config.free_body(s->config.owner)) {
        if (call->state != CALL_BODY)
            return; /* it was the slowest itself */
    }
    if (bytes.len > most - *used) {
        refuse(call, 200, GRPC_RESOURCE_EXHAUSTED,
               "requests under way hold %zu bytes already", *used);
        return;
    }
    buffer_add(&call->body, bytes);
    if (call->body.failed)
        refuse(call, 200, GRPC_RESOURCE_EXHAUSTED, "request: out of memory");
    else
        *used += bytes.len;
}

static void
on_data(void *ctx, void *user, struct span bytes)
{
    struct grpc_call *call = user;
    bool had_prefix = call->prefix_len == PREFIX_SIZE;

    (void)ctx;
    if (call->state != CALL_BODY)
        return;
    bytes = take_prefix(call, bytes);
    if (call->prefix_len < PREFIX_SIZE)
        return;
    if (!had_prefix && !prefix_acceptable(call))
        return;
    if (bytes.len > 0)
        take_message(call, bytes);
}

static void
dispatch(struct grpc_call *call)
{
    struct grpc_session *s = call->session;

    call->state = CALL_HANDLING;
    call->with_handler = true;
    if (call->connection)
        conn_ref(call->connection);
    call->method->handle(s->config.handler_ctx, call);
}

static void
on_end(void *ctx, void *user)
{
    struct grpc_call *call = user;

    (void)ctx;
    call->peer_ended = true;
    if (call->state != CALL_BODY)
        return;
    if (call->prefix_len == 0)
        refuse(call, 200, GRPC_UNIMPLEMENTED, "no message: want exactly one");
    else if (call->prefix_len < PREFIX_SIZE)
        refuse(call, 200, GRPC_INTERNAL,
               "message prefix: got %zu bytes, want %d", call->prefix_len,
               PREFIX_SIZE);
    else if (call->body.len < call->want)
        refuse(call, 200, GRPC_INTERNAL, "message: got %zu bytes, want %u",
               call->body.len, call->want);
    else
        dispatch(call);
}

static void *
on_begin(void *ctx, struct h2_stream *stream)
{
    struct grpc_session *s = ctx;
    struct grpc_call *call;

    /* Counts calls whose stream is reset but whose handler still works: who
     * opens and resets in a row gets no more of us than who waits. */
    if (s->call_count >= s->config.limits->streams_max)
        return NULL;
    call = mem_zalloc(s->config.alloc, sizeof(*call));
    if (!call)
        return NULL;
    call->session = s;
    call->connection = s->config.connection;
    call->loop = s->config.loop;
    call->alloc = s->config.alloc;
    call->stream = stream;
    call->begun_us = now_us(s);
    call->request_by_us = after(call->begun_us, s->config.limits->request_ms);
    call->answer_by_us = UINT64_MAX;
    buffer_init(&call->body, UINT32_MAX, s->config.alloc);
    call->body.wipe = true; /* requests and answers carry seeds */
    call->next = s->calls;
    if (s->calls)
        s->calls->prev = call;
    s->calls = call;
    s->call_count++;
    return call;
}

static void
on_closed(void *ctx, void *user, uint32_t error)
{
    struct grpc_call *call = user;

    (void)ctx, (void)error;
    call->stream = NULL;
    if (call->state == CALL_BODY || call->state == CALL_HANDLING)
        mark_answered(call, GRPC_CANCELLED);
    call->state = CALL_ANSWERED;
    call_settle(call);
}

/* -- The session -- */

enum assay_status
grpc_session_new(const struct grpc_session_config *config, uint64_t begun_us,
                 struct grpc_session **out, struct assay_error *err)
{
    static const struct h2_events events = { on_begin, on_header, on_headers,
                                             on_data,  on_end,    on_closed };
    const struct grpc_limits *limits = config->limits;
    struct h2_config h2 = { .server = true,
                            .streams_max = limits->streams_max,
                            .header_list_max = limits->header_list_max,
                            .flood_burst = limits->flood_burst,
                            .flood_per_second = limits->flood_per_second,
                            .events = &events,
                            .alloc = config->alloc };
    struct grpc_session *s = mem_zalloc(config->alloc, sizeof(*s));
    enum assay_status st;

    if (!s)
        return assay_nomem(err, "grpc session");
    s->config = *config;
    h2.ctx = s;
    st = h2_session_new(&h2, &s->h2, err);
    if (st != ASSAY_OK) {
        mem_free(config->alloc, s);
        return st;
    }
    s->greeting_by_us = after(begun_us, limits->handshake_ms);
    s->heard_us = s->idle_since_us = now_us(s);
    *out = s;
    return ASSAY_OK;
}

void
grpc_session_free(struct grpc_session *s)
{
    if (!s)
        return;
    assert(!s->feeding);
    h2_session_free(s->h2); /* closes the streams, and so most calls */
    while (s->calls) {
        struct grpc_call *call = s->calls;

        *s->config.bodies_used -= call->body.len;
        call_unlink(call);
    }
    mem_free(s->config.alloc, s);
}

enum assay_status
grpc_session_feed(struct grpc_session *s, struct span bytes,
                  struct assay_error *err)
{
    enum assay_status st;

    s->heard_us = now_us(s);
    s->ping_unanswered = false;
    s->feeding = true;
    st = h2_session_feed(s->h2, bytes, s->heard_us / 1000, err);
    s->feeding = false;
    return st;
}

enum assay_status
grpc_session_output(struct grpc_session *s, struct buffer *out, size_t mark,
                    struct assay_error *err)
{
    return h2_session_output(s->h2, out, mark, err);
}

bool
grpc_session_finished(const struct grpc_session *s)
{
    return h2_session_finished(s->h2);
}

void
grpc_session_drain(struct grpc_session *s)
{
    h2_session_drain(s->h2);
}

/* -- What gives way -- */

uint64_t
grpc_session_idle_since_us(const struct grpc_session *s)
{
    return s->call_count == 0 ? s->idle_since_us : UINT64_MAX;
}

static struct grpc_call *
oldest_body(const struct grpc_session *s)
{
    struct grpc_call *oldest = NULL;

    for (struct grpc_call *c = s->calls; c; c = c->next)
        if (c->state == CALL_BODY && c->body.len > 0 &&
            (!oldest || c->begun_us < oldest->begun_us))
            oldest = c;
    return oldest;
}

uint64_t
grpc_session_oldest_body_us(const struct grpc_session *s)
{
    const struct grpc_call *call = oldest_body(s);

    return call ? call->begun_us : UINT64_MAX;
}

void
grpc_session_refuse_oldest_body(struct grpc_session *s)
{
    struct grpc_call *call = oldest_body(s);

    if (call)
        answer_error(call, 200, GRPC_RESOURCE_EXHAUSTED,
                     "the request came too slowly: others needed the room");
}

uint64_t
grpc_session_oldest_answer_us(const struct grpc_session *s)
{
    uint64_t oldest = UINT64_MAX;

    for (const struct grpc_call *c = s->calls; c; c = c->next)
        if (c->answer_len > 0 && c->delivered_by_us < oldest)
            oldest = c->delivered_by_us;
    return oldest;
}

/* -- Time -- */

static uint64_t
call_due_us(const struct grpc_call *call)
{
    switch (call->state) {
    case CALL_HEADERS:
        return call->request_by_us;
    case CALL_BODY:
        return call->request_by_us < call->answer_by_us ? call->request_by_us
                                                        : call->answer_by_us;
    case CALL_HANDLING:
        return call->answer_by_us;
    default:
        return call->stream ? call->delivered_by_us : UINT64_MAX;
    }
}

static enum assay_status
call_overdue(struct grpc_call *call, struct assay_error *err)
{
    const struct grpc_limits *limits = call->session->config.limits;

    switch (call->state) {
    case CALL_HEADERS: /* nothing else can come before the rest of them */
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "http/2: headers not complete after %llu ms",
                          (unsigned long long)limits->request_ms);
    case CALL_BODY:
    case CALL_HANDLING:
        answer_error(call, 200, GRPC_DEADLINE_EXCEEDED,
                     call->state == CALL_BODY
                         ? "the request did not arrive in time"
                         : "the deadline passed");
        break;
    default:
        call->delivered_by_us = UINT64_MAX;
        h2_stream_reset(call->stream, H2_CANCEL);
        break;
    }
    return ASSAY_OK;
}

static uint64_t
ping_due_us(const struct grpc_session *s)
{
    const struct grpc_limits *limits = s->config.limits;

    if (s->ping_unanswered)
        return after(s->pinged_us, limits->ping_ack_ms);
    return after(s->heard_us > s->pinged_us ? s->heard_us : s->pinged_us,
                 limits->ping_interval_ms);
}

static uint64_t
idle_due_us(const struct grpc_session *s)
{
    return s->call_count == 0
               ? after(s->idle_since_us, s->config.limits->idle_ms)
               : UINT64_MAX;
}

static uint64_t
greeting_due_us(const struct grpc_session *s)
{
    return h2_session_greeted(s->h2) ? UINT64_MAX : s->greeting_by_us;
}

uint64_t
grpc_session_next_us(const struct grpc_session *s)
{
    const uint64_t due[] = { ping_due_us(s), idle_due_us(s),
                             greeting_due_us(s) };
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++)
        if (due[i] < next)
            next = due[i];
    for (const struct grpc_call *c = s->calls; c; c = c->next)
        if (call_due_us(c) < next)
            next = call_due_us(c);
    return next;
}

static enum assay_status
tick_calls(struct grpc_session *s, uint64_t now, struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    /* Nothing is unlinked here: streams close in output or feed. */
    for (struct grpc_call *c = s->calls; c && st == ASSAY_OK; c = c->next)
        if (now >= call_due_us(c))
            st = call_overdue(c, err);
    return st;
}

enum assay_status
grpc_session_tick(struct grpc_session *s, struct assay_error *err)
{
    uint64_t now = now_us(s);
    enum assay_status st = tick_calls(s, now, err);

    if (st != ASSAY_OK)
        return st;
    if (now >= greeting_due_us(s))
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "http/2: no SETTINGS after %llu ms",
                          (unsigned long long)s->config.limits->handshake_ms);
    if (now >= idle_due_us(s)) {
        s->idle_since_us = now;
        h2_session_terminate(s->h2, H2_NO_ERROR);
    }
    if (now < ping_due_us(s))
        return ASSAY_OK;
    if (s->ping_unanswered)
        return assay_fail(err, ASSAY_ERR_IO,
                          "http/2: no answer to a ping after %llu ms",
                          (unsigned long long)s->config.limits->ping_ack_ms);
    s->pinged_us = now;
    s->ping_unanswered = true;
    h2_session_ping(s->h2);
    return ASSAY_OK;
}

/* -- What handlers see -- */

const char *
grpc_call_path(const struct grpc_call *call)
{
    return call->method->path;
}

struct span
grpc_call_request(const struct grpc_call *call)
{
    return buffer_span(&call->body);
}

const struct net_address *
grpc_call_peer(const struct grpc_call *call)
{
    static const struct net_address unknown;

    return call->connection ? conn_peer(call->connection) : &unknown;
}

SSL *
grpc_call_ssl(const struct grpc_call *call)
{
    return call->connection ? conn_ssl(call->connection) : NULL;
}

struct loop *
grpc_call_loop(const struct grpc_call *call)
{
    return call->loop;
}

bool
grpc_call_cancelled(const struct grpc_call *call)
{
    return call->state != CALL_HANDLING;
}

void
grpc_call_set_data(struct grpc_call *call, void *data)
{
    call->data = data;
}

void *
grpc_call_data(const struct grpc_call *call)
{
    return call->data;
}

void
grpc_call_reply(struct grpc_call *call, enum grpc_code code,
                const char *message, struct span response)
{
    struct grpc_session *s = call->session;
    struct conn *connection = call->connection;
    bool answers = call->state == CALL_HANDLING;

    assert(call->with_handler);
    call->with_handler = false;
    if (answers) /* not for refusals: who wants those is not at work */
        h2_session_credit(s->h2);
    if (answers && code == GRPC_OK)
        answer_ok(call, response);
    else if (answers)
        answer_error(call, 200, code, message ? message : "");
    call_settle(call);
    if (answers && !s->feeding)
        s->config.output_ready(s->config.owner);
    if (connection)
        conn_unref(connection);
}
