/* YAML to JSON: what plain scalars mean, and what is refused. Expected values
 * are read off YAML 1.1's type repository, not off this program. */
#include "codec/yaml.h"

#include "base/limits.h"
#include "codec/json.h"
#include "unit.h"

static const struct {
    const char *yaml;
    const char *json;
} good[] = {
    { "", "null" },
    { "# only a comment\n", "null" },
    { "a: ~\nb:\nc: null\n", "{\"a\":null,\"b\":null,\"c\":null}" },
    { "[y, Yes, on, true, n, NO, off, False]",
      "[true,true,true,true,false,false,false,false]" },
    { "['y', \"no\", !!str 12, yeah]", "[\"y\",\"no\",\"12\",\"yeah\"]" },
    { "[0, -0, +7, 0x1F, 0o17, 017, 0b101, 1_000]", "[0,0,7,31,15,15,5,1000]" },
    { "[9223372036854775807, -9223372036854775808, 18446744073709551615]",
      "[9223372036854775807,-9223372036854775808,18446744073709551615]" },
    { "[1.0, .5, 1e3, -2.5, 1.5e+2, 6.02e23]",
      "[1,0.5,1000,-2.5,150,6.02e+23]" },
    { "[1.2.3, 0x, 0xg, 1e, '1', --1, 1a]",
      "[\"1.2.3\",\"0x\",\"0xg\",\"1e\",\"1\",\"--1\",\"1a\"]" },
    { "1: a\ntrue: b\n~: c\n2.5: d\n",
      "{\"1\":\"a\",\"true\":\"b\",\"null\":\"c\",\"2.5\":\"d\"}" },
    { "a: |\n  line 1\n   \"2\"\nb: >\n  one\n  two\n",
      "{\"a\":\"line 1\\n \\\"2\\\"\\n\",\"b\":\"one two\\n\"}" },
    { "- {a: [1, {b: x}]}\n- []\n- {}\n", "[{\"a\":[1,{\"b\":\"x\"}]},[],{}]" },
    { "2001-12-14", "\"2001-12-14\"" },
    { "%YAML 1.1\n---\na: 1\n...\n", "{\"a\":1}" },
};

static void
scalars_mean_what_yaml_1_1_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct assay_error err = { 0 };
        struct buffer out;

        buffer_init(&out, 4096, NULL);
        if (yaml_to_json(span_str(good[i].yaml), "t", &out, &err) != ASSAY_OK)
            fail_msg("%s: %s", good[i].yaml, err.text);
        assert_string_equal(buffer_str(&out), good[i].json);
        buffer_free(&out);
    }
}

static const struct {
    const char *rule;
    const char *yaml;
    enum assay_status want;
} broken[] = {
    { "a list is closed", "[1, 2", ASSAY_ERR_MALFORMED },
    { "a key stands once", "a: 1\na: 2\n", ASSAY_ERR_MALFORMED },
    { "one document", "--- 1\n--- 2\n", ASSAY_ERR_MALFORMED },
    { "infinity is no number", "a: .inf", ASSAY_ERR_MALFORMED },
    { "nor is nan", "[.NaN]", ASSAY_ERR_MALFORMED },
    { "aliases are not followed", "a: &x 1\nb: *x\n", ASSAY_ERR_UNSUPPORTED },
    { "tags are unknown", "a: !!binary aGk=", ASSAY_ERR_UNSUPPORTED },
    { "of lists too", "!!set {a, b}", ASSAY_ERR_UNSUPPORTED },
    { "keys are plain", "? [a]\n: 1\n", ASSAY_ERR_UNSUPPORTED },
    { "text is UTF-8", "a: \xff", ASSAY_ERR_MALFORMED },
    { "directives are known", "%TAG ! x\n--- a\n", ASSAY_ERR_MALFORMED },
};

static void
what_json_cannot_say_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct assay_error err = { 0 };
        struct buffer out;
        enum assay_status st;

        buffer_init(&out, 4096, NULL);
        st = yaml_to_json(span_str(broken[i].yaml), "t", &out, &err);
        if (st != broken[i].want)
            fail_msg("%s: got %s, want %s", broken[i].rule,
                     assay_status_name(st), assay_status_name(broken[i].want));
        assert_true(err.text[0] != '\0');
        buffer_free(&out);
    }
}

/* The library has a limit of its own near ours, and calls that malformed. */
static void
nesting_is_bounded(void **state)
{
    char text[4 * LIMIT_YAML_DEPTH];
    struct buffer out;

    (void)state;
    for (size_t deep = 1; deep <= sizeof(text) / 2; deep++) {
        enum assay_status st;

        memset(text, '[', deep);
        memset(text + deep, ']', deep);
        buffer_init(&out, 4096, NULL);
        st = yaml_to_json(span_of(text, 2 * deep), "t", &out, NULL);
        if (deep < LIMIT_YAML_DEPTH)
            assert_int_equal(st, ASSAY_OK);
        else
            assert_true(st == ASSAY_ERR_LIMIT || st == ASSAY_ERR_MALFORMED);
        buffer_free(&out);
    }
}

static void
output_has_a_ceiling(void **state)
{
    struct buffer out;

    (void)state;
    buffer_init(&out, 8, NULL);
    assert_int_equal(yaml_to_json(span_str("a: 123456789"), "t", &out, NULL),
                     ASSAY_ERR_LIMIT);
    buffer_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_mean_what_yaml_1_1_says),
        cmocka_unit_test(what_json_cannot_say_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(output_has_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
