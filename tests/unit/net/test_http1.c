/* HTTP/1.1: the parser alone, then server and curl over loopback. */
#include "net/http1_server.h"
#include "net/http_client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "net_test.h"

enum { HEAD_MAX = 200, BODY_MAX = 20 };

static enum assay_status
parse(const char *text, struct http1_request *r, size_t *used, int *status)
{
    return http1_request_parse(span_str(text), HEAD_MAX, BODY_MAX, r, used,
                               status, NULL);
}

static void
a_request_is_read_in_full(void **state)
{
    struct http1_request r;
    size_t used = 99;
    int status = 0;
    const char *text = "POST /vcek/v1/Milan?a=1&b HTTP/1.1\r\n"
                       "Host: x\r\nContent-Type:  text/plain \r\n"
                       "content-length: 3\r\nX-Odd:\r\n\r\nabcGET /";

    (void)state;
    assert_status(parse(text, &r, &used, &status), ASSAY_OK);
    assert_int_equal(used, strlen(text) - 5);
    assert_true(span_equal_str(r.method, "POST"));
    assert_true(span_equal_str(r.path, "/vcek/v1/Milan"));
    assert_true(span_equal_str(r.query, "a=1&b"));
    assert_true(span_equal_str(r.content_type, "text/plain"));
    assert_true(span_equal_str(r.body, "abc"));
    assert_true(span_equal_str(http1_header(&r, "HOST"), "x"));
    assert_int_equal(http1_header(&r, "absent").len, 0);
    assert_true(r.keep_alive);
}

static void
every_cut_asks_for_more(void **state)
{
    const char *text = "POST / HTTP/1.0\r\nConnection: keep-alive\r\n"
                       "Content-Length: 3\r\n\r\nabc";
    struct http1_request r;
    int status = 0;

    (void)state;
    for (size_t n = 0; n <= strlen(text); n++) {
        char *copy = malloc(n + 1); /* exact, for the address sanitizer */
        size_t used = 99;

        memcpy(copy, text, n);
        assert_status(http1_request_parse(span_of(copy, n), HEAD_MAX, BODY_MAX,
                                          &r, &used, &status, NULL),
                      ASSAY_OK);
        assert_int_equal(used, n == strlen(text) ? n : 0);
        free(copy);
    }
}

