#include "net/h2.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stddef.h>
#include <string.h>

#include "base/num.h"

enum {
    WINDOW_STREAM = 256 * 1024,
    WINDOW_CONNECTION = 1024 * 1024,
    SETTINGS_ENTRIES_MAX = 32,
    ACKS_QUEUED_MAX = 100,
    /* A DATA frame this small that does not end its stream is more frame
     * than data. */
    DATA_TINY = 128,
    /* Fields beyond the ceiling: a byte of them can stand for an entry of 4 KiB
     * that has to be looked at (RFC 7541 section 7.3). */
    COST_RESET = 4,
    COST_LONG_HEADERS = 50,
    /* HEADERS, two WINDOW_UPDATEs, a PING and their like belong to a call. */
    CREDIT_PER_CALL = 8,
    /* RFC 9113 section 6.5.2: what a field counts beyond its bytes. */
    FIELD_OVERHEAD = 32,
};

struct h2_stream {
    struct h2_session *session;
    struct h2_stream *prev, *next;
    int32_t id;
    void *user;
    size_t header_list; /* bytes so far */
    struct buffer body; /* to be sent */
    size_t sent;
    struct h2_header trailer; /* name NULL: none */
    bool stop_request;        /* reset once the response is out */
};

struct h2_session {
    struct h2_config config;
    nghttp2_session *ng;
    struct h2_stream *streams;
    uint64_t refilled_ms;
    uint64_t now_ms;
    unsigned tokens;
    bool flooded;
    bool greeted;
    bool draining;
};

static const uint8_t drain_ping[8] = "drain";

/* -- Memory -- */

/* nghttp2 copies what is sent into frames, secrets among them. So each block
 * knows its size, and is overwritten when it goes. */
struct block {
    size_t size;
    max_align_t bytes[];
};

static void *
ng_calloc(size_t n, size_t size, void *alloc)
{
    size_t total, with_header;
    struct block *b;

    if (!size_mul(n, size, &total) ||
        !size_add(total, sizeof(*b), &with_header))
        return NULL;
    b = mem_zalloc(alloc, with_header);
    if (!b)
        return NULL;
    b->size = total;
    return b->bytes;
}

static void *
ng_malloc(size_t size, void *alloc)
{
    return ng_calloc(1, size, alloc);
}

static struct block *
block_of(void *ptr)
{
    uint8_t *bytes = ptr;

    return (struct block *)(void *)(bytes - offsetof(struct block, bytes));
}

static void
ng_free(void *ptr, void *alloc)
{
    if (!ptr)
        return;
    explicit_bzero(ptr, block_of(ptr)->size);
    mem_free(alloc, block_of(ptr));
}

static void *
ng_realloc(void *ptr, size_t size, void *alloc)
{
    void *bigger = ng_calloc(1, size, alloc);
    size_t old = ptr ? block_of(ptr)->size : 0;

    if (!bigger)
        return NULL;
    if (old > 0)
        memcpy(bigger, ptr, old < size ? old : size);
    ng_free(ptr, alloc);
    return bigger;
}

static struct h2_stream *
stream_new(struct h2_session *s, int32_t id)
{
    struct h2_stream *stream = mem_zalloc(s->config.alloc, sizeof(*stream));

    if (!stream)
        return NULL;
    stream->session = s;
    stream->id = id;
    buffer_init(&stream->body, SIZE_MAX - 1, s->config.alloc);
    stream->next = s->streams;
    if (s->streams)
        s->streams->prev = stream;
    s->streams = stream;
    return stream;
}

static void
stream_free(struct h2_stream *stream)
{
    if (stream->prev)
        stream->prev->next = stream->next;
    else
        stream->session->streams = stream->next;
    if (stream->next)
        stream->next->prev = stream->prev;
    buffer_free(&stream->body);
    mem_free(stream->session->config.alloc, stream);
}

/* -- Floods --
 *
 * A bucket of tokens that refills with time and with answered calls. Frames
 * that carry nothing a call needs take one; a stream that is reset takes more,
 * because opening it already cost us (CVE-2023-44487, "rapid reset"). What
 * nghttp2 ignores by itself (unknown types, DATA of a stream that is closed)
 * is not counted: it costs no more than its bytes. */

static void
refill(struct h2_session *s)
{
    uint64_t elapsed = s->now_ms - s->refilled_ms;
    uint64_t earned;

    if (elapsed > 3600000)
        elapsed = 3600000;
    earned = elapsed * s->config.flood_per_second / 1000;
    if (earned == 0)
        return;
    s->refilled_ms = s->now_ms;
    if (earned > s->config.flood_burst - s->tokens)
        s->tokens = s->config.flood_burst;
    else
        s->tokens += (unsigned)earned;
}

