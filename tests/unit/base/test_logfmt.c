#include "unit.h"

#include "base/logfmt.h"

static const char *
line_with(struct log_line *line, struct span value)
{
    struct span text;

    log_line_begin(line, 0, LOG_INFO, "event");
    log_line_span(line, "key", value);
    text = log_line_end(line);
    line->text[text.len - 1] = '\0'; /* instead of the newline */
    return line->text;
}

#define HEAD "time=1970-01-01T00:00:00Z level=info msg=event key="

static void
values_cannot_forge_a_line(void **state)
{
    static const struct {
        const char *value;
        const char *want;
    } rows[] = {
        { "plain", HEAD "plain" },
        { "", HEAD "\"\"" },
        { "two words", HEAD "\"two words\"" },
        { "a=b", HEAD "\"a=b\"" },
        { "x\nlevel=info", HEAD "\"x\\x0alevel=info\"" },
        { "\x1b[2J", HEAD "\"\\x1b[2J\"" },
        { "say \"hi\"", HEAD "\"say \\\"hi\\\"\"" },
        { "back\\slash", HEAD "\"back\\\\slash\"" },
        { "caf\xc3\xa9", HEAD "\"caf\\xc3\\xa9\"" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct log_line line;

        assert_string_equal(line_with(&line, span_str(rows[i].value)),
                            rows[i].want);
    }
}

static void
a_long_line_is_cut_and_says_so(void **state)
{
    struct log_line line;
    uint8_t value[3 * LOG_LINE_SIZE];
    const char *text;

    (void)state;
    for (int step = 1; step < 300; step++) {
        memset(value, step % 2 ? 'x' : '\n', sizeof(value));
        text = line_with(&line, span_of(value, sizeof(value) - (size_t)step));
        assert_true(strlen(text) < LOG_LINE_SIZE);
        assert_string_equal(text + strlen(text) - 3, "...");
    }
}

static void
the_limit_counts_what_it_drops(void **state)
{
    struct log_limit limit = { .per_second = 2 };
    uint64_t dropped = 99;

    (void)state;
    assert_true(log_limit_take(&limit, 1000, &dropped));
    assert_int_equal(dropped, 0);
    assert_true(log_limit_take(&limit, 1500, &dropped));
    assert_false(log_limit_take(&limit, 1600, &dropped));
    assert_false(log_limit_take(&limit, 1999, &dropped));
    assert_true(log_limit_take(&limit, 2000, &dropped));
    assert_int_equal(dropped, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_cannot_forge_a_line),
        cmocka_unit_test(a_long_line_is_cut_and_says_so),
        cmocka_unit_test(the_limit_counts_what_it_drops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
