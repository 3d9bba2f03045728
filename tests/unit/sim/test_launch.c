/* Check values of contrast-interop sections 7.3 and 7.4. */
#include "unit.h"

#include "sim/launch.h"

static struct report_facts
facts_of_milan(void)
{
    return (struct report_facts){ .product = product_find(span_str("Milan")),
                                  .guest_svn = 2,
                                  .policy = 0x30000 };
}

static void
vcpus_extend_the_digest(void **state)
{
    struct report_facts f = facts_of_milan();
    struct assay_error err;

    (void)state;
    assert_ok(launch_add_vcpus(&f, 1, 0x804000, &err), &err);
    assert_true(span_is_zero(span_of(f.measurement, sizeof(f.measurement))));
    assert_ok(launch_add_vcpus(&f, 2, 0x804000, &err), &err);
    assert_hex(span_of(f.measurement, sizeof(f.measurement)),
               "ce9a3e6767845be1cf616d1d7a1eebf7b8ef2156ee27b26a375ab533b419b7"
               "de2a19f88375894ca7dc12ef11add024b5");
    f = facts_of_milan();
    assert_ok(launch_add_vcpus(&f, 3, 0x804000, &err), &err);
    assert_hex(span_of(f.measurement, sizeof(f.measurement)),
               "6c52fd6e8801291ea36984c81e0736a75197a4922c611ca020f21495207296"
               "a32a34144c44bfb894f38878f82e31114a");
}

static void
the_anonymous_id_key_is_contrasts(void **state)
{
    struct report_facts f = facts_of_milan();
    struct assay_error err;

    (void)state;
    assert_ok(launch_set_id_key(&f, &err), &err);
    assert_hex(span_of(f.id_key_digest, sizeof(f.id_key_digest)),
               "45c561c003ae6d90f5281dc39b7a97aa00941beb2711057bbb157f1071d285"
               "5cbc857340c20516333eeac6284a641bf7");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vcpus_extend_the_digest),
        cmocka_unit_test(the_anonymous_id_key_is_contrasts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