void
h2_session_credit(struct h2_session *s)
{
    if (s->config.flood_burst - s->tokens < CREDIT_PER_CALL)
        s->tokens = s->config.flood_burst;
    else
        s->tokens += CREDIT_PER_CALL;
}

static unsigned
frame_cost(const nghttp2_frame_hd *hd)
{
    if (hd->type == NGHTTP2_RST_STREAM)
        return COST_RESET;
    if (hd->type == NGHTTP2_DATA)
        return hd->length < DATA_TINY && !(hd->flags & NGHTTP2_FLAG_END_STREAM);
    return 1;
}

static void
charge(struct h2_session *s, unsigned cost)
{
    if (cost <= s->tokens) {
        s->tokens -= cost;
    } else if (!s->flooded) {
        s->flooded = true;
        h2_session_terminate(s, H2_ENHANCE_YOUR_CALM);
    }
}

static int
on_begin_frame(nghttp2_session *ng, const nghttp2_frame_hd *hd, void *ctx)
{
    struct h2_session *s = ctx;

    (void)ng;
    refill(s);
    charge(s, frame_cost(hd));
    return 0;
}

/* -- Events -- */

static int
on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    struct h2_session *s = ctx;
    struct h2_stream *stream;

    if (frame->hd.type != NGHTTP2_HEADERS ||
        frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    if (s->flooded)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    stream = stream_new(s, frame->hd.stream_id);
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    stream->user = s->config.events->begin(s->config.ctx, stream);
    if (!stream->user) {
        (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, stream->id,
                                        H2_REFUSED_STREAM);
        stream_free(stream);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    /* The stream exists, so this cannot fail. */
    (void)nghttp2_session_set_stream_user_data(ng, stream->id, stream);
    return 0;
}

static int
on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
          size_t name_len, const uint8_t *value, size_t value_len,
          uint8_t flags, void *ctx)
{
    struct h2_session *s = ctx;
    struct h2_stream *stream =
        nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);

    (void)flags;
    if (!stream)
        return 0;
    /* Both lengths are below 2^24, a frame's limit: no overflow. */
    stream->header_list += name_len + value_len + FIELD_OVERHEAD;
    if (stream->header_list > s->config.header_list_max) {
        (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, stream->id,
                                        H2_ENHANCE_YOUR_CALM);
        charge(s, COST_LONG_HEADERS);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    s->config.events->header(s->config.ctx, stream->user,
                             span_of(name, name_len),
                             span_of(value, value_len));
    return 0;
}

static void
ping_acked(struct h2_session *s, const nghttp2_frame *frame)
{
    if (s->draining &&
        memcmp(frame->ping.opaque_data, drain_ping, sizeof(drain_ping)) == 0)
        (void)nghttp2_submit_goaway(
            s->ng, NGHTTP2_FLAG_NONE,
            nghttp2_session_get_last_proc_stream_id(s->ng), H2_NO_ERROR, NULL,
            0);
}

static int
on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    struct h2_session *s = ctx;
    const struct h2_events *events = s->config.events;
    struct h2_stream *stream;
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    if (frame->hd.type == NGHTTP2_SETTINGS)
        s->greeted = true;
    if (frame->hd.type == NGHTTP2_PING &&
        (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
        ping_acked(s, frame);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    stream = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (!stream)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS)
        events->headers(s->config.ctx, stream->user, end);
    if (end)
        events->end(s->config.ctx, stream->user);
    return 0;
}

static int
on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *bytes,
        size_t len, void *ctx)
{
    struct h2_session *s = ctx;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(ng, id);

    (void)flags;
    if (stream)
        s->config.events->data(s->config.ctx, stream->user,
                               span_of(bytes, len));
    return 0;
}

/* A reset submitted together with the response would overtake it. */
static int
on_frame_sent(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    struct h2_stream *stream =
        nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);

    (void)ctx;
    if (stream && stream->stop_request &&
        frame->hd.type != NGHTTP2_RST_STREAM &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        h2_stream_reset(stream, H2_NO_ERROR);
    return 0;
}

static int
on_stream_close(nghttp2_session *ng, int32_t id, uint32_t error, void *ctx)
{
    struct h2_session *s = ctx;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(ng, id);

    if (stream) {
        s->config.events->closed(s->config.ctx, stream->user, error);
        stream_free(stream);
    }
    return 0;
}

/* -- Making and ending a session -- */

