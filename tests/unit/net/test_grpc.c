/* Client and server over loopback, in one loop. */
#include "net/grpc_client.h"
#include "net/grpc_server.h"

#include <stdio.h>

#include "net_test.h"

struct world {
    struct loop *loop;
    struct grpc_server *server;
    struct grpc_server_config config;
    struct test_tls server_tls, client_tls;
    char target[NET_ADDRESS_TEXT_SIZE];
    /* what the observer saw */
    int started, handled, refused;
    enum grpc_code handled_code;
    struct assay_error refused_why;
    /* what the client got */
    struct grpc_channel *channel;
    int answers, wanted;
    struct grpc_outcome last;
    char message[256];
    uint8_t response[64];
    size_t response_len;
    /* a call the handler keeps */
    struct grpc_call *kept;
    int worked;
};

static void
handle_echo(void *ctx, struct grpc_call *call)
{
    struct world *w = ctx;

    w->worked++;
    grpc_call_reply(call, GRPC_OK, NULL, grpc_call_request(call));
}

static void
handle_refuse(void *ctx, struct grpc_call *call)
{
    (void)ctx;
    grpc_call_reply(call, GRPC_PERMISSION_DENIED, "100% denied:\nsee \xc3\xa4",
                    (struct span){ 0 });
}

static void
handle_keep(void *ctx, struct grpc_call *call)
{
    struct world *w = ctx;

    w->kept = call;
}

static void
sleepless_work(void *ctx)
{
    struct grpc_call *call = ctx;

    (void)SSL_get_ex_data(grpc_call_ssl(call), 0);
}

static void
work_done(void *ctx)
{
    grpc_call_reply(ctx, GRPC_OK, NULL, span_str("worked"));
}

static void
handle_work(void *ctx, struct grpc_call *call)
{
    (void)ctx;
    assert_int_equal(
        loop_work(grpc_call_loop(call), sleepless_work, work_done, call, NULL),
        ASSAY_OK);
}

static const struct grpc_method methods[] = {
    { "/test.T/Echo", handle_echo, 0 },
    { "/test.T/Refuse", handle_refuse, 16 },
    { "/test.T/Keep", handle_keep, 0 },
    { "/test.T/Work", handle_work, 0 },
};

static void
saw_started(void *ctx, const char *path)
{
    struct world *w = ctx;

    (void)path;
    w->started++;
}

static void
saw_handled(void *ctx, const char *path, enum grpc_code code, uint64_t us)
{
    struct world *w = ctx;

    (void)path, (void)us;
    w->handled++;
    w->handled_code = code;
}

static void
saw_refused(void *ctx, const struct net_address *peer,
            const struct assay_error *why)
{
    struct world *w = ctx;

    assert_int_equal(peer->ip_len, 4);
    w->refused++;
    w->refused_why = *why;
}

static void
world_prepare(struct world *w)
{
    struct assay_error err;

    *w = (struct world){ 0 };
    assert_ok(loop_new(&w->loop, &err), &err);
    test_tls_init(&w->server_tls, true);
    test_tls_init(&w->client_tls, false);
    w->config = (struct grpc_server_config){
        .listen = "127.0.0.1:0",
        .tls = &w->server_tls.hooks,
        .methods = methods,
        .method_count = COUNT(methods),
        .handler_ctx = w,
        .observer = { saw_started, saw_handled, saw_refused, w },
    };
    w->server_tls.hooks.ctx = &w->server_tls;
    w->client_tls.hooks.ctx = &w->client_tls;
    SSL_CTX_set_cert_verify_callback(w->server_tls.ctx, test_verify,
                                     &w->server_tls);
    grpc_limits_default(&w->config.limits);
}

static void
world_serve(struct world *w)
{
    struct assay_error err;
    struct net_address address;

    assert_ok(grpc_server_new(w->loop, &w->config, &w->server, &err), &err);
    address = grpc_server_address(w->server);
    net_address_format(&address, w->target);
}

static void
world_end(struct world *w)
{
    grpc_channel_free(w->channel);
    grpc_server_free(w->server);
    loop_free(w->loop);
    test_tls_free(&w->server_tls);
    test_tls_free(&w->client_tls);
}

