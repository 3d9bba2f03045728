#include "unit.h"

#include "base/buffer.h"

static void
base64_round_trips_every_length(void **state)
{
    uint8_t in[64], out[64];
    char text[100];

    (void)state;
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 37 + 11);
    for (size_t n = 0; n <= sizeof(in); n++) {
        size_t len = sizeof(out);

        base64_encode(span_of(in, n), text);
        assert_int_equal(strlen(text), base64_encoded_len(n));
        assert_true(base64_decode(span_str(text), out, &len));
        assert_int_equal(len, n);
        assert_memory_equal(in, out, n);
    }
}

/* Golden values: RFC 4648 section 10. */
static void
base64_matches_rfc4648(void **state)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };
    char text[16];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        base64_encode(span_str(rows[i][0]), text);
        assert_string_equal(text, rows[i][1]);
    }
}

static void
base64_refuses_what_is_not_canonical(void **state)
{
    static const char *const broken[] = { "Zg",       "Zg=",  "Zh==", "Zm9=",
                                          "Zg==Zg==", "Z===", "====", "Zm 9",
                                          "Zm9v\n",   "Zm-_" };

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        uint8_t out[16];
        size_t len = sizeof(out);

        if (base64_decode(span_str(broken[i]), out, &len))
            fail_msg("accepted \"%s\"", broken[i]);
    }
}

static void
hex_takes_either_case_and_exact_length(void **state)
{
    uint8_t out[2] = { 0 };

    (void)state;
    assert_true(hex_decode(span_str("aBcD"), out, 2));
    assert_hex(span_of(out, 2), "abcd");
    assert_false(hex_decode(span_str("abc"), out, 1));
    assert_false(hex_decode(span_str("abcd"), out, 1));
    assert_false(hex_decode(span_str("ab"), out, 2));
    assert_false(hex_decode(span_str("zz"), out, 1));
}

/* ECMA-48 controls and UAX 9 overrides: what could repaint a terminal. */
static void
what_strangers_write_is_shown_and_not_obeyed(void **state)
{
    static const char *const rows[][2] = {
        { "plain, \xc3\xa9", "plain, \xc3\xa9" },
        { "a\x1b[2Jb", "a\\x1b[2Jb" },
        { "line\nline\r", "line\\x0aline\\x0d" },
        { "\xc2\x9b", "\\xc2\\x9b" },
        { "\xe2\x80\xae"
          "x",
          "\\xe2\\x80\\xaex" },
        { "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
        { "\xff\xc3", "\\xff\\xc3" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer b;

        buffer_init(&b, 1024, NULL);
        buffer_add_escaped(&b, span_str(rows[i][0]));
        assert_string_equal(buffer_str(&b), rows[i][1]);
        buffer_free(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_strangers_write_is_shown_and_not_obeyed),
        cmocka_unit_test(base64_round_trips_every_length),
        cmocka_unit_test(base64_matches_rfc4648),
        cmocka_unit_test(base64_refuses_what_is_not_canonical),
        cmocka_unit_test(hex_takes_either_case_and_exact_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
