#include "../unit.h"

#include "evidence/insecure.h"
#include "evidence/verdict.h"

struct box {
    struct arena arena;
    struct verdict v;
};

static void
box_init(struct box *b, bool strict)
{
    arena_init(&b->arena, 1 << 20, NULL);
    verdict_init(&b->v, &b->arena, "snp", strict);
}

static void
a_verdict_without_checks_is_refused(void **state)
{
    struct box b;

    (void)state;
    box_init(&b, false);
    assert_int_equal(b.v.result, VERDICT_REFUSED);
    assert_int_equal(verdict_conclude(&b.v), VERDICT_REFUSED);
    arena_drop(&b.arena);
}

static void
results_follow_from_the_checks(void **state)
{
    struct box b;

    (void)state;
    box_init(&b, false);
    verdict_pass(&b.v, "a", "r", "x", "x");
    assert_int_equal(verdict_conclude(&b.v), VERDICT_ACCEPTED);
    verdict_warn(&b.v, "b", "r", "x", "y", "careful");
    verdict_skip(&b.v, "c", "r", "not asked for");
    verdict_waive(&b.v, "d", "r", "does not apply");
    assert_int_equal(verdict_conclude(&b.v), VERDICT_ACCEPTED);
    verdict_lack(&b.v, "e", "r", "not there");
    assert_int_equal(verdict_conclude(&b.v), VERDICT_UNKNOWN);
    verdict_fail(&b.v, "f", "r", "x", "y", "wrong");
    assert_int_equal(verdict_conclude(&b.v), VERDICT_REFUSED);
    assert_string_equal(verdict_first_failure(&b.v)->name, "f");
    arena_drop(&b.arena);
}

/* A check whose outcome nobody set has failed. */
static void
outcomes_start_as_failures(void **state)
{
    struct box b;

    (void)state;
    box_init(&b, false);
    verdict_add(&b.v, (struct check){ .name = "a" });
    assert_int_equal(verdict_conclude(&b.v), VERDICT_REFUSED);
    arena_drop(&b.arena);
}

static void
strict_turns_warnings_into_failures(void **state)
{
    struct box b;

    (void)state;
    box_init(&b, true);
    verdict_pass(&b.v, "a", "r", "", "");
    verdict_warn(&b.v, "b", "r", "x", "y", "careful");
    assert_int_equal(verdict_conclude(&b.v), VERDICT_REFUSED);
    arena_drop(&b.arena);
}

static void
a_lost_check_is_never_accepted(void **state)
{
    (void)state;
    for (size_t budget = 0; budget < 20000; budget += 512) {
        struct arena arena;
        struct verdict v;

        arena_init(&arena, budget, NULL);
        verdict_init(&v, &arena, "snp", false);
        for (int i = 0; i < 100; i++)
            verdict_pass(&v, "a", "r", verdict_text(&v, "%d", i), "");
        if (v.nomem)
            assert_int_equal(verdict_conclude(&v), VERDICT_REFUSED);
        arena_drop(&arena);
    }
}

static void
forks_do_not_touch_each_other(void **state)
{
    struct verdict one, two;
    struct box b;

    (void)state;
    box_init(&b, false);
    verdict_pass(&b.v, "common", "r", "", "");
    verdict_fork(&b.v, &one);
    verdict_fork(&b.v, &two);
    verdict_fail(&one, "only in one", "r", "x", "y", "z");
    verdict_pass(&two, "only in two", "r", "", "");
    assert_int_equal(verdict_conclude(&one), VERDICT_REFUSED);
    assert_int_equal(verdict_conclude(&two), VERDICT_ACCEPTED);
    assert_int_equal(b.v.count, 1);
    assert_null(verdict_find(&two, "only in one"));
    assert_non_null(verdict_find(&one, "common"));
    arena_drop(&b.arena);
}

static void
the_line_names_what_decided(void **state)
{
    struct assay_error err = { 0 };
    struct buffer out;
    struct box b;

    (void)state;
    box_init(&b, false);
    buffer_init(&out, 4096, NULL);
    verdict_pass(&b.v, "a", "r", "", "");
    verdict_conclude(&b.v);
    verdict_render_line(&b.v, &out);
    assert_string_equal(buffer_str(&out), "accepted");
    assert_ok(verdict_status(&b.v, &err), &err);
    verdict_lack(&b.v, "crl", "r", "service down");
    verdict_conclude(&b.v);
    assert_status(verdict_status(&b.v, &err), ASSAY_ERR_IO);
    assert_string_equal(err.text, "crl: service down");
    verdict_fail(&b.v, "vmpl", "r", "0", "1", "other level");
    b.v.insecure = true;
    verdict_conclude(&b.v);
    assert_status(verdict_status(&b.v, &err), ASSAY_ERR_UNTRUSTED);
    assert_string_equal(err.text, "vmpl: got 1, want 0");
    buffer_clear(&out);
    verdict_render_line(&b.v, &out);
    assert_string_equal(buffer_str(&out),
                        "refused INSECURE: vmpl: got 1, want 0: other level");
    buffer_free(&out);
    arena_drop(&b.arena);
}