static void
answered(void *ctx, const struct grpc_outcome *outcome)
{
    struct world *w = ctx;

    w->last = *outcome;
    (void)snprintf(w->message, sizeof(w->message), "%s",
                   outcome->status == ASSAY_OK ? outcome->message
                                               : outcome->error.text);
    w->response_len = outcome->response.len;
    if (outcome->response.len <= sizeof(w->response) && outcome->response.len)
        memcpy(w->response, outcome->response.ptr, outcome->response.len);
    if (++w->answers >= w->wanted)
        loop_stop(w->loop);
}

static void
open_channel(struct world *w, bool plain)
{
    const struct grpc_client_config config = {
        .target = w->target,
        .tls = plain ? NULL : &w->client_tls.hooks,
    };
    struct assay_error err;

    assert_ok(grpc_channel_new(w->loop, &config, &w->channel, &err), &err);
}

static void
call(struct world *w, const char *path, struct span request,
     uint64_t deadline_ms)
{
    struct assay_error err;

    if (!w->channel)
        open_channel(w, !w->config.tls);
    w->wanted = w->answers + 1;
    assert_ok(grpc_channel_call(w->channel, path, request, deadline_ms,
                                answered, w, &err),
              &err);
    loop_run(w->loop);
}

static void
assert_answer(const struct world *w, enum grpc_code code, const char *message)
{
    if (w->last.status != ASSAY_OK)
        fail_msg("no answer: %s", w->message);
    if (w->last.code != code)
        fail_msg("got %s (%s), want %s", grpc_code_name(w->last.code),
                 w->message, grpc_code_name(code));
    if (message)
        assert_string_equal(w->message, message);
}

static void
a_call_is_answered(void **state)
{
    struct world w;

    (void)state;
    for (int plain = 0; plain < 2; plain++) {
        world_prepare(&w);
        if (plain)
            w.config.tls = NULL;
        world_serve(&w);
        call(&w, "/test.T/Echo", span_str("hello"), 0);
        assert_answer(&w, GRPC_OK, "");
        assert_int_equal(w.response_len, 5);
        assert_memory_equal(w.response, "hello", 5);
        call(&w, "/test.T/Echo", (struct span){ 0 }, 5000);
        assert_answer(&w, GRPC_OK, "");
        assert_int_equal(w.response_len, 0);
        assert_int_equal(w.started, 2);
        assert_int_equal(w.handled, 2);
        world_end(&w);
    }
}

static void
large_messages_pass_both_ways(void **state)
{
    struct world w;
    const size_t size = 3 * 1024 * 1024;
    uint8_t *big = malloc(size);

    (void)state;
    memset(big, 'x', size);
    world_prepare(&w);
    world_serve(&w);
    call(&w, "/test.T/Echo", span_of(big, size), 0);
    assert_answer(&w, GRPC_OK, "");
    assert_int_equal(w.response_len, size);
    world_end(&w);
    free(big);
}

static void
errors_carry_code_and_message(void **state)
{
    struct world w;

    (void)state;
    world_prepare(&w);
    world_serve(&w);
    call(&w, "/test.T/Refuse", span_str("x"), 0);
    /* control characters and bytes beyond ASCII never reach a terminal */
    assert_answer(&w, GRPC_PERMISSION_DENIED, "100% denied:?see ??");
    call(&w, "/test.T/Unknown", span_str("x"), 0);
    assert_answer(&w, GRPC_UNIMPLEMENTED, "unknown service or method");
    call(&w, "/test.T/Refuse", span_str("more than sixteen bytes"), 0);
    assert_answer(&w, GRPC_RESOURCE_EXHAUSTED,
                  "request: 23 bytes, want at most 16");
    call(&w, "/test.T/Work", span_str("x"), 0);
    assert_answer(&w, GRPC_OK, "");
    assert_memory_equal(w.response, "worked", 6);
    world_end(&w);
}

