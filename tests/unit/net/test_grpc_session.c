/* The server's session against frames written by hand: what a client library
 * would never send. No socket, and the clock is ours. */
#include "net/grpc_session.h"

#include <stdio.h>

#include "base/reader.h"
#include "base/writer.h"
#include "unit.h"

enum {
    DATA = 0,
    HEADERS = 1,
    PRIORITY = 2,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    WINDOW_UPDATE = 8,
    CONTINUATION = 9,
    END_STREAM = 1,
    ACK = 1,
    END_HEADERS = 4,
};

struct rig {
    struct grpc_session *session;
    struct grpc_limits limits;
    struct grpc_observer observer;
    size_t bodies_used;
    size_t answers_used;
    bool (*free_body)(void *owner);
    uint64_t now_us;
    int handled;
    enum grpc_code handled_code;
    int called;
    struct grpc_call *kept[100];
    size_t kept_count;
    uint8_t in[256 * 1024]; /* what is to be fed */
    struct writer wr;
    uint8_t out[256 * 1024]; /* what came out since the last feed */
    size_t out_len;
    struct assay_error err;
};

static void
handle_echo(void *ctx, struct grpc_call *call)
{
    struct rig *r = ctx;

    r->called++;
    grpc_call_reply(call, GRPC_OK, NULL, grpc_call_request(call));
}

static void
handle_keep(void *ctx, struct grpc_call *call)
{
    struct rig *r = ctx;

    r->called++;
    r->kept[r->kept_count++] = call;
}

static const struct grpc_method methods[] = {
    { "/t.T/Echo", handle_echo, 100 },
    { "/t.T/Keep", handle_keep, 100 },
    { "/t.T/Large", handle_keep, 0 },
};

static uint64_t
rig_now(void *owner)
{
    return ((struct rig *)owner)->now_us;
}

static void
saw_handled(void *ctx, const char *path, enum grpc_code code, uint64_t us)
{
    struct rig *r = ctx;

    (void)path, (void)us;
    r->handled++;
    r->handled_code = code;
}

static void
drain_output(void *owner)
{
    struct rig *r = owner;
    struct buffer out;

    buffer_init(&out, sizeof(r->out), NULL);
    assert_ok(grpc_session_output(r->session, &out, sizeof(r->out), &r->err),
              &r->err);
    assert_true(out.len <= sizeof(r->out) - r->out_len);
    if (out.len)
        memcpy(r->out + r->out_len, out.ptr, out.len);
    r->out_len += out.len;
    buffer_free(&out);
}

static enum assay_status
rig_new(struct rig *r, const struct allocator *alloc)
{
    const struct grpc_session_config config = {
        .methods = methods,
        .method_count = COUNT(methods),
        .handler_ctx = r,
        .limits = &r->limits,
        .observer = &r->observer,
        .bodies_used = &r->bodies_used,
        .answers_used = &r->answers_used,
        .now_us = rig_now,
        .output_ready = drain_output,
        .free_body = r->free_body,
        .owner = r,
        .alloc = alloc,
    };

    r->wr = writer_over(r->in, sizeof(r->in));
    r->observer = (struct grpc_observer){ .handled = saw_handled, .ctx = r };
    r->now_us = 1000000;
    return grpc_session_new(&config, r->now_us, &r->session, &r->err);
}

static struct rig *
rig_start(void)
{
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    grpc_limits_default(&r->limits);
    return r;
}

static void
rig_free(struct rig *r)
{
    grpc_session_free(r->session);
    assert_int_equal(r->bodies_used, 0);
    assert_int_equal(r->answers_used, 0);
    for (size_t i = 0; i < r->kept_count; i++)
        grpc_call_reply(r->kept[i], GRPC_OK, NULL, (struct span){ 0 });
    free(r);
}

/* -- Frames -- */

static void
frame(struct rig *r, uint8_t type, uint8_t flags, uint32_t id,
      struct span payload)
{
    wr_u8(&r->wr, (uint8_t)(payload.len >> 16));
    wr_u16be(&r->wr, (uint16_t)payload.len);
    wr_u8(&r->wr, type);
    wr_u8(&r->wr, flags);
    wr_u32be(&r->wr, id);
    wr_span(&r->wr, payload);
    assert_true(wr_ok(&r->wr));
}

