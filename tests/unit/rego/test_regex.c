/* Regular expressions: what matches, and where; what is refused; that no
 * pattern takes more than linear time. Expectations follow the published
 * syntax of RE2 and leftmost-first matching. */
#include "unit.h"

#include "rego/regex.h"

static struct regex_matcher *matcher;

static int
setup(void **state)
{
    struct assay_error err;

    (void)state;
    return regex_matcher_new(NULL, &matcher, &err) == ASSAY_OK ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    regex_matcher_free(matcher);
    return 0;
}

static void
test_matches(void **state)
{
    /* from and to of the whole match; -1 for none. */
    static const struct {
        const char *pattern, *text;
        int from, to;
    } rows[] = {
        { "a+", "caaat", 1, 4 },
        { "a+?", "caaat", 1, 2 },
        { "a|ab", "abc", 0, 1 }, /* the first alternative, not the longest */
        { "(?:a|ab)c", "abc", 0, 3 },
        { "^b", "ab", -1, 0 },
        { "(?m)^b", "a\nb", 2, 3 },
        { "a.b", "a\nb", -1, 0 },
        { "(?s)a.b", "a\nb", 0, 3 },
        { "(?i)straSSE", "STRASSe", 0, 7 },
        { "(?i)k", "\xe2\x84\xaa", 0, 3 }, /* the Kelvin sign */
        { "\\bfoo\\b", "a foo b", 2, 5 },
        { "\\bfoo\\b", "afoo", -1, 0 },
        { "[[:digit:]]{2,3}", "a12345", 1, 4 },
        { "[^a-c]", "abcd", 3, 4 },
        { "[]a]+", "]a]", 0, 3 },
        { "\\p{Lu}\\PL", "aB1", 1, 3 },
        { "\\x41\\x{42}\\103", "ABC", 0, 3 },
        { "\\Qa.b\\E+", "a.bbb", 0, 5 },
        { "", "abc", 0, 0 },
        { "$", "abc", 3, 3 },
        { "\xc3\xa9{2}", "\xc3\xa9\xc3\xa9", 0, 4 },
        { "a{2", "a{2", 0, 3 },
        { "(?U)a+", "aaa", 0, 1 },
        { "(a*)*b", "aab", 0, 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct regex_range r = { 0, 0 };
        struct assay_error err;
        struct regex *re;
        bool found;

        assert_ok(regex_new(span_str(rows[i].pattern), NULL, &re, &err), &err);
        assert_ok(
            regex_search(matcher, re, span_str(rows[i].text), 0, &r, 1, &found),
            &err);
        if (found != (rows[i].from >= 0) ||
            (found && ((int)r.from != rows[i].from || (int)r.to != rows[i].to)))
            fail_msg("/%s/ on \"%s\": got %d %zu-%zu, want %d-%d",
                     rows[i].pattern, rows[i].text, found, r.from, r.to,
                     rows[i].from, rows[i].to);
        regex_free(re);
    }
}

static void
test_groups(void **state)
{
    struct regex_range g[4];
    struct assay_error err;
    struct regex *re;
    bool found;

    (void)state;
    assert_ok(
        regex_new(span_str("(?P<year>\\d{4})-(\\d\\d)(x)?"), NULL, &re, &err),
        &err);
    assert_int_equal(regex_groups(re), 3);
    assert_true(span_equal_str(regex_group_name(re, 1), "year"));
    assert_int_equal(regex_group_name(re, 2).len, 0);
    assert_ok(
        regex_search(matcher, re, span_str("on 2024-05"), 0, g, 4, &found),
        &err);
    assert_true(found);
    assert_int_equal(g[1].from, 3);
    assert_int_equal(g[1].to, 7);
    assert_int_equal(g[2].to, 10);
    assert_true(g[3].from == SIZE_MAX);
    regex_free(re);
}

static void
test_refused(void **state)
{
    static const char *const broken[] = {
        "(",           ")",         "a)",         "[",           "[a",
        "[b-a]",       "*",         "a**",        "a{2,1}",      "a{1001}",
        "(?<n",        "(?P<>a)",   "(?z)",       "\\",          "\\8",
        "\\pX",        "\\p{Nope}", "[[:nope:]]", "(a{500}){3}", "\xff",
        "(?=a)",       "(?!a)",     "\\1",        "x{2}{3}",     "(?i",
        "\\x{110000}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct assay_error err;
        struct regex *re;

        if (regex_new(span_str(broken[i]), NULL, &re, &err) !=
            ASSAY_ERR_MALFORMED)
            fail_msg("/%s/ is not refused", broken[i]);
    }
}

/* Each would take a backtracking matcher longer than the world lasts. */
static void
test_linear_time(void **state)
{
    static const char *const patterns[] = {
        "(a*)*$x",
        "(a|a)*b",
        "(a|aa)+$x",
        "(.*)(.*)(.*)(.*)(.*)(.*)x",
        "(?:a?){100}a{100}b",
    };
    static char text[20000];

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < COUNT(patterns); i++) {
        struct assay_error err;
        struct regex *re;
        bool found;

        assert_ok(regex_new(span_str(patterns[i]), NULL, &re, &err), &err);
        assert_ok(regex_search(matcher, re, span_of(text, sizeof(text)), 0,
                               NULL, 0, &found),
                  &err);
        assert_false(found);
        regex_free(re);
    }
}

static void
test_nomem(void **state)
{
    (void)state;
    for (size_t n = 0;; n++) {
        struct failing_alloc f;
        struct assay_error err;
        struct regex *re = NULL;
        enum assay_status st;

        failing_alloc_init(&f, n);
        st = regex_new(span_str("(?i)[a-z]+(x|y){3}\\pL"), &f.alloc, &re, &err);
        regex_free(re);
        assert_int_equal(f.live, 0);
        if (st == ASSAY_OK)
            break;
        assert_status(st, ASSAY_ERR_NOMEM);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_linear_time),
        cmocka_unit_test(test_nomem),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