static void
deadlines_end_calls_on_both_sides(void **state)
{
    struct world w;

    (void)state;
    world_prepare(&w);
    world_serve(&w);
    call(&w, "/test.T/Keep", span_str("x"), 100);
    /* either side may notice first */
    assert_int_equal(w.last.code, GRPC_DEADLINE_EXCEEDED);
    while (w.handled == 0 || !grpc_call_cancelled(w.kept))
        call(&w, "/test.T/Echo", span_str("x"), 0);
    grpc_call_reply(w.kept, GRPC_OK, NULL, span_str("too late"));
    call(&w, "/test.T/Echo", span_str("x"), 0);
    assert_answer(&w, GRPC_OK, "");
    world_end(&w);
}

static void
late_reply_to_a_dead_connection_is_dropped(void **state)
{
    struct world w;
    struct grpc_call *kept;

    (void)state;
    world_prepare(&w);
    world_serve(&w);
    call(&w, "/test.T/Keep", span_str("x"), 50);
    grpc_channel_free(w.channel);
    w.channel = NULL;
    call(&w, "/test.T/Echo", span_str("x"), 0); /* another connection */
    kept = w.kept;
    assert_true(grpc_call_cancelled(kept));
    assert_non_null(grpc_call_ssl(kept));
    assert_int_equal(grpc_call_peer(kept)->ip_len, 4);
    grpc_server_free(w.server);
    w.server = NULL;
    call(&w, "/test.T/Echo", span_str("x"), 1000);
    assert_int_equal(w.last.status, ASSAY_ERR_IO);
    assert_memory_equal(grpc_call_request(kept).ptr, "x", 1);
    grpc_call_reply(kept, GRPC_OK, NULL, span_str("too late"));
    world_end(&w);
}

static void
nobody_listening_is_said_plainly(void **state)
{
    struct world w;
    char want[120];
    enum grpc_code code = GRPC_OK;
    struct buffer response;
    struct assay_error err;

    (void)state;
    world_prepare(&w);
    world_serve(&w);
    grpc_server_free(w.server);
    w.server = NULL;
    loop_run(w.loop);
    buffer_init(&response, 100, NULL);
    const struct grpc_client_config config = { .target = w.target };

    assert_status(grpc_client_call(&config, "/x", (struct span){ 0 }, 1000,
                                   &response, &code, &err),
                  ASSAY_ERR_IO);
    (void)snprintf(want, sizeof(want), "connect %s: connection refused",
                   w.target);
    assert_string_equal(err.text, want);
    world_end(&w);
}

static void
verifier_s_sentence_reaches_the_user(void **state)
{
    struct world w;

    (void)state;
    world_prepare(&w);
    w.client_tls.refuse = "measurement: got 00, want 11";
    SSL_CTX_set_cert_verify_callback(w.client_tls.ctx, test_verify,
                                     &w.client_tls);
    world_serve(&w);
    call(&w, "/test.T/Echo", span_str("x"), 0);
    assert_int_equal(w.last.status, ASSAY_ERR_UNTRUSTED);
    assert_string_equal(w.message, "measurement: got 00, want 11");
    grpc_channel_free(w.channel);
    w.channel = NULL;

    w.client_tls.refuse = NULL;
    w.server_tls.refuse = "old tcb";
    call(&w, "/test.T/Echo", span_str("x"), 0);
    assert_int_equal(w.last.status, ASSAY_ERR_IO);
    assert_string_equal(w.message,
                        "TLS: peer refused with alert \"handshake failure\"");
    while (w.refused < 2) { /* also the first, by our alert */
        grpc_channel_free(w.channel);
        w.channel = NULL;
        call(&w, "/test.T/Echo", span_str("x"), 0);
    }
    assert_int_equal(w.refused_why.status, ASSAY_ERR_UNTRUSTED);
    assert_string_equal(w.refused_why.text, "old tcb");
    world_end(&w);
}

static void
stopped(void *ctx)
{
    struct world *w = ctx;

    w->worked = 1000;
    if (w->answers >= w->wanted)
        loop_stop(w->loop);
}