static void
preface(struct rig *r)
{
    wr_span(&r->wr, span_str("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    frame(r, SETTINGS, 0, 0, (struct span){ 0 });
}

/* Literal fields without indexing (RFC 7541 section 6.2.2), no Huffman. */
static void
field(struct writer *wr, const char *name, const char *value)
{
    assert_true(strlen(name) < 127 && strlen(value) < 127);
    wr_u8(wr, 0);
    wr_u8(wr, (uint8_t)strlen(name));
    wr_span(wr, span_str(name));
    wr_u8(wr, (uint8_t)strlen(value));
    wr_span(wr, span_str(value));
}

struct request {
    const char *method, *path, *content_type, *te, *timeout, *encoding;
};

static const struct request echo = {
    "POST", "/t.T/Echo", "application/grpc", "trailers", NULL, NULL
};
static const struct request keep = {
    "POST", "/t.T/Keep", "application/grpc", "trailers", NULL, NULL
};

static struct span
header_block(struct writer *wr, const struct request *q)
{
    field(wr, ":method", q->method);
    field(wr, ":scheme", "http");
    field(wr, ":path", q->path);
    field(wr, ":authority", "x");
    if (q->content_type)
        field(wr, "content-type", q->content_type);
    if (q->te)
        field(wr, "te", q->te);
    if (q->timeout)
        field(wr, "grpc-timeout", q->timeout);
    if (q->encoding)
        field(wr, "grpc-encoding", q->encoding);
    return wr_written(wr);
}

static void
headers(struct rig *r, uint32_t id, const struct request *q, uint8_t flags)
{
    uint8_t bytes[1024];
    struct writer wr = writer_over(bytes, sizeof(bytes));

    frame(r, HEADERS, END_HEADERS | flags, id, header_block(&wr, q));
}

static void
message(struct rig *r, uint32_t id, const char *hex, uint8_t flags)
{
    uint8_t bytes[256];

    assert_true(hex_decode(span_str(hex), bytes, strlen(hex) / 2));
    frame(r, DATA, flags, id, span_of(bytes, strlen(hex) / 2));
}

static void
unary(struct rig *r, uint32_t id, const struct request *q)
{
    headers(r, id, q, 0);
    message(r, id, "00000000026869", END_STREAM);
}

static enum assay_status
feed(struct rig *r)
{
    enum assay_status st;

    r->out_len = 0;
    st = grpc_session_feed(r->session, wr_written(&r->wr), &r->err);
    r->wr = writer_over(r->in, sizeof(r->in));
    drain_output(r);
    return st;
}

/* How many frames of a type came out; *payload is the last one's. */
static size_t
count_out(const struct rig *r, uint8_t type, struct span *payload)
{
    struct reader rd = reader_over(span_of(r->out, r->out_len));
    size_t n = 0;

    while (rd.rest.len > 0) {
        uint32_t len = (uint32_t)rd_u8(&rd) << 16;
        uint8_t got;
        struct span body;

        len |= rd_u16be(&rd);
        got = rd_u8(&rd);
        (void)rd_u8(&rd);
        (void)rd_u32be(&rd);
        body = rd_span(&rd, len);
        assert_true(rd_ok(&rd));
        if (got == type) {
            n++;
            if (payload)
                *payload = body;
        }
    }
    return n;
}

static bool
out_has(const struct rig *r, const char *text)
{
    return memmem(r->out, r->out_len, text, strlen(text)) != NULL;
}

/* -- Tests -- */

static void
a_call_by_hand_is_answered(void **state)
{
    struct rig *r = rig_start();
    struct span payload;

    (void)state;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    unary(r, 1, &echo);
    assert_ok(feed(r), &r->err);
    assert_int_equal(count_out(r, DATA, &payload), 1);
    assert_hex(payload, "00000000026869");
    assert_int_equal(count_out(r, HEADERS, NULL), 2); /* and trailers */
    assert_int_equal(count_out(r, RST_STREAM, NULL), 0);
    assert_int_equal(r->handled_code, GRPC_OK);
    rig_free(r);
}

static void
every_split_of_the_bytes_gives_the_same(void **state)
{
    struct rig *r;
    uint8_t bytes[512];
    size_t len;

    (void)state;
    r = rig_start();
    r->wr = writer_over(r->in, sizeof(r->in));
    preface(r);
    unary(r, 1, &echo);
    len = r->wr.len;
    memcpy(bytes, r->in, len);
    free(r);
    for (size_t at = 0; at <= len; at++) {
        r = rig_start();
        assert_ok(rig_new(r, NULL), &r->err);
        wr_span(&r->wr, span_of(bytes, at));
        assert_ok(feed(r), &r->err);
        assert_int_equal(r->called, at == len);
        wr_span(&r->wr, span_of(bytes + at, len - at));
        assert_ok(feed(r), &r->err);
        assert_int_equal(r->called, 1);
        rig_free(r);
    }
}

static void
headers_are_judged(void **state)
{
    static const struct {
        const char *rule;
        struct request q;
        enum grpc_code code;
        const char *http; /* HPACK or literal of :status in the answer */
    } rows[] = {
        { "not POST",
          { "GET", "/t.T/Echo", "application/grpc", "trailers", NULL, NULL },
          GRPC_INTERNAL,
          "405" },
        { "no content-type",
          { "POST", "/t.T/Echo", NULL, "trailers", NULL, NULL },
          GRPC_INTERNAL,
          "415" },
        { "json",
          { "POST", "/t.T/Echo", "application/json", "trailers", NULL, NULL },
          GRPC_INTERNAL,
          "415" },
        { "grpc-web is something else",
          { "POST", "/t.T/Echo", "application/grpc-web", "trailers", NULL,
            NULL },
          GRPC_INTERNAL,
          "415" },
        { "no te",
          { "POST", "/t.T/Echo", "application/grpc", NULL, NULL, NULL },
          GRPC_INTERNAL,
          "400" },
        { "timeout without unit",
          { "POST", "/t.T/Echo", "application/grpc", "trailers", "12", NULL },
          GRPC_INTERNAL,
          "400" },
        { "unknown method",
          { "POST", "/t.T/Other", "application/grpc", "trailers", NULL, NULL },
          GRPC_UNIMPLEMENTED,
          NULL },
        { "path is compared in full",
          { "POST", "/t.T/Echo/", "application/grpc", "trailers", NULL, NULL },
          GRPC_UNIMPLEMENTED,
          NULL },
        { "other codec",
          { "POST", "/t.T/Echo", "application/grpc+json", "trailers", NULL,
            NULL },
          GRPC_UNIMPLEMENTED,
          NULL },
        { "compression",
          { "POST", "/t.T/Echo", "application/grpc", "trailers", NULL, "gzip" },
          GRPC_UNIMPLEMENTED,
          NULL },
        { "everything allowed is allowed",
          { "POST", "/t.T/Echo", "application/grpc+proto;x=y", "trailers",
            "99999999H", "identity" },
          GRPC_OK,
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *r = rig_start();

        assert_ok(rig_new(r, NULL), &r->err);
        preface(r);
        unary(r, 1, &rows[i].q);
        assert_ok(feed(r), &r->err);
        if (r->handled != 1 || r->handled_code != rows[i].code)
            fail_msg("%s: got %s, want %s", rows[i].rule,
                     grpc_code_name(r->handled_code),
                     grpc_code_name(rows[i].code));
        assert_int_equal(r->called, rows[i].code == GRPC_OK);
        /* The connection goes on. */
        unary(r, 3, &echo);
        assert_ok(feed(r), &r->err);
        assert_int_equal(r->handled_code, GRPC_OK);
        rig_free(r);
    }
}

static void
messages_are_judged(void **state)
{
    static const struct {
        const char *rule;
        const char *hex; /* DATA with END_STREAM */
        enum grpc_code code;
    } rows[] = {
        { "empty message", "0000000000", GRPC_OK },
        { "no message", "", GRPC_UNIMPLEMENTED },
        { "prefix cut short", "00000000", GRPC_INTERNAL },
        { "message cut short", "000000000268", GRPC_INTERNAL },
        { "prefix says less than there is", "0000000001aabb",
          GRPC_UNIMPLEMENTED },
        { "two messages", "0000000001aa0000000001bb", GRPC_UNIMPLEMENTED },
        { "compressed, without an encoding", "0100000001aa", GRPC_INTERNAL },
        { "unknown flag", "8000000001aa", GRPC_INTERNAL },
        { "larger than allowed", "0000000065", GRPC_RESOURCE_EXHAUSTED },
        { "absurdly large", "00ffffffff", GRPC_RESOURCE_EXHAUSTED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *r = rig_start();

        assert_ok(rig_new(r, NULL), &r->err);
        preface(r);
        headers(r, 1, &echo, 0);
        message(r, 1, rows[i].hex, END_STREAM);
        unary(r, 3, &keep);
        assert_ok(feed(r), &r->err);
        if (r->handled != 1 || r->handled_code != rows[i].code)
            fail_msg("%s: got %s, want %s", rows[i].rule,
                     grpc_code_name(r->handled_code),
                     grpc_code_name(rows[i].code));
        assert_int_equal(r->kept_count, 1);
        rig_free(r);
    }
}

static void
headers_that_end_the_stream_have_no_message(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    headers(r, 1, &echo, END_STREAM);
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->handled_code, GRPC_UNIMPLEMENTED);
    rig_free(r);
}

static void
an_early_refusal_stops_the_upload(void **state)
{
    struct rig *r = rig_start();
    struct span payload;

    (void)state;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    headers(r, 1, &echo, 0);
    message(r, 1, "00ffffffff", 0); /* and more to come */
    assert_ok(feed(r), &r->err);
    assert_int_equal(count_out(r, HEADERS, NULL), 1);
    assert_int_equal(count_out(r, RST_STREAM, &payload), 1);
    assert_hex(payload, "00000000"); /* NO_ERROR, behind the answer */
    /* What was on its way meanwhile does no harm (RFC 9113 section 5.1). */
    message(r, 1, "aabbccdd", 0);
    message(r, 1, "aabbccdd", END_STREAM);
    unary(r, 3, &echo);
    assert_ok(feed(r), &r->err);
    assert_int_equal(count_out(r, GOAWAY, NULL), 0);
    assert_int_equal(r->handled, 2);
    assert_int_equal(r->handled_code, GRPC_OK);
    rig_free(r);
}

static void
bodies_under_way_have_a_common_ceiling(void **state)
{
    struct rig *r = rig_start();
    const struct request large = { "POST",     "/t.T/Large", "application/grpc",
                                   "trailers", NULL,         NULL };

    (void)state;
    r->limits.bodies_max = 3;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    headers(r, 1, &large, 0);
    message(r, 1, "0000000003aabb", 0);
    headers(r, 3, &large, 0);
    message(r, 3, "0000000003aabb", 0);
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->handled, 1);
    assert_int_equal(r->handled_code, GRPC_RESOURCE_EXHAUSTED);
    message(r, 1, "cc", END_STREAM);
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->kept_count, 1);
    assert_int_equal(r->bodies_used, 3);
    rig_free(r);
}

static bool
refuse_oldest_body(void *owner)
{
    struct rig *r = owner;

    if (grpc_session_oldest_body_us(r->session) == UINT64_MAX)
        return false;
    grpc_session_refuse_oldest_body(r->session);
    return true;
}

static void
the_slowest_body_gives_way(void **state)
{
    struct rig *r = rig_start();
    const struct request large = { "POST",     "/t.T/Large", "application/grpc",
                                   "trailers", NULL,         NULL };

    (void)state;
    r->limits.bodies_max = 3;
    r->free_body = refuse_oldest_body;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    headers(r, 1, &large, 0);
    message(r, 1, "0000000003aabb", 0);
    assert_ok(feed(r), &r->err);
    r->now_us += 1000;
    headers(r, 3, &large, 0);
    message(r, 3, "0000000003aabb", 0);
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->handled, 1);
    assert_int_equal(r->handled_code, GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(r->bodies_used, 2);
    message(r, 1, "cc", END_STREAM); /* too late: dropped */
    message(r, 3, "cc", END_STREAM);
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->kept_count, 1);
    rig_free(r);
}