static int
make_callbacks(nghttp2_session_callbacks **out)
{
    nghttp2_session_callbacks *cb;
    int rc = nghttp2_session_callbacks_new(&cb);

    if (rc != 0)
        return rc;
    nghttp2_session_callbacks_set_on_begin_frame_callback(cb, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb,
                                                            on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    *out = cb;
    return 0;
}

static int
make_session(struct h2_session *s)
{
    /* nghttp2_mem wants a pointer it may write through; ng_* never do. */
    union {
        const struct allocator *in;
        void *out;
    } alloc = { .in = s->config.alloc };
    nghttp2_mem mem = { alloc.out, ng_malloc, ng_free, ng_calloc, ng_realloc };
    nghttp2_session_callbacks *cb = NULL;
    nghttp2_option *option = NULL;
    int rc = make_callbacks(&cb);

    if (rc == 0)
        rc = nghttp2_option_new(&option);
    if (rc == 0) {
        nghttp2_option_set_max_settings(option, SETTINGS_ENTRIES_MAX);
        nghttp2_option_set_max_outbound_ack(option, ACKS_QUEUED_MAX);
        nghttp2_option_set_no_closed_streams(option, 1);
        if (s->config.server)
            rc = nghttp2_session_server_new3(&s->ng, cb, s, option, &mem);
        else
            rc = nghttp2_session_client_new3(&s->ng, cb, s, option, &mem);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(cb);
    return rc;
}

static int
greet(struct h2_session *s)
{
    const struct h2_config *c = &s->config;
    uint32_t list_max = c->header_list_max > UINT32_MAX
                            ? UINT32_MAX
                            : (uint32_t)c->header_list_max;
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, c->streams_max },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_STREAM },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, list_max },
        { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 }, /* a client's to say */
    };
    int rc = nghttp2_submit_settings(s->ng, NGHTTP2_FLAG_NONE, settings,
                                     c->server ? 3 : 4);

    if (rc == 0)
        rc = nghttp2_session_set_local_window_size(s->ng, NGHTTP2_FLAG_NONE, 0,
                                                   WINDOW_CONNECTION);
    return rc;
}

static enum assay_status
fail_ng(struct assay_error *err, int rc)
{
    if (rc == NGHTTP2_ERR_NOMEM)
        return assay_nomem(err, "http/2");
    if (rc == NGHTTP2_ERR_FLOODED)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "http/2: over %d acknowledgements queued",
                          ACKS_QUEUED_MAX);
    return assay_fail(err, ASSAY_ERR_MALFORMED, "http/2: %s",
                      nghttp2_strerror(rc));
}

enum assay_status
h2_session_new(const struct h2_config *config, struct h2_session **out,
               struct assay_error *err)
{
    struct h2_session *s = mem_zalloc(config->alloc, sizeof(*s));
    int rc;

    if (!s)
        return assay_nomem(err, "http/2");
    s->config = *config;
    s->tokens = config->flood_burst;
    rc = make_session(s);
    if (rc == 0)
        rc = greet(s);
    if (rc != 0) {
        h2_session_free(s);
        return fail_ng(err, rc);
    }
    *out = s;
    return ASSAY_OK;
}

void
h2_session_free(struct h2_session *s)
{
    if (!s)
        return;
    nghttp2_session_del(s->ng); /* calls nobody back */
    while (s->streams) {
        struct h2_stream *stream = s->streams;

        s->config.events->closed(s->config.ctx, stream->user, H2_CANCEL);
        stream_free(stream);
    }
    mem_free(s->config.alloc, s);
}

/* -- Bytes -- */

enum assay_status
h2_session_feed(struct h2_session *s, struct span bytes, uint64_t now_ms,
                struct assay_error *err)
{
    ssize_t rc;

    if (s->now_ms == 0)
        s->refilled_ms = now_ms;
    s->now_ms = now_ms;
    rc = nghttp2_session_mem_recv(s->ng, bytes.ptr, bytes.len);
    if (s->flooded)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "http/2: more than %u frames without work in them, "
                          "%u a second",
                          s->config.flood_burst, s->config.flood_per_second);
    return rc < 0 ? fail_ng(err, (int)rc) : ASSAY_OK;
}

enum assay_status
h2_session_output(struct h2_session *s, struct buffer *out, size_t mark,
                  struct assay_error *err)
{
    const uint8_t *bytes;
    ssize_t n = 1;

    while (n > 0 && out->len < mark) {
        n = nghttp2_session_mem_send(s->ng, &bytes);
        if (n < 0)
            return fail_ng(err, (int)n);
        if (n > 0)
            buffer_add(out, span_of(bytes, (size_t)n));
    }
    return buffer_check(out, "http/2 output", err);
}

