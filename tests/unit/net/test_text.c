/* The parts of net/ that are text: addresses, time-outs, messages. */
#include "net/address.h"
#include "net/grpc.h"

#include <arpa/inet.h>

#include "unit.h"

static void
endpoints_are_parsed(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
    } rows[] = {
        { "localhost:1313", "localhost", 1313 },
        { "192.0.2.1:1", "192.0.2.1", 1 },
        { "[::1]:65535", "::1", 65535 },
        { "[2001:db8::1]:07777", "2001:db8::1", 7777 },
        { ":9102", "", 9102 },
        { "a.b-c.example.:80", "a.b-c.example.", 80 },
    };
    struct net_endpoint e;
    struct assay_error err;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_ok(net_endpoint_parse(rows[i].text, false, &e, &err), &err);
        assert_string_equal(e.host, rows[i].host);
        assert_int_equal(e.port, rows[i].port);
    }
    assert_ok(net_endpoint_parse("[::]:0", true, &e, &err), &err);
    assert_int_equal(e.port, 0);
}

static void
broken_endpoints_are_refused(void **state)
{
    static const char *const rows[] = {
        "",           "localhost",
        "localhost:", "localhost:0",
        "x:65536",    "x:-1",
        "x:+1",       "x:1 ",
        "x: 1",       "x:1x",
        "::1:1313",   "2001:db8::1",
        "[::1]",      "[::1]1313",
        "[::1:1313",  "[localhost]:1",
        "[]:1",       "[1.2.3.4]:1",
        "a b:1",      "a\n:1",
        "x:000001",   "x:99999999999999999999",
    };
    struct net_endpoint e = { .port = 7 };
    char longest[300];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (net_endpoint_parse(rows[i], false, &e, NULL) != ASSAY_ERR_MALFORMED)
            fail_msg("\"%s\" was accepted", rows[i]);
    assert_int_equal(e.port, 7);
    memset(longest, 'a', sizeof(longest));
    memcpy(longest + 254, ":1", 3);
    assert_status(net_endpoint_parse(longest, false, &e, NULL),
                  ASSAY_ERR_MALFORMED);
    assert_status(net_endpoint_parse(longest + 1, false, &e, NULL), ASSAY_OK);
}

static void
addresses_have_one_form(void **state)
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                                .sin6_port = htons(80) };
    struct sockaddr_storage back;
    struct net_address a, b;
    char text[NET_ADDRESS_TEXT_SIZE];

    (void)state;
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr),
                     1);
    assert_true(net_address_from_sockaddr((struct sockaddr *)&in6, &a));
    net_address_format(&a, text);
    assert_string_equal(text, "192.0.2.1:80");
    net_address_to_sockaddr(&a, &back);
    assert_int_equal(back.ss_family, AF_INET);

    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr), 1);
    assert_true(net_address_from_sockaddr((struct sockaddr *)&in6, &b));
    net_address_format(&b, text);
    assert_string_equal(text, "[2001:db8::1]:80");
    net_address_format_ip(&b, text);
    assert_string_equal(text, "2001:db8::1");
    assert_false(net_address_same_ip(&a, &b));
    a = (struct net_address){ 0 };
    net_address_format(&a, text);
    assert_string_equal(text, "(unknown)");
}

static void
timeouts_follow_the_protocol(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {
        { "1H", 3600000 },    { "1M", 60000 },
        { "1S", 1000 },       { "1m", 1 },
        { "1000u", 1 },       { "1001u", 2 },
        { "1n", 1 },          { "0m", 0 },
        { "99999999n", 100 }, { "99999999H", UINT64_C(359999996400000) },
    };
    static const char *const broken[] = {
        "",    "m",          "1",    "1s",  "1h",   "1 m", "-1m",
        "+1m", "123456789m", "1.5S", "1mm", "0x1m", " 1m", "1m ",
    };
    uint64_t ms = 7;
    char text[GRPC_TIMEOUT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(grpc_timeout_parse(span_str(rows[i].text), &ms));
        if (ms != rows[i].ms)
            fail_msg("%s: got %ju", rows[i].text, (uintmax_t)ms);
    }
    ms = 7;
    for (size_t i = 0; i < COUNT(broken); i++)
        if (grpc_timeout_parse(span_str(broken[i]), &ms))
            fail_msg("\"%s\" was accepted", broken[i]);
    assert_int_equal(ms, 7);
    grpc_timeout_format(30000, text);
    assert_string_equal(text, "30000m");
    grpc_timeout_format(UINT64_MAX, text);
    assert_string_equal(text, "99999999S");
    grpc_timeout_format(100000001, text); /* rounded up, never early */
    assert_string_equal(text, "100001S");
}

static void
messages_are_percent_encoded(void **state)
{
    static const struct {
        const char *plain, *encoded;
    } rows[] = {
        { "plain text, 100", "plain text, 100" },
        { "100%", "100%25" },
        { "a\nb\x7f", "a%0Ab%7F" },
        { "\xc3\xa4", "%C3%A4" },
        { "", "" },
    };
    static const struct {
        const char *encoded, *plain;
    } lenient[] = {
        { "100%", "100%" }, { "%2", "%2" },   { "%zz", "%zz" },
        { "%2525", "%25" }, { "a%0", "a%0" }, { "%c3%a4", "\xc3\xa4" },
        { "%%41", "%A" },
    };
    struct buffer out;

    (void)state;
    buffer_init(&out, 100, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        buffer_clear(&out);
        grpc_message_encode(span_str(rows[i].plain), &out);
        assert_string_equal(buffer_str(&out), rows[i].encoded);
        buffer_clear(&out);
        grpc_message_decode(span_str(rows[i].encoded), &out);
        assert_string_equal(buffer_str(&out), rows[i].plain);
    }
    for (size_t i = 0; i < COUNT(lenient); i++) {
        buffer_clear(&out);
        grpc_message_decode(span_str(lenient[i].encoded), &out);
        assert_string_equal(buffer_str(&out), lenient[i].plain);
    }
    buffer_free(&out);
}

static void
codes_have_names(void **state)
{
    (void)state;
    for (int code = 0; code < GRPC_CODE_COUNT; code++) {
        assert_non_null(grpc_code_name((enum grpc_code)code));
        assert_non_null(grpc_code_camel((enum grpc_code)code));
    }
    assert_string_equal(grpc_code_name((enum grpc_code)99), "UNKNOWN");
    assert_string_equal(grpc_code_name((enum grpc_code) - 1), "UNKNOWN");
    assert_int_equal(grpc_code_from_http(503), GRPC_UNAVAILABLE);
    assert_int_equal(grpc_code_from_http(404), GRPC_UNIMPLEMENTED);
    assert_int_equal(grpc_code_from_http(302), GRPC_UNKNOWN);
    assert_int_equal(grpc_code_from_h2(7), GRPC_UNAVAILABLE);
    assert_int_equal(grpc_code_from_h2(0), GRPC_INTERNAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_are_parsed),
        cmocka_unit_test(broken_endpoints_are_refused),
        cmocka_unit_test(addresses_have_one_form),
        cmocka_unit_test(timeouts_follow_the_protocol),
        cmocka_unit_test(messages_are_percent_encoded),
        cmocka_unit_test(codes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