static void
broken_requests_are_refused(void **state)
{
    static const struct {
        const char *rule;
        const char *text;
        int http_status;
    } rows[] = {
        { "no version", "GET /\r\n\r\n", 400 },
        { "empty first line", "\r\n\r\n", 400 },
        { "two spaces", "GET  / HTTP/1.1\r\n\r\n", 400 },
        { "method is a token", "G(T / HTTP/1.1\r\n\r\n", 400 },
        { "method is short", "GGGGGGGGGGGGGGGGG / HTTP/1.1\r\n\r\n", 400 },
        { "target is a path", "GET http://x/ HTTP/1.1\r\n\r\n", 400 },
        { "control in target", "GET /\x01 HTTP/1.1\r\n\r\n", 400 },
        { "not http", "GET / SPDY/1\r\n\r\n", 400 },
        { "version 2", "GET / HTTP/2.0\r\n\r\n", 505 },
        { "bare LF", "GET / HTTP/1.1\nA: b\r\n\r\n", 400 },
        { "bare LF in header", "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400 },
        { "bare CR", "GET / HTTP/1.1\r\nA: b\rC\r\n\r\n", 400 },
        { "folded header", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400 },
        { "space before colon", "GET / HTTP/1.1\r\nA : b\r\n\r\n", 400 },
        { "no colon", "GET / HTTP/1.1\r\nA\r\n\r\n", 400 },
        { "empty name", "GET / HTTP/1.1\r\n: b\r\n\r\n", 400 },
        { "length twice",
          "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
          400 },
        { "length with sign", "GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\na",
          400 },
        { "length list", "GET / HTTP/1.1\r\nContent-Length: 1,1\r\n\r\na",
          400 },
        { "no length", "GET / HTTP/1.1\r\nContent-Length: \r\n\r\n", 400 },
        { "absurd length",
          "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
          400 },
        { "large body", "GET / HTTP/1.1\r\nContent-Length: 21\r\n\r\n", 413 },
        { "chunked", "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
          501 },
    };
    struct http1_request r;
    size_t used;
    int status;
    char big[HEAD_MAX + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        status = 0;
        if (parse(rows[i].text, &r, &used, &status) == ASSAY_OK ||
            status != rows[i].http_status)
            fail_msg("%s: got %d, want %d", rows[i].rule, status,
                     rows[i].http_status);
    }
    memset(big, 'a', HEAD_MAX);
    big[HEAD_MAX] = '\0';
    assert_status(parse(big, &r, &used, &status), ASSAY_ERR_LIMIT);
    assert_int_equal(status, 431);
}

/* -- Over loopback: the server in the main thread, clients in another -- */

struct site {
    struct loop *loop;
    struct http1_server *server;
    struct http1_exchange *kept;
    char base[NET_ADDRESS_TEXT_SIZE + 8];
    struct net_address address;
    void (*client)(struct site *s);
    struct loop_timer *poll;
    _Atomic bool done;
    pthread_t thread;
};

static void
handle(void *ctx, struct http1_exchange *x)
{
    struct site *s = ctx;
    const struct http1_request *r = http1_exchange_request(x);
    struct http1_response response = { .status = 200,
                                       .content_type = "text/plain",
                                       .body = r->body };

    if (span_equal_str(r->path, "/slow")) {
        s->kept = x;
        return;
    }
    if (span_equal_str(r->path, "/busy")) {
        response.status = 429;
        response.extra_headers = "Retry-After: 10\r\n";
    } else if (span_equal_str(r->path, "/move")) {
        response.status = 302;
        response.extra_headers = "Location: /query\r\n";
    } else if (span_equal_str(r->path, "/cut")) {
        http1_reply_raw(x, span_str("HTTP/1.1 200 OK\r\n"
                                    "Content-Length: 9\r\n\r\nabc"));
        return;
    } else if (span_equal_str(r->path, "/query")) {
        response.body = r->query;
    }
    http1_reply(x, &response);
}

static void *
client_thread(void *ctx)
{
    struct site *s = ctx;

    s->client(s);
    s->done = true;
    return NULL;
}

static void
stop_when_done(void *ctx)
{
    struct site *s = ctx;

    if (s->done)
        loop_stop(s->loop);
}

static void
with_site(void (*client)(struct site *s))
{
    struct site s = { .client = client };
    struct http1_server_config config = { .listen = "127.0.0.1:0",
                                          .handle = handle,
                                          .handler_ctx = &s };
    struct assay_error err;
    char text[NET_ADDRESS_TEXT_SIZE];

    http1_limits_default(&config.limits);
    config.limits.request_ms = 200;
    assert_ok(loop_new(&s.loop, &err), &err);
    assert_ok(http1_server_new(s.loop, &config, &s.server, &err), &err);
    s.address = http1_server_address(s.server);
    net_address_format(&s.address, text);
    (void)snprintf(s.base, sizeof(s.base), "http://%s", text);
    assert_ok(loop_timer_new(s.loop, false, stop_when_done, &s, &s.poll, &err),
              &err);
    loop_timer_start(s.poll, 1, 1);
    assert_int_equal(pthread_create(&s.thread, NULL, client_thread, &s), 0);
    loop_run(s.loop);
    assert_int_equal(pthread_join(s.thread, NULL), 0);
    loop_timer_free(s.poll);
    http1_server_free(s.server);
    if (s.kept)
        http1_reply(s.kept, &(struct http1_response){ .status = 200 });
    loop_free(s.loop);
}

static enum assay_status
get(struct site *s, const char *path, size_t limit, struct http_reply *reply,
    char *text, struct assay_error *err)
{
    char url[128];
    struct http_get request = { .url = url,
                                .accept = "text/plain",
                                .total_timeout_ms = 500 };
    struct buffer body;
    enum assay_status st;

    (void)snprintf(url, sizeof(url), "%s%s", s->base, path);
    buffer_init(&body, limit, NULL);
    st = http_get(&request, reply, &body, err);
    (void)snprintf(text, 64, "%s", buffer_str(&body));
    buffer_free(&body);
    return st;
}

static void
curl_gets_answers(struct site *s)
{
    struct http_reply reply;
    struct assay_error err;
    char text[64];

    assert_ok(get(s, "/query?hello", 100, &reply, text, &err), &err);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.retry_after_s, -1);
    assert_string_equal(reply.content_type, "text/plain");
    assert_string_equal(text, "hello");
    assert_ok(get(s, "/busy", 100, &reply, text, &err), &err);
    assert_int_equal(reply.status, 429);
    assert_int_equal(reply.retry_after_s, 10);
    assert_ok(get(s, "/move", 100, &reply, text, &err), &err);
    assert_int_equal(reply.status, 302);
    assert_status(get(s, "/query?hello", 4, &reply, text, &err),
                  ASSAY_ERR_LIMIT);
    assert_status(get(s, "/cut", 100, &reply, text, &err), ASSAY_ERR_IO);
    assert_status(get(s, "/slow", 100, &reply, text, &err), ASSAY_ERR_IO);
}

