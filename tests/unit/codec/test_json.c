#include "unit.h"

#include "codec/json.h"

enum { BUDGET = 1 << 20 };

static struct assay_error err;

static enum assay_status
parse(struct arena *a, const char *text, const struct json_options *opts,
      struct json *out)
{
    return json_parse(span_str(text), opts, a, out, &err);
}

/* Parses, writes on one line, compares. */
static void
expect_written(const char *text, const char *want)
{
    struct arena a;
    struct buffer out;
    struct json value;
    struct json_writer w;

    arena_init(&a, BUDGET, NULL);
    buffer_init(&out, BUDGET, NULL);
    assert_ok(parse(&a, text, NULL, &value), &err);
    w = json_writer_over(&out, 0);
    jw_value(&w, &value);
    assert_ok(buffer_check(&out, "out", &err), &err);
    assert_string_equal(buffer_str(&out), want);
    buffer_free(&out);
    arena_drop(&a);
}

static void
values_come_back_as_written(void **state)
{
    static const char *const rows[][2] = {
        { "null", "null" },
        { " true ", "true" },
        { "\t\r\n[ ]\n", "[]" },
        { "{ }", "{}" },
        { "[1 , 2,3]", "[1,2,3]" },
        { "{\"b\":1,\"a\":[{},[]]}", "{\"b\":1,\"a\":[{},[]]}" },
        { "\"\\u0041\\/\\\"\\\\\\n\"", "\"A/\\\"\\\\\\n\"" },
        { "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
        { "\"\\u0000\\u001f\\u007f\\u009b\"",
          "\"\\u0000\\u001f\\u007f\\u009b\"" },
        { "\"\xc3\xa9\xe2\x82\xac\"", "\"\xc3\xa9\xe2\x82\xac\"" },
        { "-0.10e+05", "-0.10e+05" },
        { "123456789012345678901234567890", "123456789012345678901234567890" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_written(rows[i][0], rows[i][1]);
}

/* Each row breaks one rule; the sentence names where and what. */
static void
broken_texts_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } broken[] = {
        { "", "json:1:1: the text ends, want a value" },
        { " ", "json:1:2: the text ends, want a value" },
        { "nul", "json:1:1: got 'n', want a value" },
        { "True", "json:1:1: got 'T', want a value" },
        { "1 2", "json:1:3: got '2', want the end of the text" },
        { "{} x", "json:1:4: got 'x', want the end of the text" },
        { "01", "json:1:2: got '1', want no digit after a leading zero" },
        { "-", "json:1:2: the text ends, want a digit" },
        { "+1", "json:1:1: got '+', want a value" },
        { ".5", "json:1:1: got '.', want a value" },
        { "1.", "json:1:3: the text ends, want a digit" },
        { "1.e3", "json:1:3: got 'e', want a digit" },
        { "1e", "json:1:3: the text ends, want a digit" },
        { "1e+", "json:1:4: the text ends, want a digit" },
        { "0x10", "json:1:2: got 'x', want the end of the text" },
        { "NaN", "json:1:1: got 'N', want a value" },
        { "[1,]", "json:1:4: [1]: got ']', want a value" },
        { "[1 2]", "json:1:4: [0]: got '2', want ',' or ']'" },
        { "[", "json:1:2: [0]: the text ends, want a value" },
        { "[1", "json:1:3: [0]: the text ends, want ',' or ']'" },
        { "]", "json:1:1: got ']', want a value" },
        { "{\"a\"}", "json:1:5: a: got '}', want ':'" },
        { "{\"a\":}", "json:1:6: a: got '}', want a value" },
        { "{\"a\":1,}", "json:1:8: got '}', want a string" },
        { "{a:1}", "json:1:2: got 'a', want a string" },
        { "{\"a\":1", "json:1:7: a: the text ends, want ',' or '}'" },
        { "{\"a\":[{\"b\":01}]}",
          "json:1:13: a[0].b: got '1', want no digit after a leading zero" },
        { "// x\n1", "json:1:1: got '/', want a value" },
        { "\xef\xbb\xbf{}", "json:1:1: got byte 0xef, want a value" },
        { "\"a", "json:1:1: the string does not end" },
        { "\"a\\\"", "json:1:1: the string does not end" },
        { "\"\\x41\"", "json:1:3: got 'x', want an escape" },
        { "\"\\u12g4\"", "json:1:6: got 'g', want four hex digits" },
        { "\"\\u12\"", "json:1:6: got '\"', want four hex digits" },
        { "\"\\ud800\"", "json:1:4: high surrogate without a low one" },
        { "\"\\ud800\\u0041\"", "json:1:4: high surrogate without a low one" },
        { "\"\\ud800\\n\"", "json:1:4: high surrogate without a low one" },
        { "\"\\udc00\"", "json:1:4: low surrogate without a high one" },
        { "\"\n\"", "json:1:2: got byte 0x0a, want no control byte" },
        { "\"\x80\"", "json:1:2: got byte 0x80, want UTF-8" },
        { "\"\xc0\x80\"", "json:1:2: got byte 0xc0, want UTF-8" },
        { "\"\xe0\x80\x80\"", "json:1:2: got byte 0xe0, want UTF-8" },
        { "\"\xed\xa0\x80\"", "json:1:2: got byte 0xed, want UTF-8" },
        { "\"\xf4\x90\x80\x80\"", "json:1:2: got byte 0xf4, want UTF-8" },
        { "\"\xe2\x82\"", "json:1:2: got byte 0xe2, want UTF-8" },
        { "{\"\xff\":1}", "json:1:3: got byte 0xff, want UTF-8" },
        { "{\"a\":1,\n \"a\":2}", "json:2:6: a: key given twice" },
        { "{\"x\":[{\"a\":1,\"\\u0061\":2}]}",
          "json:1:23: x[0].a: key given twice" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct json out = { .type = JSON_ARRAY, .count = 77 };
        struct arena a;

        arena_init(&a, BUDGET, NULL);
        assert_status(parse(&a, broken[i].text, NULL, &out),
                      ASSAY_ERR_MALFORMED);
        if (strncmp(err.text, broken[i].says, strlen(broken[i].says)) != 0)
            fail_msg("%s\n got  %s\n want %s", broken[i].text, err.text,
                     broken[i].says);
        assert_int_equal(out.count, 77);
        arena_drop(&a);
    }
}

static void
a_nul_byte_in_the_text_is_no_end(void **state)
{
    static const char text[] = "{}\0{}";
    struct json out;
    struct arena a;

    (void)state;
    arena_init(&a, BUDGET, NULL);
    assert_status(
        json_parse(span_of(text, sizeof(text) - 1), NULL, &a, &out, &err),
        ASSAY_ERR_MALFORMED);
    assert_string_equal(err.text,
                        "json:1:3: got byte 0x00, want the end of the text");
    arena_drop(&a);
}

static void
keys_differing_in_case_are_refused_on_request(void **state)
{
    static const char *const twins[] = {
        "{\"Policies\":1,\"policies\":2}",
        "{\"tasks\":1,\"ta\xc5\xbf"
        "ks\":2}",
        "{\"kelvin\":1,\"\xe2\x84\xaa"
        "elvin\":2}",
        "{\"a\":0,\"b\":0,\"c\":0,\"D\":0,\"e\":0,\"f\":0,\"d\":0}",
    };
    const struct json_options any = { .duplicates = JSON_DUPLICATES_ANY_CASE };
    struct arena a;
    struct json out;

    (void)state;
    arena_init(&a, BUDGET, NULL);
    for (size_t i = 0; i < COUNT(twins); i++) {
        assert_ok(parse(&a, twins[i], NULL, &out), &err);
        assert_status(parse(&a, twins[i], &any, &out), ASSAY_ERR_MALFORMED);
        assert_non_null(strstr(err.text, "key given twice"));
    }
    assert_ok(parse(&a, "{\"a\":1,\"ab\":2,\"b\":3,\"\":4}", &any, &out), &err);
    arena_drop(&a);
}

static void
the_last_duplicate_wins_on_request(void **state)
{
    const struct json_options last = { .duplicates =
                                           JSON_DUPLICATES_LAST_WINS };
    struct arena a;
    struct json out;
    uint64_t n;

    (void)state;
    arena_init(&a, BUDGET, NULL);
    assert_ok(parse(&a, "{\"a\":1,\"A\":2,\"a\":3}", &last, &out), &err);
    assert_int_equal(out.count, 3);
    assert_true(json_u64(json_get(&out, "A"), &n));
    assert_int_equal(n, 2);
    assert_true(json_u64(json_get_fold(&out, "A"), &n));
    assert_int_equal(n, 3);
    assert_null(json_get(&out, "b"));
    assert_null(json_get(NULL, "b"));
    assert_null(json_get(json_get(&out, "a"), "b"));
    arena_drop(&a);
}

static void
integers_are_exact_or_refused(void **state)
{
    static const struct {
        const char *text;
        bool fits_u, fits_i;
        uint64_t u;
        int64_t i;
    } rows[] = {
        { "0", true, true, 0, 0 },
        { "-0", false, true, 0, 0 },
        { "255", true, true, 255, 255 },
        { "-1", false, true, 0, -1 },
        { "9007199254740993", true, true, 9007199254740993u, 9007199254740993 },
        { "9223372036854775807", true, true, INT64_MAX, INT64_MAX },
        { "9223372036854775808", true, false, 9223372036854775808u, 0 },
        { "-9223372036854775808", false, true, 0, INT64_MIN },
        { "-9223372036854775809", false, false, 0, 0 },
        { "18446744073709551615", true, false, UINT64_MAX, 0 },
        { "18446744073709551616", false, false, 0, 0 },
        { "99999999999999999999999", false, false, 0, 0 },
        { "1.0", false, false, 0, 0 },
        { "1e2", false, false, 0, 0 },
        { "\"1\"", false, false, 0, 0 },
        { "null", false, false, 0, 0 },
        { "true", false, false, 0, 0 },
    };
    struct arena a;

    (void)state;
    arena_init(&a, BUDGET, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json v;
        uint64_t u = 0;
        int64_t n = 0;

        assert_ok(parse(&a, rows[i].text, NULL, &v), &err);
        if (json_u64(&v, &u) != rows[i].fits_u || u != rows[i].u)
            fail_msg("%s as u64: %llu", rows[i].text, (unsigned long long)u);
        if (json_i64(&v, &n) != rows[i].fits_i || n != rows[i].i)
            fail_msg("%s as i64: %lld", rows[i].text, (long long)n);
    }
    arena_drop(&a);
}

static void
limits_hold(void **state)
{
    enum { DEEP = 100000 };
    const struct json_options few = { .max_values = 3 };
    const struct json_options flat = { .max_depth = 1 };
    const struct json_options small = { .max_bytes = 4, .name = "x.json" };
    char *bomb = malloc(DEEP + 1);
    struct arena a;
    struct json out;

    (void)state;
    assert_non_null(bomb);
    arena_init(&a, BUDGET, NULL);
    memset(bomb, '[', DEEP);
    bomb[DEEP] = '\0';
    assert_status(parse(&a, bomb, NULL, &out), ASSAY_ERR_LIMIT);
    assert_non_null(strstr(err.text, "nested deeper than 64"));
    for (size_t i = 0; i + 4 < DEEP; i += 5)
        memcpy(bomb + i, "{\"a\":", 5);
    assert_status(parse(&a, bomb, NULL, &out), ASSAY_ERR_LIMIT);
    assert_ok(parse(&a, "[1,2]", &few, &out), &err);
    assert_status(parse(&a, "[1,2,3]", &few, &out), ASSAY_ERR_LIMIT);
    assert_ok(parse(&a, "[1]", &flat, &out), &err);
    assert_status(parse(&a, "[[]]", &flat, &out), ASSAY_ERR_LIMIT);
    assert_string_equal(err.text, "json:1:2: [0]: nested deeper than 1");
    assert_ok(parse(&a, "1234", &small, &out), &err);
    assert_status(parse(&a, "12345", &small, &out), ASSAY_ERR_LIMIT);
    assert_string_equal(err.text, "x.json: 5 bytes, at most 4");
    memset(bomb, '[', 64);
    memset(bomb + 64, ']', 64);
    bomb[128] = '\0';
    assert_ok(parse(&a, bomb, NULL, &out), &err);
    free(bomb);
    arena_drop(&a);
}

static const char sample[] =
    "{\"Policies\":{\"00ff\":{\"SANs\":[\"web\",\"*\"],\"Role\":\"\\u00e9\"}},"
    "\"list\":[null,true,false,-1.5e3,18446744073709551615,{\"\":{}}]}";

static void
every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(sample) - 1; n++) {
        struct json out;
        struct arena a;

        arena_init(&a, BUDGET, NULL);
        assert_status(json_parse(span_of(sample, n), NULL, &a, &out, &err),
                      ASSAY_ERR_MALFORMED);
        arena_drop(&a);
    }
}