static void
answers_under_way_have_a_common_ceiling(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->limits.answers_max = 5;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    /* SETTINGS_INITIAL_WINDOW_SIZE 0: answers cannot leave. */
    frame(r, SETTINGS, 0, 0, span_of("\0\4\0\0\0\0", 6));
    for (uint32_t id = 1; id < 7; id += 2)
        unary(r, id, &keep);
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->kept_count, 3);
    /* A single answer may be larger than the ceiling. */
    grpc_call_reply(r->kept[0], GRPC_OK, NULL, span_str("1234567"));
    assert_int_equal(r->handled_code, GRPC_OK);
    assert_int_equal(r->answers_used, 7);
    grpc_call_reply(r->kept[1], GRPC_OK, NULL, span_str("1"));
    assert_int_equal(r->handled_code, GRPC_RESOURCE_EXHAUSTED);
    /* Once it has been taken there is room again. */
    frame(r, WINDOW_UPDATE, 0, 1, span_of("\0\0\1\0", 4));
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->answers_used, 0);
    grpc_call_reply(r->kept[2], GRPC_OK, NULL, span_str("1"));
    assert_int_equal(r->handled_code, GRPC_OK);
    r->kept_count = 0;
    rig_free(r);
}

static void
floods_end_the_connection(void **state)
{
    static const struct {
        const char *rule;
        uint8_t type, flags;
        uint32_t id;
        const char *payload; /* hex */
    } rows[] = {
        { "ping", PING, 0, 0, "0000000000000000" },
        { "ping answers nobody asked for", PING, ACK, 0, "0000000000000000" },
        { "settings", SETTINGS, 0, 0, "" },
        { "priority", PRIORITY, 0, 1, "0000000000" },
        { "window update", WINDOW_UPDATE, 0, 0, "00000001" },
        { "empty data", DATA, 0, 1, "" },
        { "one byte at a time", DATA, 0, 1, "00" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *r = rig_start();
        enum assay_status st = ASSAY_OK;
        uint8_t bytes[16];
        struct span payload = span_of(bytes, strlen(rows[i].payload) / 2);
        struct span goaway = { 0 };
        size_t frames = 0;

        assert_true(hex_decode(span_str(rows[i].payload), bytes, payload.len));
        r->limits.flood_burst = 50;
        r->limits.flood_per_second = 10;
        assert_ok(rig_new(r, NULL), &r->err);
        preface(r);
        headers(r, 1, &keep, 0);
        message(r, 1, "0000000064", 0); /* 100 bytes are to come */
        for (; st == ASSAY_OK && frames < 200; frames++) {
            frame(r, rows[i].type, rows[i].flags, rows[i].id, payload);
            st = feed(r);
        }
        if (st != ASSAY_ERR_LIMIT || frames > 60)
            fail_msg("%s: got %s after %zu frames", rows[i].rule,
                     assay_status_name(st), frames);
        assert_int_equal(count_out(r, GOAWAY, &goaway), 1);
        assert_int_equal(goaway.ptr[7], 0xb); /* ENHANCE_YOUR_CALM */
        rig_free(r);
    }
}

static void
frames_spread_over_time_are_no_flood(void **state)
{
    struct rig *r = rig_start();
    static const uint8_t zeros[8];

    (void)state;
    r->limits.flood_burst = 20;
    r->limits.flood_per_second = 10;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    for (int i = 0; i < 300; i++) {
        frame(r, PING, 0, 0, span_of(zeros, 8));
        assert_ok(feed(r), &r->err);
        r->now_us += 100000;
    }
    rig_free(r);
}

static void
answered_calls_earn_their_frames(void **state)
{
    struct rig *r = rig_start();
    static const uint8_t zeros[8];

    (void)state;
    r->limits.flood_burst = 20;
    r->limits.flood_per_second = 1;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    for (uint32_t id = 1; id < 2000; id += 2) {
        unary(r, id, &echo);
        frame(r, PING, 0, 0, span_of(zeros, 8));
        frame(r, WINDOW_UPDATE, 0, 0, span_of("\0\0\0\1", 4));
        assert_ok(feed(r), &r->err);
    }
    assert_int_equal(r->called, 1000);
    rig_free(r);
}

static void
rapid_reset_is_a_flood(void **state)
{
    struct rig *r = rig_start();
    enum assay_status st = ASSAY_OK;
    uint32_t id = 1;

    (void)state;
    r->limits.streams_max = 100;
    r->limits.flood_burst = 200;
    r->limits.flood_per_second = 10;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    for (; st == ASSAY_OK && id < 2000; id += 2) {
        unary(r, id, &keep);
        frame(r, RST_STREAM, 0, id, span_of("\0\0\0\x08", 4));
        st = feed(r);
    }
    assert_status(st, ASSAY_ERR_LIMIT);
    assert_true(r->kept_count < 50);
    assert_int_equal(r->handled_code, GRPC_CANCELLED);
    rig_free(r);
}

/* What is refused at its headers earns nothing. */
static void
rapid_reset_of_nothing_is_a_flood(void **state)
{
    static const struct request nothing = {
        "POST", "/t.T/No", "application/grpc", "trailers", NULL, NULL
    };
    struct rig *r = rig_start();
    enum assay_status st = ASSAY_OK;
    uint32_t id = 1;

    (void)state;
    r->limits.flood_burst = 200;
    r->limits.flood_per_second = 10;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    for (; st == ASSAY_OK && id < 2000; id += 2) {
        headers(r, id, &nothing, 0);
        frame(r, RST_STREAM, 0, id, span_of("\0\0\0\x08", 4));
        st = feed(r);
    }
    assert_status(st, ASSAY_ERR_LIMIT);
    rig_free(r);
}

/* A handler at work counts although its stream is gone. */
static void
resets_do_not_buy_more_handlers(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->limits.streams_max = 3;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    for (uint32_t id = 1; id < 20; id += 2) {
        unary(r, id, &keep);
        frame(r, RST_STREAM, 0, id, span_of("\0\0\0\x08", 4));
        assert_ok(feed(r), &r->err);
    }
    assert_int_equal(r->kept_count, 3);
    assert_true(grpc_call_cancelled(r->kept[0]));
    grpc_call_reply(r->kept[2], GRPC_OK, NULL, (struct span){ 0 });
    r->kept_count = 2;
    unary(r, 21, &keep);
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->kept_count, 3);
    rig_free(r);
}