bool
h2_session_finished(const struct h2_session *s)
{
    return !nghttp2_session_want_read(s->ng) &&
           !nghttp2_session_want_write(s->ng);
}

bool
h2_session_greeted(const struct h2_session *s)
{
    return s->greeted;
}

/* -- What to say -- */

/* nghttp2 takes pointers to bytes it only copies, without const. */
static nghttp2_nv
to_nv(const struct h2_header *header)
{
    union {
        const void *in;
        uint8_t *out;
    } name = { .in = header->name }, value = { .in = header->value.ptr };

    return (nghttp2_nv){ name.out, value.out, strlen(header->name),
                         header->value.len, NGHTTP2_NV_FLAG_NONE };
}

static ssize_t
read_body(nghttp2_session *ng, int32_t id, uint8_t *out, size_t len,
          uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct h2_stream *stream = source->ptr;
    size_t n = stream->body.len - stream->sent;

    (void)ctx;
    if (n > len)
        n = len;
    if (n > 0)
        memcpy(out, stream->body.ptr + stream->sent, n);
    stream->sent += n;
    if (stream->sent < stream->body.len)
        return (ssize_t)n;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->trailer.name) {
        nghttp2_nv nv = to_nv(&stream->trailer);

        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(ng, id, &nv, 1) != 0)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)n;
}

static void
to_nvs(const struct h2_header *headers, size_t n, nghttp2_nv *out)
{
    assert(n <= H2_HEADERS_MAX);
    for (size_t i = 0; i < n; i++)
        out[i] = to_nv(&headers[i]);
}

static void
take_body(struct h2_stream *stream, struct buffer *body)
{
    if (!body)
        return;
    buffer_free(&stream->body);
    stream->body = *body;
    buffer_init(body, body->limit, body->alloc);
}

enum assay_status
h2_stream_respond(struct h2_stream *stream, const struct h2_header *headers,
                  size_t n, struct buffer *body,
                  const struct h2_header *trailer, struct assay_error *err)
{
    nghttp2_nv nv[H2_HEADERS_MAX];
    nghttp2_data_provider provider = { { .ptr = stream }, read_body };
    int rc;

    to_nvs(headers, n, nv);
    take_body(stream, body);
    if (trailer)
        stream->trailer = *trailer;
    rc = nghttp2_submit_response(stream->session->ng, stream->id, nv, n,
                                 stream->body.len > 0 ? &provider : NULL);
    return rc != 0 ? fail_ng(err, rc) : ASSAY_OK;
}

enum assay_status
h2_session_request(struct h2_session *s, const struct h2_header *headers,
                   size_t n, struct buffer *body, void *user,
                   struct h2_stream **out, struct assay_error *err)
{
    nghttp2_nv nv[H2_HEADERS_MAX];
    struct h2_stream *stream = stream_new(s, -1);
    nghttp2_data_provider provider = { { .ptr = stream }, read_body };

    if (!stream) {
        if (body)
            buffer_free(body);
        return assay_nomem(err, "http/2 request");
    }
    to_nvs(headers, n, nv);
    stream->user = user;
    take_body(stream, body);
    stream->id = nghttp2_submit_request(
        s->ng, NULL, nv, n, stream->body.len > 0 ? &provider : NULL, stream);
    if (stream->id < 0) {
        int rc = stream->id;

        stream_free(stream);
        return fail_ng(err, rc);
    }
    *out = stream;
    return ASSAY_OK;
}

/* Below nghttp2 fails only for want of memory; the next output
 * then fails the same way, and the connection with it. */

void
h2_stream_reset(struct h2_stream *stream, uint32_t error)
{
    (void)nghttp2_submit_rst_stream(stream->session->ng, NGHTTP2_FLAG_NONE,
                                    stream->id, error);
}

void
h2_stream_stop_request(struct h2_stream *stream)
{
    stream->stop_request = true;
}

void
h2_session_ping(struct h2_session *s)
{
    (void)nghttp2_submit_ping(s->ng, NGHTTP2_FLAG_NONE, NULL);
}

void
h2_session_drain(struct h2_session *s)
{
    if (s->draining)
        return;
    s->draining = true;
    (void)nghttp2_submit_shutdown_notice(s->ng);
    (void)nghttp2_submit_ping(s->ng, NGHTTP2_FLAG_NONE, drain_ping);
}

void
h2_session_terminate(struct h2_session *s, uint32_t error)
{
    (void)nghttp2_session_terminate_session(s->ng, error);
}