static void
each_failing_allocation_is_reported(void **state)
{
    enum assay_status st;
    size_t n = 0;

    (void)state;
    do {
        struct failing_alloc f;
        struct arena a;
        struct json out;

        failing_alloc_init(&f, n++);
        arena_init(&a, BUDGET, &f.alloc);
        st = json_parse(span_str(sample), NULL, &a, &out, &err);
        arena_drop(&a);
        assert_int_equal(f.live, 0);
        if (st != ASSAY_OK)
            assert_status(st, ASSAY_ERR_NOMEM);
    } while (st != ASSAY_OK);
    assert_true(n > 4);
    for (size_t budget = 0;; budget += 16) {
        struct arena a;
        struct json out;

        arena_init(&a, budget, NULL);
        st = json_parse(span_str(sample), NULL, &a, &out, &err);
        arena_drop(&a);
        if (st == ASSAY_OK)
            break;
        assert_status(st, ASSAY_ERR_NOMEM);
    }
}

static void
positions_count_lines_and_bytes(void **state)
{
    static const char text[] = "ab\r\ncd\n";
    static const struct {
        size_t offset, line, column;
        const char *line_text;
    } rows[] = {
        { 0, 1, 1, "ab" }, { 1, 1, 2, "ab" }, { 3, 1, 4, "ab\r" },
        { 4, 2, 1, "cd" }, { 7, 3, 1, "" },   { 99, 3, 1, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_position p = json_where(span_str(text), rows[i].offset);

        assert_int_equal(p.line, rows[i].line);
        assert_int_equal(p.column, rows[i].column);
        if (i != 2)
            assert_true(span_equal_str(p.text, rows[i].line_text));
    }
}

static void
the_writer_indents_and_escapes(void **state)
{
    static const uint8_t bytes[] = { 0xde, 0xad, 0xbe, 0xef };
    struct buffer out;
    struct json_writer w;

    (void)state;
    buffer_init(&out, BUDGET, NULL);
    w = json_writer_over(&out, 2);
    jw_object(&w);
    jw_put_str(&w, "text", "a\"\\\x1b[31m\xff");
    jw_put_hex(&w, "hex", span_of(bytes, 4));
    jw_put_base64(&w, "b64", span_of(bytes, 4));
    jw_put_u64(&w, "max", UINT64_MAX);
    jw_put_i64(&w, "min", INT64_MIN);
    jw_put_bool(&w, "yes", true);
    jw_put_str(&w, "none", NULL);
    jw_key(&w, "empty");
    jw_array(&w);
    jw_end(&w);
    jw_key(&w, "list");
    jw_array(&w);
    jw_object(&w);
    jw_end(&w);
    jw_bool(&w, false);
    jw_end(&w);
    jw_end(&w);
    assert_string_equal(buffer_str(&out),
                        "{\n"
                        "  \"text\": \"a\\\"\\\\\\u001b[31m\xef\xbf\xbd\",\n"
                        "  \"hex\": \"deadbeef\",\n"
                        "  \"b64\": \"3q2+7w==\",\n"
                        "  \"max\": 18446744073709551615,\n"
                        "  \"min\": -9223372036854775808,\n"
                        "  \"yes\": true,\n"
                        "  \"none\": null,\n"
                        "  \"empty\": [],\n"
                        "  \"list\": [\n"
                        "    {},\n"
                        "    false\n"
                        "  ]\n"
                        "}");
    buffer_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_as_written),
        cmocka_unit_test(broken_texts_are_refused),
        cmocka_unit_test(a_nul_byte_in_the_text_is_no_end),
        cmocka_unit_test(keys_differing_in_case_are_refused_on_request),
        cmocka_unit_test(the_last_duplicate_wins_on_request),
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(each_failing_allocation_is_reported),
        cmocka_unit_test(positions_count_lines_and_bytes),
        cmocka_unit_test(the_writer_indents_and_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
