#include "unit.h"

#include "base/clock.h"

/* Instants computed with `date -u -d ... +%s`. */
static const struct {
    const char *text;
    int64_t instant;
} rows[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "2000-02-29T23:59:59Z", 951868799 },
    { "2024-02-29T12:00:00Z", 1709208000 },
    { "2026-11-23T12:34:56Z", 1795437296 },
    { "2100-03-01T00:00:00Z", 4107542400 },
    { "1969-12-31T23:59:59Z", -1 },
    { "0001-01-01T00:00:00Z", -62135596800 },
    { "9999-12-31T23:59:59Z", 253402300799 },
};

static void
instants_are_parsed_and_printed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct assay_error err = { 0 };
        char text[RFC3339_SIZE];
        int64_t got = 0;

        assert_ok(rfc3339_parse(span_str(rows[i].text), &got, &err), &err);
        if (got != rows[i].instant)
            fail_msg("%s: got %lld, want %lld", rows[i].text, (long long)got,
                     (long long)rows[i].instant);
        rfc3339_format(got, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void
offsets_fractions_and_dates_are_understood(void **state)
{
    static const struct {
        const char *text, *same_as;
    } pairs[] = {
        { "2026-11-23T12:34:56+01:30", "2026-11-23T11:04:56Z" },
        { "2026-11-23T23:34:56-01:30", "2026-11-24T01:04:56Z" },
        { "2026-11-23t12:34:56.999999z", "2026-11-23T12:34:56Z" },
        { "2026-11-23", "2026-11-23T00:00:00Z" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct assay_error err = { 0 };
        int64_t a = 0, b = 1;

        assert_ok(rfc3339_parse(span_str(pairs[i].text), &a, &err), &err);
        assert_ok(rfc3339_parse(span_str(pairs[i].same_as), &b, &err), &err);
        assert_true(a == b);
    }
}

static void
what_is_not_a_time_is_refused(void **state)
{
    static const char *const broken[] = {
        "",
        "2026",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "2100-02-29",
        "2026-11-31",
        "2026-11-23T24:00:00Z",
        "2026-11-23T12:60:00Z",
        "2026-11-23T12:00:60Z",
        "2026-11-23T12:00:00",
        "2026-11-23T12:00:00+1:00",
        "2026-11-23T12:00:00.Z",
        "2026-11-23T12:00:00Zx",
        "2026-11-23 12:00:00Z",
        "-026-11-23",
        "20261123T120000Z",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        int64_t got;

        if (rfc3339_parse(span_str(broken[i]), &got, NULL) !=
            ASSAY_ERR_MALFORMED)
            fail_msg("accepted \"%s\"", broken[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_parsed_and_printed),
        cmocka_unit_test(offsets_fractions_and_dates_are_understood),
        cmocka_unit_test(what_is_not_a_time_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