static void
get_over_loopback(void **state)
{
    (void)state;
    with_site(curl_gets_answers);
}

/* Sends bytes, returns what comes back until the server hangs up. */
static size_t
exchange_raw(struct site *s, const char *bytes, char *out, size_t cap)
{
    struct sockaddr_storage sa;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t got = 0;
    ssize_t n;

    net_address_to_sockaddr(&s->address, &sa);
    assert_int_equal(
        connect(fd, (struct sockaddr *)&sa, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
    while ((n = read(fd, out + got, cap - 1 - got)) > 0)
        got += (size_t)n;
    out[got] = '\0';
    (void)close(fd);
    return got;
}

static void
raw_clients(struct site *s)
{
    char out[1024];

    (void)exchange_raw(s,
                       "GET /a HTTP/1.1\r\n\r\nHEAD /query?bb HTTP/1.1\r\n"
                       "Connection: close\r\n\r\n",
                       out, sizeof(out));
    assert_non_null(strstr(out, "Content-Length: 0\r\n"));
    assert_non_null(strstr(out, "Content-Length: 2\r\nConnection: close"));
    assert_null(strstr(out, "bb"));
    (void)exchange_raw(s, "GARBAGE\r\n\r\n", out, sizeof(out));
    assert_non_null(strstr(out, "HTTP/1.1 400 Bad Request\r\n"));
    /* slow loris: no answer, hung up on in time */
    assert_int_equal(exchange_raw(s, "GET / HTTP/1.1\r\nHo", out, sizeof(out)),
                     0);
}

static void
pipelines_garbage_and_slow_loris(void **state)
{
    (void)state;
    with_site(raw_clients);
}

static void
schemes_other_than_http_are_refused(void **state)
{
    static const char *const urls[] = { "file:///etc/passwd", "ftp://x/",
                                        "gopher://x/", "not a url" };
    struct http_reply reply;
    struct buffer body;
    struct assay_error err;

    (void)state;
    buffer_init(&body, 10, NULL);
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct http_get request = { .url = urls[i] };

        assert_status(http_get(&request, &reply, &body, &err),
                      ASSAY_ERR_UNSUPPORTED);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_in_full),
        cmocka_unit_test(every_cut_asks_for_more),
        cmocka_unit_test(broken_requests_are_refused),
        cmocka_unit_test(get_over_loopback),
        cmocka_unit_test(pipelines_garbage_and_slow_loris),
        cmocka_unit_test(schemes_other_than_http_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