static void
headers_have_a_ceiling(void **state)
{
    struct rig *r = rig_start();
    char name[32];
    uint8_t bytes[16 * 1024];
    struct writer wr = writer_over(bytes, sizeof(bytes));
    struct span payload;

    (void)state;
    r->limits.header_list_max = 2000;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    (void)header_block(&wr, &echo);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "x-%d", i);
        field(&wr, name, "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
    }
    frame(r, HEADERS, END_HEADERS, 1, wr_written(&wr));
    assert_ok(feed(r), &r->err);
    assert_int_equal(count_out(r, RST_STREAM, &payload), 1);
    assert_hex(payload, "0000000b");
    unary(r, 3, &echo); /* the compression state is still in step */
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->called, 1);
    rig_free(r);
}

static void
continuations_have_a_ceiling(void **state)
{
    struct rig *r = rig_start();
    enum assay_status st = ASSAY_OK;
    uint8_t bytes[1024];
    struct writer wr = writer_over(bytes, sizeof(bytes));
    size_t n = 0;

    (void)state;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    frame(r, HEADERS, 0, 1, header_block(&wr, &echo));
    for (; st == ASSAY_OK && !grpc_session_finished(r->session) && n < 2000;
         n++) {
        frame(r, CONTINUATION, 0, 1, (struct span){ 0 });
        st = feed(r);
    }
    assert_true(n < 1100);
    assert_int_equal(r->called, 0);
    rig_free(r);
}