static void
stopping_lets_calls_finish(void **state)
{
    struct world w;
    struct assay_error err;

    (void)state;
    world_prepare(&w);
    world_serve(&w);
    call(&w, "/test.T/Echo", span_str("x"), 0);
    w.wanted = w.answers + 1;
    assert_ok(grpc_channel_call(w.channel, "/test.T/Keep", span_str("x"), 0,
                                answered, &w, &err),
              &err);
    while (!w.kept)
        (void)call(&w, "/test.T/Echo", span_str("x"), 0);
    w.wanted = w.answers + 1;
    grpc_server_stop(w.server, 60000, stopped, &w);
    grpc_call_reply(w.kept, GRPC_OK, NULL, span_str("done"));
    loop_run(w.loop);
    assert_answer(&w, GRPC_OK, "");
    assert_memory_equal(w.response, "done", 4);
    while (w.worked != 1000)
        loop_run(w.loop);
    assert_int_equal(grpc_server_connections(w.server), 0);
    world_end(&w);
}

static void
stopping_cuts_what_does_not_finish(void **state)
{
    struct world w;
    struct assay_error err;

    (void)state;
    world_prepare(&w);
    world_serve(&w);
    open_channel(&w, false);
    assert_ok(grpc_channel_call(w.channel, "/test.T/Keep", span_str("x"), 0,
                                answered, &w, &err),
              &err);
    while (!w.kept)
        call(&w, "/test.T/Echo", span_str("x"), 0);
    w.wanted = w.answers + 1;
    grpc_server_stop(w.server, 50, stopped, &w);
    while (w.worked != 1000 || w.answers < w.wanted)
        loop_run(w.loop);
    assert_int_equal(w.last.status, ASSAY_ERR_IO);
    assert_true(grpc_call_cancelled(w.kept));
    grpc_call_reply(w.kept, GRPC_OK, NULL, span_str("too late"));
    world_end(&w);
}

static void
connections_at_work_have_a_ceiling(void **state)
{
    struct world w;
    struct grpc_channel *first;
    struct assay_error err;

    (void)state;
    world_prepare(&w);
    w.config.limits.connections_per_peer = 1;
    world_serve(&w);
    open_channel(&w, false);
    assert_ok(grpc_channel_call(w.channel, "/test.T/Keep", span_str("x"), 0,
                                answered, &w, &err),
              &err);
    while (!w.kept)
        call(&w, "/test.T/Echo", span_str("x"), 0);
    first = w.channel;
    w.channel = NULL;
    call(&w, "/test.T/Echo", span_str("x"), 0);
    assert_int_equal(w.last.status, ASSAY_ERR_IO);
    assert_int_equal(w.refused_why.status, ASSAY_ERR_LIMIT);
    assert_non_null(strstr(w.refused_why.text, "all at work"));
    grpc_channel_free(w.channel);
    grpc_channel_free(first);
    w.channel = NULL;
    grpc_call_reply(w.kept, GRPC_OK, NULL, span_str("too late"));
    world_end(&w);
}

static void
idle_connections_give_way(void **state)
{
    struct world w;
    struct grpc_channel *first;

    (void)state;
    world_prepare(&w);
    w.config.limits.connections_max = 1;
    world_serve(&w);
    call(&w, "/test.T/Echo", span_str("x"), 0);
    assert_answer(&w, GRPC_OK, "");
    first = w.channel;
    w.channel = NULL;
    call(&w, "/test.T/Echo", span_str("x"), 0);
    assert_answer(&w, GRPC_OK, "");
    assert_int_equal(w.refused_why.status, ASSAY_ERR_LIMIT);
    assert_non_null(strstr(w.refused_why.text, "gave way"));
    grpc_channel_free(first);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_answered),
        cmocka_unit_test(large_messages_pass_both_ways),
        cmocka_unit_test(errors_carry_code_and_message),
        cmocka_unit_test(deadlines_end_calls_on_both_sides),
        cmocka_unit_test(late_reply_to_a_dead_connection_is_dropped),
        cmocka_unit_test(nobody_listening_is_said_plainly),
        cmocka_unit_test(verifier_s_sentence_reaches_the_user),
        cmocka_unit_test(stopping_lets_calls_finish),
        cmocka_unit_test(stopping_cuts_what_does_not_finish),
        cmocka_unit_test(connections_at_work_have_a_ceiling),
        cmocka_unit_test(idle_connections_give_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
