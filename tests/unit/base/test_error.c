#include "unit.h"

static void
a_sentence_is_recorded_and_put_in_context(void **state)
{
    struct assay_error err = { 0 };

    (void)state;
    assert_status(assay_fail(&err, ASSAY_ERR_LIMIT, "got %d, want %d", 3, 2),
                  ASSAY_ERR_LIMIT);
    assert_status(assay_context(&err, ASSAY_ERR_LIMIT, "peer %s", "a"),
                  ASSAY_ERR_LIMIT);
    assert_string_equal(err.text, "peer a: got 3, want 2");
    assert_int_equal(err.status, ASSAY_ERR_LIMIT);
}

static void
a_long_sentence_is_cut_not_overflowed(void **state)
{
    struct assay_error err;
    char big[1000];

    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    (void)assay_fail(&err, ASSAY_ERR_IO, "%s", big);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    (void)assay_context(&err, ASSAY_ERR_IO, "%s", "front");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_memory_equal(err.text, "front: xxx", 10);
    (void)assay_context(&err, ASSAY_ERR_IO, "%s", big);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void
no_error_object_is_fine(void **state)
{
    (void)state;
    assert_status(assay_fail(NULL, ASSAY_ERR_IO, "x"), ASSAY_ERR_IO);
    assert_status(assay_context(NULL, ASSAY_ERR_IO, "x"), ASSAY_ERR_IO);
}

static void
every_status_has_a_name(void **state)
{
    (void)state;
    for (int st = ASSAY_OK; st <= ASSAY_ERR_NOT_FOUND; st++)
        assert_string_not_equal(assay_status_name((enum assay_status)st),
                                "unknown");
    assert_string_equal(assay_status_name((enum assay_status)99), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_is_recorded_and_put_in_context),
        cmocka_unit_test(a_long_sentence_is_cut_not_overflowed),
        cmocka_unit_test(no_error_object_is_fine),
        cmocka_unit_test(every_status_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
