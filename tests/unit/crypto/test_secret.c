#include "unit.h"

#include "crypto/random.h"
#include "crypto/secret.h"

static void
test_wipe_empties(void **state)
{
    struct secret s = { 0 };
    struct assay_error err;

    (void)state;
    secret_wipe(&s);
    assert_ok(secret_copy(&s, span_str("seed"), &err), &err);
    assert_true(span_equal_str(secret_span(&s), "seed"));
    secret_wipe(&s);
    assert_null(s.ptr);
    assert_int_equal(s.len, 0);
    secret_wipe(&s);
}

static void
test_fresh_memory_is_zero_and_writable(void **state)
{
    struct secret s = { 0 };
    struct assay_error err;

    (void)state;
    assert_ok(secret_alloc(&s, 5000, &err), &err);
    assert_true(span_is_zero(secret_span(&s)));
    memset(s.ptr, 0xff, s.len);
    secret_wipe(&s);
}

static void
test_impossible_lengths(void **state)
{
    struct secret s = { 0 };
    struct assay_error err;

    (void)state;
    assert_status(secret_alloc(&s, 0, &err), ASSAY_ERR_LIMIT);
    assert_status(secret_alloc(&s, SIZE_MAX, &err), ASSAY_ERR_LIMIT);
    assert_status(secret_alloc(&s, SIZE_MAX / 4, &err), ASSAY_ERR_NOMEM);
    assert_null(s.ptr);
}

static void
test_system_randomness_differs(void **state)
{
    struct secret a = { 0 }, b = { 0 };
    struct assay_error err;

    (void)state;
    assert_ok(secret_random(&a, 64, &random_system, &err), &err);
    assert_ok(secret_random(&b, 64, &random_system, &err), &err);
    assert_false(secret_equal(a.ptr, b.ptr, 64));
    assert_true(secret_equal(a.ptr, a.ptr, 64));
    secret_wipe(&a);
    secret_wipe(&b);
}

static bool
no_randomness(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    (void)out;
    (void)len;
    return false;
}

static void
test_failing_source_leaves_nothing(void **state)
{
    const struct random_source broken = { no_randomness, NULL };
    struct secret s = { 0 };
    struct assay_error err;

    (void)state;
    assert_status(secret_random(&s, 64, &broken, &err), ASSAY_ERR_IO);
    assert_null(s.ptr);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wipe_empties),
        cmocka_unit_test(test_fresh_memory_is_zero_and_writable),
        cmocka_unit_test(test_impossible_lengths),
        cmocka_unit_test(test_system_randomness_differs),
        cmocka_unit_test(test_failing_source_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