static void
what_is_not_http2_is_malformed(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    assert_ok(rig_new(r, NULL), &r->err);
    wr_span(&r->wr, span_str("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_status(feed(r), ASSAY_ERR_MALFORMED);
    rig_free(r);
}

/* -- Time -- */

/* Moves the clock to when the session wants to be woken, and wakes it. */
static enum assay_status
tick_when_due(struct rig *r)
{
    enum assay_status st;

    assert_true(grpc_session_next_us(r->session) != UINT64_MAX);
    assert_true(grpc_session_next_us(r->session) >= r->now_us);
    r->now_us = grpc_session_next_us(r->session);
    r->out_len = 0;
    st = grpc_session_tick(r->session, &r->err);
    drain_output(r);
    return st;
}

static void
silence_after_the_handshake_ends(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->limits.handshake_ms = 70;
    assert_ok(rig_new(r, NULL), &r->err);
    wr_span(&r->wr, span_str("PRI * HTTP/2.0\r\n"));
    assert_ok(feed(r), &r->err);
    assert_status(tick_when_due(r), ASSAY_ERR_LIMIT);
    assert_string_equal(r->err.text, "http/2: no SETTINGS after 70 ms");
    assert_int_equal(r->now_us, 1000000 + 70 * 1000);
    rig_free(r);
}

static void
half_headers_end_the_connection(void **state)
{
    struct rig *r = rig_start();
    uint8_t bytes[1024];
    struct writer wr = writer_over(bytes, sizeof(bytes));

    (void)state;
    r->limits.request_ms = 80;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    frame(r, HEADERS, 0, 1, header_block(&wr, &echo)); /* no END_HEADERS */
    assert_ok(feed(r), &r->err);
    assert_status(tick_when_due(r), ASSAY_ERR_LIMIT);
    rig_free(r);
}

static void
slow_bodies_are_cut(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->limits.request_ms = 80;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    headers(r, 1, &echo, 0);
    message(r, 1, "00000000", 0);
    assert_ok(feed(r), &r->err);
    assert_ok(tick_when_due(r), &r->err);
    assert_int_equal(r->now_us, 1000000 + 80 * 1000);
    assert_int_equal(r->handled_code, GRPC_DEADLINE_EXCEEDED);
    assert_int_equal(count_out(r, RST_STREAM, NULL), 1);
    rig_free(r);
}

static void
deadlines_pass_while_the_handler_works(void **state)
{
    struct rig *r = rig_start();
    struct request q = keep;

    (void)state;
    q.timeout = "50m";
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    unary(r, 1, &q);
    assert_ok(feed(r), &r->err);
    assert_ok(tick_when_due(r), &r->err);
    assert_int_equal(r->now_us, 1000000 + 50 * 1000);
    assert_int_equal(r->handled_code, GRPC_DEADLINE_EXCEEDED);
    assert_true(out_has(r, "the deadline passed") ||
                count_out(r, HEADERS, NULL) == 1);
    assert_true(grpc_call_cancelled(r->kept[0]));
    grpc_call_reply(r->kept[0], GRPC_OK, NULL, span_str("late"));
    r->kept_count = 0;
    assert_int_equal(r->handled, 1);
    rig_free(r);
}

static void
undelivered_answers_are_dropped(void **state)
{
    struct rig *r = rig_start();
    const struct request *q = &keep;

    (void)state;
    r->limits.response_ms = 90;
    r->limits.ping_interval_ms = 0;
    assert_ok(rig_new(r, NULL), &r->err);
    wr_span(&r->wr, span_str("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    /* INITIAL_WINDOW_SIZE 0: we may never send */
    frame(r, SETTINGS, 0, 0, span_of("\0\4\0\0\0\0", 6));
    unary(r, 1, q);
    assert_ok(feed(r), &r->err);
    grpc_call_reply(r->kept[0], GRPC_OK, NULL, span_str("answer"));
    r->kept_count = 0;
    assert_ok(tick_when_due(r), &r->err);
    assert_int_equal(r->now_us, 1000000 + 90 * 1000);
    assert_int_equal(count_out(r, RST_STREAM, NULL), 1);
    rig_free(r);
}

static void
idle_connections_are_sent_away(void **state)
{
    struct rig *r = rig_start();

    (void)state;
    r->limits.idle_ms = 100;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    assert_ok(feed(r), &r->err);
    r->now_us += 50000;
    unary(r, 1, &echo);
    assert_ok(feed(r), &r->err);
    assert_ok(tick_when_due(r), &r->err);
    assert_int_equal(r->now_us, 1050000 + 100 * 1000);
    assert_int_equal(count_out(r, GOAWAY, NULL), 1);
    assert_true(grpc_session_finished(r->session));
    rig_free(r);
}

static void
dead_peers_are_noticed_by_ping(void **state)
{
    struct rig *r = rig_start();
    struct span ping;
    uint8_t opaque[8];

    (void)state;
    r->limits.ping_interval_ms = 10;
    r->limits.ping_ack_ms = 20;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    assert_ok(feed(r), &r->err);
    assert_ok(tick_when_due(r), &r->err);
    assert_int_equal(r->now_us, 1010000);
    assert_int_equal(count_out(r, PING, &ping), 1);
    memcpy(opaque, ping.ptr, sizeof(opaque));
    frame(r, PING, ACK, 0, span_of(opaque, 8));
    assert_ok(feed(r), &r->err);
    assert_ok(tick_when_due(r), &r->err); /* the next ping */
    assert_int_equal(r->now_us, 1020000);
    assert_status(tick_when_due(r), ASSAY_ERR_IO);
    assert_int_equal(r->now_us, 1040000);
    rig_free(r);
}

static void
draining_finishes_after_the_last_call(void **state)
{
    struct rig *r = rig_start();
    struct span ping;
    uint8_t opaque[8];

    (void)state;
    assert_ok(rig_new(r, NULL), &r->err);
    preface(r);
    unary(r, 1, &keep);
    assert_ok(feed(r), &r->err);
    r->out_len = 0;
    grpc_session_drain(r->session);
    drain_output(r);
    assert_int_equal(count_out(r, GOAWAY, NULL), 1);
    assert_int_equal(count_out(r, PING, &ping), 1);
    memcpy(opaque, ping.ptr, sizeof(opaque));
    unary(r, 3, &keep); /* sent before our GOAWAY arrived: still served */
    frame(r, PING, ACK, 0, span_of(opaque, 8));
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->kept_count, 2);
    assert_int_equal(count_out(r, GOAWAY, NULL), 1);
    unary(r, 5, &keep); /* after it: not */
    assert_ok(feed(r), &r->err);
    assert_int_equal(r->kept_count, 2);
    assert_false(grpc_session_finished(r->session));
    for (size_t i = 0; i < 2; i++)
        grpc_call_reply(r->kept[i], GRPC_OK, NULL, (struct span){ 0 });
    r->kept_count = 0;
    assert_true(grpc_session_finished(r->session));
    rig_free(r);
}

static void
no_allocation_may_fail_badly(void **state)
{
    struct failing_alloc f;
    size_t n = 0;
    bool answered = false;

    (void)state;
    for (; !answered && n < 1000; n++) {
        struct rig *r = rig_start();

        failing_alloc_init(&f, n);
        if (rig_new(r, &f.alloc) == ASSAY_OK) {
            struct buffer out;

            preface(r);
            unary(r, 1, &echo);
            unary(r, 3, &keep);
            buffer_init(&out, sizeof(r->out), NULL);
            answered = grpc_session_feed(r->session, wr_written(&r->wr),
                                         &r->err) == ASSAY_OK &&
                       grpc_session_output(r->session, &out, sizeof(r->out),
                                           &r->err) == ASSAY_OK &&
                       r->called == 2 && r->handled_code == GRPC_OK;
            buffer_free(&out);
        }
        rig_free(r);
        assert_int_equal(f.live, 0);
    }
    assert_true(n > 10);
    assert_true(answered);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_by_hand_is_answered),
        cmocka_unit_test(every_split_of_the_bytes_gives_the_same),
        cmocka_unit_test(headers_are_judged),
        cmocka_unit_test(messages_are_judged),
        cmocka_unit_test(headers_that_end_the_stream_have_no_message),
        cmocka_unit_test(an_early_refusal_stops_the_upload),
        cmocka_unit_test(bodies_under_way_have_a_common_ceiling),
        cmocka_unit_test(floods_end_the_connection),
        cmocka_unit_test(frames_spread_over_time_are_no_flood),
        cmocka_unit_test(answered_calls_earn_their_frames),
        cmocka_unit_test(rapid_reset_is_a_flood),
        cmocka_unit_test(rapid_reset_of_nothing_is_a_flood),
        cmocka_unit_test(the_slowest_body_gives_way),
        cmocka_unit_test(answers_under_way_have_a_common_ceiling),
        cmocka_unit_test(resets_do_not_buy_more_handlers),
        cmocka_unit_test(headers_have_a_ceiling),
        cmocka_unit_test(continuations_have_a_ceiling),
        cmocka_unit_test(what_is_not_http2_is_malformed),
        cmocka_unit_test(silence_after_the_handshake_ends),
        cmocka_unit_test(half_headers_end_the_connection),
        cmocka_unit_test(slow_bodies_are_cut),
        cmocka_unit_test(deadlines_pass_while_the_handler_works),
        cmocka_unit_test(undelivered_answers_are_dropped),
        cmocka_unit_test(idle_connections_are_sent_away),
        cmocka_unit_test(dead_peers_are_noticed_by_ping),
        cmocka_unit_test(draining_finishes_after_the_last_call),
        cmocka_unit_test(no_allocation_may_fail_badly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