/* Insecure is said in every rendering. */
static void
insecure_is_said_everywhere(void **state)
{
    const struct verdict_style style = { .explain = true };
    struct buffer out;
    struct box b;

    (void)state;
    box_init(&b, false);
    buffer_init(&out, 65536, NULL);
    verdict_pass(&b.v, "a", "r", "", "");
    b.v.insecure = true;
    verdict_conclude(&b.v);
    verdict_render_text(&b.v, &style, &out);
    assert_non_null(strstr(buffer_str(&out), "INSECURE"));
    buffer_clear(&out);
    verdict_render_json(&b.v, &out);
    assert_non_null(strstr(buffer_str(&out), "\"insecure\": true"));
    buffer_clear(&out);
    verdict_render_line(&b.v, &out);
    assert_non_null(strstr(buffer_str(&out), "INSECURE"));
    buffer_free(&out);
    arena_drop(&b.arena);
}

/* No line of text is wider than asked for, however long a value is. */
static void
text_keeps_its_width(void **state)
{
    struct buffer out;
    struct box b;
    char hex[600];

    (void)state;
    memset(hex, 'a', sizeof(hex) - 1);
    hex[sizeof(hex) - 1] = '\0';
    box_init(&b, false);
    verdict_fail(&b.v, "report_data", "r", hex, hex,
                 "some words that take more than one line to say in full, as "
                 "they were meant to");
    verdict_conclude(&b.v);
    for (size_t width = 60; width < 140; width += 13) {
        const struct verdict_style style = { .width = width };
        const char *line;

        buffer_init(&out, 65536, NULL);
        verdict_render_text(&b.v, &style, &out);
        line = buffer_str(&out);
        while (*line) {
            size_t len = strcspn(line, "\n");

            assert_true(len <= width);
            assert_true(len == 0 || line[len - 1] != ' ');
            line += len + 1;
        }
        buffer_free(&out);
    }
    arena_drop(&b.arena);
}

/* --- insecure platform --------------------------------------------------- */

static void
insecure_evidence_round_trips(void **state)
{
    struct insecure_evidence in = { .has_host_data = true }, out;
    struct assay_error err = { 0 };
    struct buffer text;
    struct box b;

    (void)state;
    memset(in.report_data, 0xfb, sizeof(in.report_data));
    in.host_data[31] = 7;
    box_init(&b, false);
    buffer_init(&text, 4096, NULL);
    insecure_evidence_encode(&in, &text);
    assert_ok(
        insecure_evidence_decode(buffer_span(&text), &b.arena, &out, &err),
        &err);
    assert_memory_equal(in.report_data, out.report_data, 64);
    assert_memory_equal(in.host_data, out.host_data, 32);
    insecure_appraise(&out, in.report_data, in.host_data, &b.v);
    assert_int_equal(verdict_conclude(&b.v), VERDICT_ACCEPTED);
    assert_true(b.v.insecure);
    /* The older form has report data only. */
    assert_ok(insecure_evidence_decode(span_of(in.report_data, 64), &b.arena,
                                       &out, &err),
              &err);
    assert_false(out.has_host_data);
    verdict_init(&b.v, &b.arena, "insecure", false);
    insecure_appraise(&out, in.report_data, in.host_data, &b.v);
    assert_int_equal(verdict_conclude(&b.v), VERDICT_REFUSED);
    buffer_free(&text);
    arena_drop(&b.arena);
}

static void
broken_insecure_evidence_is_malformed(void **state)
{
    static const char *const broken[] = {
        "",
        "{}",
        "[]",
        "{\"reportData\":\"AA==\",\"hostData\":\"AA==\"}",
        "{\"reportData\":1,\"hostData\":\"AA==\"}",
    };
    struct box b;

    (void)state;
    box_init(&b, false);
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct insecure_evidence out;

        assert_status(
            insecure_evidence_decode(span_str(broken[i]), &b.arena, &out, NULL),
            ASSAY_ERR_MALFORMED);
    }
    arena_drop(&b.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_without_checks_is_refused),
        cmocka_unit_test(results_follow_from_the_checks),
        cmocka_unit_test(outcomes_start_as_failures),
        cmocka_unit_test(strict_turns_warnings_into_failures),
        cmocka_unit_test(a_lost_check_is_never_accepted),
        cmocka_unit_test(forks_do_not_touch_each_other),
        cmocka_unit_test(the_line_names_what_decided),
        cmocka_unit_test(insecure_is_said_everywhere),
        cmocka_unit_test(text_keeps_its_width),
        cmocka_unit_test(insecure_evidence_round_trips),
        cmocka_unit_test(broken_insecure_evidence_is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
