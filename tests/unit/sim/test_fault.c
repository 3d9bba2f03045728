#include "unit.h"

#include "sim/fault.h"

static void
rules_fire_in_order_and_run_out(void **state)
{
    static const char crl[] = "/vcek/v1/Milan/crl";
    struct fault_plan plan = { 0 };
    struct assay_error err;

    (void)state;
    assert_ok(fault_add(&plan, span_str("/vcek/v1/Milan=429:2"), &err), &err);
    assert_ok(fault_add(&plan, span_str("/=500:1"), &err), &err);
    assert_int_equal(fault_take(&plan, span_str(crl)), FAULT_RATE_LIMIT);
    assert_int_equal(fault_take(&plan, span_str(crl)), FAULT_RATE_LIMIT);
    assert_int_equal(fault_take(&plan, span_str(crl)), FAULT_ERROR);
    assert_int_equal(fault_take(&plan, span_str(crl)), FAULT_NONE);
    assert_int_equal(plan.count, 0);
}

static void
a_rule_without_count_stays(void **state)
{
    struct fault_plan plan = { 0 };
    struct assay_error err;

    (void)state;
    assert_ok(fault_add(&plan, span_str("/a?blSPL=4=wrong-chip"), &err), &err);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fault_take(&plan, span_str("/a?blSPL=4&x")),
                         FAULT_WRONG_CHIP);
    assert_int_equal(fault_take(&plan, span_str("/a")), FAULT_NONE);
}

static void
rules_that_are_none_are_refused(void **state)
{
    static const char *const broken[] = {
        "",         "/a",        "/a=",     "/a=418",
        "a=429",    "=429",      "/a=429:", "/a=429:0",
        "/a=429:x", "/a=429:-1", "/a=none", "/a=429:1234567890",
    };
    struct fault_plan plan = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++)
        if (fault_add(&plan, span_str(broken[i]), NULL) != ASSAY_ERR_MALFORMED)
            fail_msg("accepted \"%s\"", broken[i]);
}

static void
a_full_plan_says_so(void **state)
{
    struct fault_plan plan = { 0 };

    (void)state;
    for (int i = 0; i < FAULT_RULES_MAX; i++)
        assert_status(fault_add(&plan, span_str("/a=hang"), NULL), ASSAY_OK);
    assert_status(fault_add(&plan, span_str("/a=hang"), NULL), ASSAY_ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_fire_in_order_and_run_out),
        cmocka_unit_test(a_rule_without_count_stays),
        cmocka_unit_test(rules_that_are_none_are_refused),
        cmocka_unit_test(a_full_plan_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
